"""Makes `tests/` importable, so that every test finds the helpers in `fakes`."""
