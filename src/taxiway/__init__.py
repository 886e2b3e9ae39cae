"""taxiway."""
