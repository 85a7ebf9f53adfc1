"""How one scope is reached: its calls, its gate and probe, its job lists. Knows no single upgrade's story."""
