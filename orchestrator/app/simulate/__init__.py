"""A plan pointed at the embedded simulated cloud."""
