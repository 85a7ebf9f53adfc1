"""Two runs of one fleet, side by side: what changed between them, and what only one of them saw."""
