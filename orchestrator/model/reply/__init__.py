"""What the cloud says in one answer, as values. It knows no record and no run."""
