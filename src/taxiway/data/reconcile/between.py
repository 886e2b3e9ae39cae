"""Two tables whose rows were matched, and what that makes a finding worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from taxiway.data.mapping import Mapped
from taxiway.data.reconcile.columns import Table
from taxiway.data.reconcile.finding import Finding, Place
from taxiway.data.reconcile.names import is_personal


@dataclass(frozen=True, slots=True)
class Between:
    """Two tables, and how their rows were matched."""

    left: Table
    right: Table
    by: str
    """The key in words."""
    keys: int
    trust: float
    """From 0 to 1: how sure it is that rows were matched rightly."""

    def finding(
        self,
        kind: str,
        x: str,
        y: str,
        says: str,
        *,
        confidence: float,
        evidence: Mapping[str, Any],
        mapping: Mapped | None,
    ) -> Finding:
        return Finding(
            kind,
            Place(self.left.name, x),
            Place(self.right.name, y),
            says,
            confidence * self.trust,
            {"by": self.by, "keys": self.keys, **evidence},
            mapping,
            (self.left.digest, self.right.digest),
        )

    def hides(self, x: str, y: str) -> bool:
        """Whether no value of two columns may be shown."""
        return (
            x in self.left.personal or y in self.right.personal or is_personal(x) or is_personal(y)
        )


def sure(share: float, rows: int) -> float:
    """The lower end of a share's interval (Wilson, 95 %)."""
    if not rows:
        return 0.0
    z = 1.96
    middle = share + z * z / (2 * rows)
    width = z * np.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    return float((middle - width) / (1 + z * z / rows))
