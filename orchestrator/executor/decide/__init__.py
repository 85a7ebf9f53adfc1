"""Pure decisions over the whole fleet: what comes next, and why not yet. No I/O, no waiting."""
