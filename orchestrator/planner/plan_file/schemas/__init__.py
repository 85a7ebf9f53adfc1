"""What each part of a plan may hold."""
