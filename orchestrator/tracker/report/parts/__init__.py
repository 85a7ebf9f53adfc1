"""Parts of a report that have a form of their own."""
