"""Plan file, inventory and discovery -> targets -> waves, and the preview of what a run would do."""
