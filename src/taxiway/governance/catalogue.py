"""The catalogue of checks and the rulebooks that they serve, read from the data beside this module.

Checks and rulebooks are apart: a rulebook is replaced, or another one added, without touching a
check. A citation is `rulebook-clause`, with the dash left out where the clause begins with a digit:
`F-IV`, `P3.1`, `O-App1`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from taxiway.core.check import CheckSpec
from taxiway.core.errors import MissingError

HERE = Path(__file__).parent

STAGES = (
    "charter",
    "data",
    "development",
    "validation",
    "deployment",
    "monitoring",
    "retirement",
    "audit",
)

CITATION = re.compile(r"([A-Za-z]+)-?(.+)")


@dataclass(frozen=True, slots=True)
class Rulebook:
    """A dated pack of clauses. `superseded_by` is the id of the pack that took its place."""

    id: str
    name: str
    version: str
    in_force_from: date
    clauses: Mapping[str, str]
    superseded_by: str = ""
    superseded_on: date | None = None
    note: str = ""

    def in_force(self, day: date) -> bool:
        """Whether it is in force on a day."""
        ended = self.superseded_on is not None and day >= self.superseded_on
        return self.in_force_from <= day and not ended


@cache
def load_catalogue() -> tuple[CheckSpec, ...]:
    """All checks, in the order of the life cycle."""
    return tuple(_spec(entry) for entry in read_data("catalogue.yaml"))


@cache
def load_rulebooks() -> Mapping[str, Rulebook]:
    """All rulebooks by id."""
    return {
        path.stem: _rulebook(path.stem, read_data(f"rulebooks/{path.name}"))
        for path in sorted((HERE / "rulebooks").glob("*.yaml"))
    }


def find_check(id: str) -> CheckSpec:
    """The check with this id. Raises `MissingError` with the close match.

    >>> find_check("AU-01").title
    'The ledger is whole'
    """
    by_id = {spec.id: spec for spec in load_catalogue()}
    wanted = id.strip().upper()
    if wanted not in by_id:
        raise MissingError.named("check", id, by_id, todo="See docs/reference/checks.md.")
    return by_id[wanted]


def read_data(name: str) -> Any:
    """A YAML file of this package, read by libyaml where PyYAML has it: ten times faster."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load((HERE / name).read_text("utf-8"), Loader=loader)  # noqa: S506 - both are safe


def citations(text: str) -> dict[str, tuple[str, ...]]:
    """Clauses by rulebook, from citations.

    >>> citations("F-IV P3.1 P5.3")
    {'F': ('IV',), 'P': ('3.1', '5.3')}
    """
    found: dict[str, tuple[str, ...]] = {}
    for citation in text.split():
        match = CITATION.fullmatch(citation)
        if match is None:
            raise ValueError(f"{citation!r} is no citation such as F-IV or P3.1")
        rulebook, clause = match.groups()
        found[rulebook] = (*found.get(rulebook, ()), clause)
    return found


def cited(clauses: Mapping[str, Iterable[str]]) -> str:
    """Clauses as they are cited; the inverse of `citations`.

    >>> cited({"F": ("IV",), "P": ("3.1", "5.3")})
    'F-IV P3.1 P5.3'
    """
    return " ".join(
        f"{rulebook}{clause}" if clause[0].isdigit() else f"{rulebook}-{clause}"
        for rulebook, of_it in clauses.items()
        for clause in of_it
    )


def _spec(entry: Mapping[str, Any]) -> CheckSpec:
    plain = dict(entry)
    how = plain.pop("how").split("+")
    lists: dict[str, Any] = {
        key: tuple(plain.pop(key, ()))
        for key in ("lines", "signers", "kinds", "tiers", "environments")
    }
    clauses = citations(plain.pop("cites"))
    return CheckSpec(automatic="A" in how, signed="S" in how, clauses=clauses, **lists, **plain)


def _rulebook(id: str, entry: Mapping[str, Any]) -> Rulebook:
    return Rulebook(id=id, **(dict(entry) | {"version": str(entry["version"])}))
