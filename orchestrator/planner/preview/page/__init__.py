"""The preview as a page, to be attached to a change ticket."""
