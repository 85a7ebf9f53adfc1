"""What the metrics of proxies say: whether the bounds of a gate are kept. Pure."""
