"""The wiring: the only place that chooses adapters and hands the steps what they need.

`Workspace` is the face that the command line, the console and `import taxiway` share; the modules
beside it wire the verbs that need several steps. Steps are imported where they are called, so that
a verb loads only what it uses.
"""

from taxiway.bootstrap.workspace import Workspace

__all__ = ["Workspace"]
