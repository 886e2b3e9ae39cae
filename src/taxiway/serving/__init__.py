"""Serving: the one prediction path, the decision log, and thin shells around them.

Before it comes a deployment: a verified release in an environment. `path` answers, `deciding` logs
before it hands an answer on, and the shells (`http`, `batch`, `replay`, `rehearsal`) all go through
them. It hands on decisions, which `taxiway.monitoring` watches.
"""
