"""The verb `doctor`: whether everything that a night needs is there. Reads only; pure judgements, I/O at the edge."""
