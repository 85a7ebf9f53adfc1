"""What a session asks while its targets wait: gates, addresses of subnets, the events of the cloud itself."""
