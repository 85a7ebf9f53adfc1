"""The verbs by which a person steers a fleet, and how a run carries them out."""
