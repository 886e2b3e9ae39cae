"""From a relation of two columns to a finding: in plain words, with its evidence and a mapping."""

from __future__ import annotations

from typing import Any

import numpy as np

from taxiway.data.mapping import Mapped
from taxiway.data.reconcile.between import Between, sure
from taxiway.data.reconcile.codings import coding_of
from taxiway.data.reconcile.finding import Finding
from taxiway.data.reconcile.laws import Law
from taxiway.data.reconcile.relation import Relation
from taxiway.data.reconcile.sentinels import told_sentinel
from taxiway.data.reconcile.spelling import respelled
from taxiway.data.reconcile.views import View
from taxiway.data.reconcile.wording import clock_in_words, coding_in_words, law_in_words, titled

EPOCHS = {1e6: "s", 1e3: "ms", 1.0: "us", 1e-3: "ns", 86_400e6: "d"}
"""Microseconds of a unit -> its name."""


def told(between: Between, x: View, y: View, found: Relation) -> list[Finding]:
    """What a relation of two columns of the same name amounts to: findings, or none."""
    findings = [told_sentinel(between, x, y, one) for one in found.sentinels]
    tell = TELL.get(found.name)
    return findings + ([tell(between, x, y, found)] if tell else [])


def told_synonym(between: Between, x: View, y: View, found: Relation) -> Finding:
    """Two columns of other names that say the same."""
    steps = steps_of(between, x, y, found)
    how = "" if found.name == "same" else f", {how_of(between, x, y, found)}"
    says = (
        f"{y.name} of {between.right.name} seems to be {x.name} of {between.left.name} by another"
        f" name{how}: {found.explained:.1%} of {found.rows:,} matched rows."
    )
    mapping = None
    if steps is not None:
        rename = {"do": "rename", "to": x.name}
        mapping = Mapped(between.right.name, y.column.name, (*steps, rename))
    return between.finding(
        "synonym",
        x.name,
        y.name,
        says,
        confidence=0.95 * sure(found.explained, found.rows),
        evidence=evidence_of(between, x, y, found),
        mapping=mapping,
    )


def steps_of(
    between: Between, x: View, y: View, found: Relation
) -> tuple[dict[str, Any], ...] | None:
    """What makes the right column say what the left one says; None if nothing does."""
    if found.name in {"same", "precision"}:
        return ()
    if found.law and not found.law.noisy and found.name == "law":
        if x.is_time or y.is_time:
            unit = EPOCHS.get(found.law.factor) if x.is_time and not found.law.offset else None
            return ({"do": "epoch", "unit": unit},) if unit else None
        return (law_step(found.law),)
    if found.name == "spelling":
        how = respelled(x.said, y.said)
        return ({"do": "spell", "as": how},) if how else _word_by_word(between, x, y)
    if found.name == "coding" and found.coding and not found.detail.get("backward"):
        hidden = between.hides(x.name, y.name)
        return None if hidden else ({"do": "recode", "table": dict(found.coding.table)},)
    if found.name == "clock":
        return _clock_steps(found)
    return None


def _word_by_word(between: Between, x: View, y: View) -> tuple[dict[str, Any], ...] | None:
    """A table of words, where no rule spells one column's as the other's."""
    coding = None if between.hides(x.name, y.name) else coding_of(x, y)
    return ({"do": "recode", "table": dict(coding.table)},) if coding else None


def law_step(law: Law) -> dict[str, Any]:
    """A law as the step of a mapping."""
    step: dict[str, Any] = {"do": "law", "factor": law.factor, "offset": law.offset}
    return step | ({"function": law.function} if law.function else {})


def _clock_steps(found: Relation) -> tuple[dict[str, Any], ...] | None:
    clock = found.clock
    if clock is None:
        return None
    if clock.period:
        if len(clock.offsets) > 1:
            return None
        step = {"do": "wrap", "offset": clock.offsets[0], "period": clock.period}
        return (step | ({"least": 1} if found.detail.get("least") else {}),)
    if clock.place.startswith("-"):
        return ({"do": "zone", "from": clock.place[1:], "to": "UTC"},)
    if clock.place:
        return ({"do": "zone", "from": "UTC", "to": clock.place},)
    return ({"do": "hours", "hours": clock.offsets[0]},) if len(clock.offsets) == 1 else None


def how_of(between: Between, x: View, y: View, found: Relation) -> str:
    """How one column follows from the other, in words."""
    if found.law:
        return law_in_words(found.law)
    if found.coding:
        return "in other words" if between.hides(x.name, y.name) else coding_in_words(found)
    if found.clock:
        return clock_in_words(found)
    return f"spelled otherwise ({', '.join(found.steps) or 'case'})"


def evidence_of(between: Between, x: View, y: View, found: Relation) -> dict[str, Any]:
    """What was seen, without a person's values."""
    seen: dict[str, Any] = {
        "rows": found.rows,
        "explained": round(found.explained, 4),
        "equal": round(found.equal, 4),
    }
    if found.law:
        seen |= {
            "factor": found.law.factor,
            "offset": found.law.offset,
            "function": found.law.function,
            "spread": float(f"{found.law.spread:.3g}"),
        }
    if found.clock:
        seen |= {"offsets": list(found.clock.offsets), "place": found.clock.place}
    if found.coding:
        seen |= {"codes": len(found.coding.table), "one_to_one": found.coding.both_ways}
    if found.name in {"related", "unrelated", "differs"}:
        seen["dependence"] = round(found.dependence, 3)
    plain = x.is_numeric and y.is_numeric and not (x.is_time or y.is_time)
    if plain and not between.hides(x.name, y.name):
        seen["medians"] = [float(f"{np.nanmedian(v.floats):.6g}") for v in (x, y)]
    return seen


def _ending(found: Relation) -> str:
    return f"{found.explained:.1%} of {found.rows:,} matched rows"


def _of_law(between: Between, x: View, y: View, found: Relation) -> Finding:
    if x.is_time or y.is_time:
        return _of_epoch(between, x, y, found)
    spread = f", spread {found.law.spread:.2%}" if found.law else ""
    says = (
        f"{titled(between, x, y)} differ by a unit: {how_of(between, x, y, found)};"
        f" {_ending(found)}{spread}."
    )
    return _settled("unit", between, x, y, found, says)


def _of_epoch(between: Between, x: View, y: View, found: Relation) -> Finding:
    counts, factor = (y, found.law.factor) if x.is_time and found.law else (x, 0.0)
    unit = EPOCHS.get(factor) or EPOCHS.get(1 / found.law.factor if found.law else 0.0)
    says = (
        f"{titled(between, x, y)} are times on one side and numbers on the other:"
        f" {counts.name} counts {f'since 1970, in {unit}' if unit else 'from another moment'};"
        f" {_ending(found)}."
    )
    return _settled("clock", between, x, y, found, says)


def _settled(kind: str, between: Between, x: View, y: View, found: Relation, says: str) -> Finding:
    steps = steps_of(between, x, y, found)
    mapping = Mapped(between.right.name, y.column.name, steps) if steps else None
    return between.finding(
        kind,
        x.name,
        y.name,
        says,
        confidence=sure(found.explained, found.rows),
        evidence=evidence_of(between, x, y, found),
        mapping=mapping,
    )


def _of_mixed(between: Between, x: View, y: View, found: Relation) -> Finding:
    says = (
        f"{titled(between, x, y)} agree in some rows, and in {found.detail['share']:.1%} of"
        f" {found.rows:,} they differ by a unit: {how_of(between, x, y, found)}. The data"
        " have to be corrected at their source."
    )
    return between.finding(
        "mixed",
        x.name,
        y.name,
        says,
        confidence=sure(found.explained, found.rows),
        evidence=evidence_of(between, x, y, found) | {"share": round(found.detail["share"], 4)},
        mapping=None,
    )


def _of_coding(between: Between, x: View, y: View, found: Relation) -> Finding:
    says = (
        f"{titled(between, x, y)} say the same in other words: {how_of(between, x, y, found)};"
        f" {_ending(found)}."
    )
    finding = _settled("coding", between, x, y, found, says)
    if found.coding and found.detail.get("backward") and not between.hides(x.name, y.name):
        table = {"do": "recode", "table": dict(found.coding.table)}
        back = Mapped(between.left.name, x.column.name, (table,))
        return between.finding(
            "coding",
            x.name,
            y.name,
            says,
            confidence=sure(found.explained, found.rows),
            evidence=finding.evidence,
            mapping=back,
        )
    return finding


def _of_spelling(between: Between, x: View, y: View, found: Relation) -> Finding:
    says = (
        f"{titled(between, x, y)} are {how_of(between, x, y, found)}; {_ending(found)} are the"
        " same without regard to it."
    )
    return _settled("spelling", between, x, y, found, says)


def _of_clock(between: Between, x: View, y: View, found: Relation) -> Finding:
    says = (
        f"{titled(between, x, y)} follow another clock: {how_of(between, x, y, found)};"
        f" {_ending(found)}."
    )
    return _settled("clock", between, x, y, found, says)


def _of_differing(between: Between, x: View, y: View, found: Relation) -> Finding:
    law = found.law
    if (law and abs(np.log(abs(law.factor))) > max(np.log(1.25), 3 * law.spread)) or (
        law and law.factor < 0
    ):
        says = (
            f"{titled(between, x, y)} differ by a unit, about: {law_in_words(law)}, with a spread"
            f" of {law.spread:.1%} over {law.rows:,} matched rows."
        )
        mapping = Mapped(between.right.name, y.column.name, (law_step(law),))
        confidence = 0.8 * sure(found.explained, found.rows)
        kind, chosen = "unit", mapping
    else:
        about = f" by {law.spread:.1%}, about" if law and found.equal < 0.5 else ""
        says = (
            f"{titled(between, x, y)} agree in {found.equal:.1%} of {found.rows:,} matched rows,"
            f" and differ in the others{about}."
        )
        kind, chosen = "differs", None
        confidence = min(0.95, 1 - 0.5 ** (found.rows * (1 - found.equal) / 2))
    return between.finding(
        kind,
        x.name,
        y.name,
        says,
        confidence=confidence,
        evidence=evidence_of(between, x, y, found),
        mapping=chosen,
    )


def _of_meaning(between: Between, x: View, y: View, found: Relation) -> Finding:
    tie = (
        f"they are related ({found.dependence:.2f}), but no unit and no coding explains it"
        if found.name == "related"
        else "nothing ties them together"
    )
    says = (
        f"{titled(between, x, y)} mean something else: {found.equal:.1%} of {found.rows:,} matched"
        f" rows agree, and {tie}."
    )
    to = f"{_stem(between.right.name)}_{y.name}"
    return between.finding(
        "meaning",
        x.name,
        y.name,
        says,
        confidence=sure(1 - found.equal, found.rows) * (0.8 if found.name == "related" else 1.0),
        evidence=evidence_of(between, x, y, found),
        mapping=Mapped(between.right.name, y.column.name, ({"do": "rename", "to": to},)),
    )


def _stem(name: str) -> str:
    """A table's name as the beginning of a column's."""
    first = name.rsplit("/", 1)[-1].split(".", 1)[0]
    return "".join(c if c.isalnum() else "_" for c in first) or "other"


TELL = {
    "law": _of_law,
    "mixed": _of_mixed,
    "coding": _of_coding,
    "spelling": _of_spelling,
    "clock": _of_clock,
    "differs": _of_differing,
    "related": _of_meaning,
    "unrelated": _of_meaning,
}
"""What a relation is -> how it is told; the others are no finding."""
