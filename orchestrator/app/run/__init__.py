"""The verb `run`: from the fleet's lock to the exit code of one session."""
