"""What happened, in sentences for people: of a proxy's story, of the log and of the live display alike."""
