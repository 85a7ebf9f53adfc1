"""Waves -> records: pure decisions (limits, budgets, windows, retry, reconcile) and one thin loop that performs them."""
