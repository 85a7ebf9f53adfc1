"""What is said of one proxy: its history, its story, and what it waits for."""
