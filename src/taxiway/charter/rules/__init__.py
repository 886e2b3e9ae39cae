"""What a charter can say against itself, one small function a rule.

A rule names as its parameters what it needs: sections of the charter (`owners`, `risk`, ...), the
`contract`, the `people` of the workspace, `today`, and `exists`, which tells whether a file of the
project is there. It runs whenever all of that can be had, so that one missing answer hides no other
problem. A new rule is a function and its line in `RULES`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from taxiway.charter.remark import Remark
from taxiway.charter.rules import data, oversight, ownership, promise, risk, watching

Rule = Callable[..., Iterator[Remark]]

RULES: tuple[Rule, ...] = (
    *ownership.RULES,
    *risk.RULES,
    *promise.RULES,
    *data.RULES,
    *watching.RULES,
    *oversight.RULES,
)


def applied(known: Mapping[str, Any]) -> Iterator[Remark]:
    """The remarks of all rules whose needs are known; None means that it is not."""
    for rule in RULES:
        needs = {name: known.get(name) for name in inspect.signature(rule).parameters}
        if all(need is not None for need in needs.values()):
            yield from rule(**needs)
