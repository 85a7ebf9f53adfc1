"""The shared vocabulary: plan, targets, records, replies, and the run that folds records. No I/O, no clock."""
