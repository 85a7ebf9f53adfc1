"""Hosts that share a database, as processes on this machine: `make demo-hosts` shows, `make hosts-proof` proves."""
