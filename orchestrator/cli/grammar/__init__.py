"""The words of the command line: from `argv` to options, or to help or a mistake."""
