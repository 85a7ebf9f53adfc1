"""The report with what no record says: when the calendar was closed."""
