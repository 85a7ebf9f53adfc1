"""What records teach beside the state of a run: elapsed time, durations, impact, rates, reasons to refuse."""
