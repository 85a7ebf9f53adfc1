"""Programs that a plan names, run beside the upgrades: how they are told, heard, and ended."""
