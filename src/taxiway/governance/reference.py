"""The catalogue for people: what one check asks for, and the page with all of them."""

from __future__ import annotations

from typing import Any

from taxiway.core.check import CheckSpec
from taxiway.core.moves import ENVIRONMENTS
from taxiway.governance.catalogue import STAGES, cited, find_check, load_catalogue, load_rulebooks
from taxiway.governance.checks import RULES
from taxiway.governance.policies import TIERS, policy_for

NEEDS = {rule.check: rule.needs for rule in RULES}

INTRODUCTION = """\
# The checks

<!-- Written by taxiway.governance.reference from governance/catalogue.yaml; a test compares. -->

A check goes from evidence to a verdict. Those marked A are judged from evidence, those marked S are
signed by a person, and A+S is judged and then signed. A check without evidence never passes. What
is not built yet says so, and blocks wherever the policy asks for it.

The clauses are those that a check's evidence serves. They say where to look, not that a rule is
complied with.
"""


def explain(id: str) -> dict[str, Any]:
    """Everything about one check, as plain data. Raises `MissingError` with the close match."""
    spec = find_check(id)
    rulebooks = load_rulebooks()
    return {
        "check": spec.id,
        "title": spec.title,
        "stage": spec.stage,
        "lines": list(spec.lines),
        "how": how(spec),
        "built": not spec.automatic or spec.id in NEEDS,
        "explain": spec.explain,
        "evidence": list(NEEDS.get(spec.id, ())),
        "signers": list(spec.signing_roles) if spec.signed else [],
        "applies": applies(spec),
        "can_deviate": spec.can_deviate,
        "required_for": _required_for(spec.id),
        "clauses": [
            {
                "clause": cited({book: (clause,)}),
                "title": rulebooks[book].clauses[clause],
                "rulebook": rulebooks[book].name,
                "version": rulebooks[book].version,
                "in_force_from": rulebooks[book].in_force_from.isoformat(),
            }
            for book, clauses in spec.clauses.items()
            for clause in clauses
        ],
    }


def how(spec: CheckSpec) -> str:
    """Whether it is judged, signed, or both.

    >>> how(find_check("CH-02"))
    'A+S'
    """
    return "+".join(letter for letter, so in (("A", spec.automatic), ("S", spec.signed)) if so)


def applies(spec: CheckSpec) -> str:
    """Where a check applies, in words.

    >>> applies(find_check("DP-06"))
    'where so: llm'
    """
    parts = [
        f"{what} {', '.join(values)}"
        for what, values in (
            ("kinds", spec.kinds),
            ("tiers", spec.tiers),
            ("environments", spec.environments),
        )
        if values
    ]
    return "; ".join([*parts, *([f"where so: {spec.when}"] if spec.when else [])]) or "everywhere"


def reference_page() -> str:
    """docs/reference/checks.md."""
    parts = [INTRODUCTION]
    for stage in STAGES:
        parts.append(f"## {stage.capitalize()}\n")
        parts += [_section(spec) for spec in load_catalogue() if spec.stage == stage]
    parts += ["## What is required\n", _required(), "## Rulebooks\n", _rulebooks()]
    return "\n".join(parts)


def _section(spec: CheckSpec) -> str:
    lines = "/".join(str(line) for line in spec.lines)
    facts = [f"{how(spec)}, line {lines}", cited(spec.clauses)]
    if spec.signed:
        facts.append(f"signed by {' or '.join(spec.signing_roles)}")
    if applies(spec) != "everywhere":
        facts.append(applies(spec))
    if not spec.can_deviate:
        facts.append("no deviation")
    if spec.automatic and spec.id not in NEEDS:
        facts.append("not built yet")
    return f"### {spec.id} {spec.title}\n\n{' · '.join(facts)}\n\n{spec.explain.strip()}\n"


def _required_for(id: str) -> list[str]:
    """Environments and tiers that ask for a check, such as `prod/low`."""
    return [
        f"{environment}/{tier}"
        for environment in ENVIRONMENTS
        for tier in TIERS
        if id in policy_for(environment, tier).required
    ]


def _required() -> str:
    """A table: check by environment and tier."""
    columns = [(environment, tier) for environment in ENVIRONMENTS for tier in TIERS]
    head = " | ".join(f"{environment} {tier}" for environment, tier in columns)
    rows = [f"| check | {head} |", "|---" * (len(columns) + 1) + "|"]
    for spec in load_catalogue():
        marks = ("x" if spec.id in policy_for(*column).required else " " for column in columns)
        rows.append(f"| {spec.id} | {' | '.join(marks)} |")
    return "\n".join(rows) + "\n"


def _rulebooks() -> str:
    sections = []
    for book in load_rulebooks().values():
        facts = [f"version {book.version}", f"in force from {book.in_force_from}"]
        if book.superseded_by:
            facts.append(f"superseded by {book.superseded_by} on {book.superseded_on}")
        clauses = "\n".join(
            f"- {cited({book.id: (clause,)})}: {title}" for clause, title in book.clauses.items()
        )
        note = f"{book.note}\n\n" if book.note else ""
        sections.append(f"### {book.id}: {book.name}\n\n{', '.join(facts)}\n\n{note}{clauses}\n")
    return "\n".join(sections)
