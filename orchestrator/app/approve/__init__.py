"""A preview that is saved to be approved, and the run of exactly that."""
