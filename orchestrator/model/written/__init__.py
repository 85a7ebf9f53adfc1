"""Records as they can be kept: without secrets, and without what no encoder takes."""
