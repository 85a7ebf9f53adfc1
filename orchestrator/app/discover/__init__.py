"""Finding proxies in the cloud, as the plan's `discover` asks. GET only."""
