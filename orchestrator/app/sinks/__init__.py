"""Who is shown the records of a session once they count: one file each. None decides, records or delays anything."""
