"""Whether anything may start now: calendar, windows, freezes, gates, and the bound of the session."""
