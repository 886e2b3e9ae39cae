"""Pages of one file: tables and pictures that open offline, in light and dark, without scripts."""
