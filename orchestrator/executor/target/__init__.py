"""The story of one proxy, one module per step. Never decides over the fleet."""
