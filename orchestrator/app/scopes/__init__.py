"""Opening the scopes of a plan, and what they remember between sessions."""
