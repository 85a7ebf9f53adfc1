"""The verbs: a file each, whose `run` takes the options and gives the exit code. Only the one asked for is imported."""
