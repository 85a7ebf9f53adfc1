"""The verb `init`: a plan for what the cloud shows. Reads only; the text is pure."""
