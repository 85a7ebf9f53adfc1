"""What a run would do, as values and as text. Reads and sends nothing itself."""
