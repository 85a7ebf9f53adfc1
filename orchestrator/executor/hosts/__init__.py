"""Several hosts at one run: one that serves scopes for the one that decides, and what that one knows of the others."""
