"""Whether applications stay well, by the metrics of the proxies: read politely, and never needed for an upgrade."""
