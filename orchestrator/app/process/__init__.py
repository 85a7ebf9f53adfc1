"""What concerns the process itself: event loop, signals, bounds of its starts. Knows no target."""
