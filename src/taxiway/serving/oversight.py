"""Oversight: which answers a person decides on, as the charter that a release was made under says.

An answer is marked before it is logged, so that a case is as durable as its decision, and in the
same transaction. What marks it is a function of the record, the answer and the release alone:
endpoint, batch and replay come to the same, also where it is chance.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any

from taxiway.core.artefact import Artefact, Overseen
from taxiway.core.condition import Condition, read_condition
from taxiway.core.contract import Contract
from taxiway.core.decision import SAMPLE, Decision
from taxiway.core.kind import KINDS

Row = Mapping[str, Any]
Output = dict[str, Any]


def overseen(charter: Row, contract: Contract, release: str) -> Overseen | None:
    """The oversight of a charter (plain data), for a release with this digest; None for none.

    Rules are read here, once. Raises `InputError` if one can't be.
    """
    oversight = charter["oversight"]
    rules, sample = oversight.get("review", ()), oversight.get("sample", 0.0)
    if not rules and not sample:
        return None
    said = KINDS[charter["kind"]].output
    types = {**{column.name: column.type for column in contract.columns}, **said}
    read = [(rule["name"], read_condition(rule["when"], types)) for rule in rules]
    named = {name for _, condition in read for name in condition.columns if name not in said}
    return Overseen(
        columns=tuple(name for name in contract.names if name in named),
        because=_because(read, said, _drawn(release, contract, sample)),
    )


def marked(
    artefact: Artefact, records: Sequence[Row], outputs: Sequence[Output]
) -> Sequence[Output]:
    """Outputs for validated records, those that a person has to decide on with the reason."""
    if artefact.oversight is None:
        return outputs
    because = artefact.oversight.because
    return [
        {**output, "review": {"because": list(rules)}} if rules else output
        for output, rules in (
            (output, because(record, output))
            for record, output in zip(records, outputs, strict=True)
        )
    ]


def marked_again(
    artefact: Artefact, decisions: Sequence[Decision], outputs: Sequence[Output]
) -> Sequence[Output]:
    """New outputs for logged decisions, marked as they would be now.

    Where the log withholds columns, the mark stays as it was: nobody can draw it again.
    """
    if not any(decision.withheld for decision in decisions):
        return marked(artefact, [decision.inputs for decision in decisions], outputs)
    return [
        {**output, **({"review": decision.output["review"]} if decision.because else {})}
        if decision.withheld
        else marked(artefact, [decision.inputs], [output])[0]
        for decision, output in zip(decisions, outputs, strict=True)
    ]


def _because(
    rules: Sequence[tuple[str, Condition]], said: Collection[str], drawn: Callable[[Row], bool]
) -> Callable[[Row, Row], Sequence[str]]:
    asked = [(name, _asked(condition, said)) for name, condition in rules]

    def because(record: Row, output: Row) -> Sequence[str]:
        found = [name for name, holds in asked if holds(record, output)]
        return found or ([SAMPLE] if drawn(record) else ())

    return because


def _asked(condition: Condition, said: Collection[str]) -> Callable[[Row, Row], bool | None]:
    """A condition over a record and its output; the two become one row only where it needs both."""
    holds, named = condition.holds, set(condition.columns)
    if named <= set(said):
        return lambda _, output: holds(output)
    if named.isdisjoint(said):
        return lambda record, _: holds(record)
    return lambda record, output: holds({**record, **{name: output[name] for name in said}})


def _drawn(release: str, contract: Contract, share: float) -> Callable[[Row], bool]:
    """Whether chance draws a record: the same for the same release, key and time, wherever it is.

    Its digest is even over [0, 1). Each release and each event draws anew, so that nobody is always
    looked at, and nobody never.
    """
    if share <= 0:
        return lambda _: False
    values = itemgetter(*dict.fromkeys([contract.event_time, *contract.key]))
    below = int(share * 2**64)
    begun = hashlib.blake2b(release.encode(), digest_size=8)

    def drawn(record: Row) -> bool:
        digest = begun.copy()
        digest.update(str(values(record)).encode())
        return int.from_bytes(digest.digest(), "big") < below

    return drawn
