"""The plan: everything that a charter answers, contradicts or leaves open, in one record."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from taxiway.charter.life import Step, life_of
from taxiway.charter.reading import CharterFile
from taxiway.charter.remark import BEFORE, Remark
from taxiway.charter.rules import applied
from taxiway.charter.tier import computed_tier, tier_of, traits
from taxiway.core.charter import Owners
from taxiway.core.contract import Contract
from taxiway.core.document import Document
from taxiway.core.errors import Problem, RefusedError
from taxiway.core.operation import Retraining
from taxiway.core.people import Person


@dataclass(frozen=True, slots=True)
class Plan:
    """What a charter says, and what it does not say yet.

    `tier` is the one that holds; it and `computed_tier` are None until the risk answers are there.
    """

    model: str
    kind: str | None
    charter_digest: str | None
    """None while the charter is incomplete."""
    tier: str | None
    computed_tier: str | None
    tier_reasons: tuple[str, ...]
    traits: frozenset[str]
    owners: dict[str, str]
    steps: tuple[Step, ...]
    remarks: tuple[Remark, ...]
    answers: int
    recorded: bool = False
    """Whether this plan is the one in the record."""

    @property
    def errors(self) -> tuple[Remark, ...]:
        return self._of("error")

    @property
    def missing(self) -> tuple[Remark, ...]:
        return self._of("missing")

    @property
    def advice(self) -> tuple[Remark, ...]:
        return self._of("advice")

    @property
    def clear(self) -> bool:
        """Whether nothing contradicts and nothing is missing, on the whole way to production."""
        return not self.errors and not self.missing

    def stopping(self, before: str) -> tuple[Remark, ...]:
        """What has to be settled before training, or before an environment (see `BEFORE`)."""
        due = BEFORE[: BEFORE.index(before) + 1]
        return (*self.errors, *(r for r in self.missing if r.before in due))

    def require(self, before: str = "training") -> None:
        """Raises `RefusedError` with all that stands in the way of training or an environment."""
        stopping = self.stopping(before)
        if stopping:
            way = "be trained" if before == "training" else f"go to {before}"
            raise RefusedError(
                f"{self.model} can't {way}: its charter leaves {len(stopping)} points open.",
                [remark.problem for remark in stopping],
                todo="See `taxiway plan`.",
            )

    def _of(self, severity: str) -> tuple[Remark, ...]:
        return tuple(remark for remark in self.remarks if remark.severity == severity)


def make_plan(
    file: CharterFile,
    *,
    contract: Contract | None,
    today: date,
    exists: Callable[[str], bool],
    contract_problems: Iterable[Problem] = (),
    people: Sequence[Person] | None = None,
) -> Plan:
    """The plan of a charter beside its contract, the project's files and the workspace's people.

    `contract` is None where it is missing or can't be read, which `contract_problems` then says;
    `exists` tells whether a file is there, relative to the charter; `people` is None where no
    workspace is known.
    """
    sections = file.sections
    known = {**sections, "contract": contract, "people": people, "today": today, "exists": exists}
    remarks = [_placed(remark, file.document) for remark in applied(known)]
    remarks += [Remark("error", problem) for problem in contract_problems]
    remarks += file.remarks
    owners = _owners(sections.get("owners"))
    retraining = sections.get("retraining") or Retraining()
    tier, computed, reasons = _tier(file)
    return Plan(
        model=str(sections.get("name", file.document.data.get("name", "this model"))),
        kind=sections.get("kind"),
        charter_digest=file.charter.digest if file.charter else None,
        tier=tier,
        computed_tier=computed,
        tier_reasons=reasons,
        traits=traits(file.charter) if file.charter else frozenset(),
        owners=owners,
        steps=life_of(owners, retraining.decided_by),
        remarks=tuple(sorted(remarks, key=_order(file.document))),
        answers=file.answers,
    )


def _tier(file: CharterFile) -> tuple[str | None, str | None, tuple[str, ...]]:
    if file.charter is not None:
        computed, _ = computed_tier(file.charter.risk, file.charter.value)
        tier, reasons = tier_of(file.charter)
        return tier, computed, reasons
    if "risk" in file.sections and "value" in file.sections:
        computed, reasons = computed_tier(file.sections["risk"], file.sections["value"])
        return None, computed, reasons
    return None, None, ()


def _owners(owners: Owners | None) -> dict[str, str]:
    return owners.model_dump(exclude_none=True) if owners else {}


def _placed(remark: Remark, document: Document) -> Remark:
    place = tuple(int(step) if str(step).isdigit() else step for step in remark.place)
    problem = dataclasses.replace(remark.problem, where=document.where(place))
    return dataclasses.replace(remark, problem=problem, place=place)


def _order(document: Document) -> Callable[[Remark], tuple[int, int]]:
    """By severity, then by line; what has no line in this document keeps its order."""

    def key(remark: Remark) -> tuple[int, int]:
        severity = ("error", "missing", "advice").index(remark.severity)
        where = remark.problem.where or ""
        line = where.removeprefix(f"{document.name}:").partition(" ")[0]
        return severity, int(line) if line.isdigit() else 0

    return key
