"""The jobs of a scope: its lists, and what runs where."""
