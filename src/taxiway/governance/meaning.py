"""Meaning: what people decided about findings of `data reconcile`, and what still waits.

A finding is open until somebody with the role signs what is to become of it. The signature is bound
to the contents of the finding and to what the two tables are said to hold: when one of them
changes, it is void, and the finding is open again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any

from taxiway.core.contract import Contract
from taxiway.core.errors import InputError, MissingError, Problem
from taxiway.core.evidence import MEANING, RECONCILIATION, Evidence, observed
from taxiway.core.people import Person, Resolution
from taxiway.core.ports import Desk, Record, Verify
from taxiway.governance.people import require_active
from taxiway.governance.signing import signed_by

ROLES = ("owner",)
LONGEST_REASON = 2000

Plain = Mapping[str, Any]


def findings_of(record: Record, model: str) -> dict[str, Plain]:
    """The findings of each two tables as last reconciled, by their id, as plain data."""
    return {
        finding["id"]: {**finding, "own": evidence.found.get("own")}
        for pair, evidence in reconciled(record, model).items()
        for finding in evidence.found["findings"]
        if frozenset((finding["left"]["table"], finding["right"]["table"])) == pair
    }


def reconciled(record: Record, model: str) -> dict[frozenset[str], Evidence]:
    """Two tables -> the newest evidence in which they were held against one another."""
    return {
        frozenset(pair): evidence
        for evidence in record.find(Evidence, subject=model, kind=RECONCILIATION)
        for pair in combinations(evidence.found["tables"], 2)
    }


def find_finding(record: Record, model: str, id: str) -> Plain:
    """A finding by its id, or the beginning of it. Raises `MissingError`."""
    known = findings_of(record, model)
    found = [finding for name, finding in known.items() if id and name.startswith(id)]
    if len(found) != 1:
        raise MissingError.named(
            f"finding of {model}",
            id,
            known,
            todo="`taxiway data reconcile A B --as NAME` writes findings to the record.",
        )
    return found[0]


def resolve(
    desk: Desk,
    model: str,
    finding: Plain,
    *,
    decision: str,
    mapping: Plain | None,
    reason: str,
    dry_run: bool = False,
) -> Resolution:
    """The actor signs what becomes of a finding: its proposed mapping, another one, or nothing.

    Raises `RefusedError` for whoever may not, `InputError` where there is nothing to accept.
    """
    actor = desk.acting(*ROLES, to="settle what columns mean")
    person = require_active(desk, actor)
    problems = _problems(finding, decision, mapping, reason)
    if problems:
        raise InputError(f"Finding {finding['id']} can't be settled so.", problems)
    chosen = {"accept": finding["mapping"], "map": mapping, "reject": None}[decision]
    names = dict.fromkeys((finding["left"]["table"], finding["right"]["table"]))
    unsigned = Resolution(
        id=desk.new_id(),
        model=model,
        finding=finding["id"],
        content=finding["content"],
        decision=decision,
        says=finding["says"],
        mapping=dict(chosen) if chosen else None,
        tables=dict(zip(names, finding["contracts"], strict=True)),
        reason=reason.strip(),
        person=person.id,
        at=desk.now(),
        signature="",
    )
    if dry_run:
        return unsigned
    signed = signed_by(desk, actor, person, unsigned)
    with desk.change("meaning.resolved", signed.finding, model=model) as change:
        change.add(signed)
        change.digest = signed.content
        change.details = {
            "resolution": signed.id,
            "decision": decision,
            "says": signed.says,
            "mapping": signed.mapping,
            "reason": signed.reason,
        }
    return signed


def _problems(finding: Plain, decision: str, mapping: Plain | None, reason: str) -> list[Problem]:
    problems = []
    if not reason.strip() or len(reason) > LONGEST_REASON:
        problems.append(
            Problem(
                f"a reason of 1 to {LONGEST_REASON} characters is missing",
                todo='Add --reason "...".',
            )
        )
    if decision == "accept" and finding["mapping"] is None:
        problems.append(
            Problem(
                "no mapping is proposed, so there is nothing to accept",
                todo="Correct the data at their source and reconcile again, name a mapping with"
                " --map, or --reject the finding.",
            )
        )
    if decision == "map" and mapping is None:
        problems.append(Problem("no mapping is given", todo="Name it: --map scale=0.01."))
    return problems


def resolutions(record: Record, verify: Verify, model: str) -> dict[str, tuple[Resolution, str]]:
    """Finding -> its newest resolution, and why that is void by itself; empty text if it holds."""
    people = {person.id: person for person in record.find(Person)}
    return {
        one.finding: (one, _why_void(one, people.get(one.person), verify))
        for one in record.find(Resolution, model=model)
    }


def _why_void(one: Resolution, person: Person | None, verify: Verify) -> str:
    if person is None:
        return "nobody of that name is known"
    if not verify(person.public_key, one.payload(), one.signature):
        return "the signature does not fit what is written there"
    if person.removed_at is not None:
        return f"{person.id} was removed on {person.removed_at:%Y-%m-%d}"
    return "" if set(person.roles) & set(ROLES) else f"{person.id} has no role for it"


def why_open(finding: Plain, found: tuple[Resolution, str] | None, contract: str | None) -> str:
    """Why a finding is open; empty text if it is settled. `contract` is the digest of the contract
    that the model's own source is held against now."""
    if found is None:
        return "nobody has settled it"
    one, void = found
    if void:
        return f"the resolution of {one.person} is void: {void}"
    if one.content != finding["content"]:
        return f"the resolution of {one.person} is void: the finding changed"
    own = finding.get("own")
    if contract and own in one.tables and one.tables[own] != contract:
        return f"the resolution of {one.person} is void: the contract of {own} changed"
    return ""


def unsettled(record: Record, verify: Verify, model: str) -> list[Plain]:
    """The findings that nobody has settled, or whose resolution does not hold any more."""
    signed = resolutions(record, verify, model)
    known = findings_of(record, model)
    return [one for name, one in known.items() if why_open(one, signed.get(name), None)]


def meaning_evidence(desk: Desk, model: str, contract: Contract, *, release: str) -> Evidence:
    """Whether columns mean what is written, as of now."""
    held = reconciled(desk.record, model)
    known = findings_of(desk.record, model)
    signed = resolutions(desk.record, desk.verify, model)
    why = {name: why_open(one, signed.get(name), contract.digest) for name, one in known.items()}
    return observed(
        MEANING,
        id=desk.new_id(),
        subject=release,
        model=model,
        examined=len(contract.columns),
        found={
            "undescribed": list(_undescribed(contract)),
            "reconciliations": len(held),
            "tables": sorted({name for pair in held for name in pair}),
            "findings": len(known),
            "open": [
                {
                    "id": name,
                    "kind": known[name]["kind"],
                    "says": known[name]["says"],
                    "why": reason,
                }
                for name, reason in why.items()
                if reason
            ],
            "resolved": [
                {"id": name, "decision": one.decision, "by": one.person, "says": one.says}
                for name, (one, _) in signed.items()
                if not why.get(name, "it was not found again")
            ],
        },
        at=desk.now(),
        by="system",
    )


def _undescribed(contract: Contract) -> Iterable[str]:
    return (
        column.name
        for column in contract.columns
        if not (column.description.strip() or getattr(column, "meaning", None))
    )
