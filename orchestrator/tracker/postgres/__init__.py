"""The state in PostgreSQL: the port `State` over tables, for fleets that several hosts work on in turn."""
