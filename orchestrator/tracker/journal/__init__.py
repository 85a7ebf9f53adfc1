"""The journal of a run: lines on disk, and what brings them there. Knows no fleet and decides nothing."""
