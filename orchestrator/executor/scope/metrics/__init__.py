"""Metrics of the proxies of a scope: read in few calls, politely, and kept for all who ask in a session."""
