"""Wires `taxiway data`: sources, contracts and the record, one module for a topic."""
