"""Waves -> records: pure decisions (limits, budgets, windows, retry, evidence) and one thin loop to perform them."""
