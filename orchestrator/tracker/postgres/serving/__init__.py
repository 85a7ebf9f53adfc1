"""Who serves which group of scopes, in the database, and how a host that stands by comes to serve."""
