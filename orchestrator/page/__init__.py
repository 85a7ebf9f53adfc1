"""What every page has that this program draws: one file for a browser or paper, which cannot load anything."""
