"""Every source of targets: written out, inventory files, discovery. Sends nothing."""
