"""The report: one fold of a run, and the forms it is written in. Says nothing that no record says."""
