"""What there is in the simulated cloud, and how it changes with time. It knows no HTTP call."""
