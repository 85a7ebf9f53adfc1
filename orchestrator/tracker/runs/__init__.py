"""What follows from the runs of a fleet, whatever keeps them: a run recovered, and what earlier and other runs say."""
