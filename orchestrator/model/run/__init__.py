"""A run as its records make it: the fold, the state of each target, and the counts that decisions need."""
