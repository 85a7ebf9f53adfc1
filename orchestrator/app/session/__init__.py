"""One session of a run: on the host that decides, and on one that serves scopes for it."""
