"""Decisions over one target as the fleet stands: may its upgrade still be sent, when is a busy one tried again."""
