"""The records of the journal: what happened, word for word. Nothing here adds them up."""
