"""The report as a page: one file that loads nothing, for a browser or on paper."""
