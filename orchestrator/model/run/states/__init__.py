"""The states of the targets of a run, most of them in few bytes."""
