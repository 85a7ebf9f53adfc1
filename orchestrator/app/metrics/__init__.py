"""What a monitoring system is told of a fleet: numbers of the run as it stands, never one for each proxy."""
