"""The runs of a fleet in the state folder: made, found, frozen, recovered, and steered. Reads no network."""
