"""taxiway: the path a model takes from a notebook to production, and the loop that keeps it fit.

Every verb of the command line is a method of `Workspace`:

    import taxiway

    with taxiway.Workspace.open(actor="flights-developer") as workspace:
        trained = workspace.train("flight-delays")
        print(workspace.check(trained["release"], "dev").clear)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from taxiway.core.errors import TaxiwayError

if TYPE_CHECKING:
    from taxiway.bootstrap import Workspace

__all__ = ["TaxiwayError", "Workspace"]


def __getattr__(name: str) -> object:
    # The wiring is imported when it is asked for, so that `import taxiway` stays quick.
    if name == "Workspace":
        from taxiway.bootstrap import Workspace

        return Workspace
    raise AttributeError(f"module 'taxiway' has no attribute {name!r}")
