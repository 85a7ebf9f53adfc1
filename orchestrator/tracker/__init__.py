"""Records -> journal -> report, and back: how what happens to a fleet is kept, and how a run is found again."""
