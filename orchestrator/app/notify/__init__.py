"""Telling others that something happened: from a record of the journal to a receiver's answer, at least once."""
