"""What other checks ask of features that were joined as of their own time, where there are any."""

from __future__ import annotations

from taxiway.core.check import Case
from taxiway.core.evidence import FEATURE_PARITY, FEATURES, PROVENANCE
from taxiway.governance.checks.reading import listed
from taxiway.governance.checks.rule import evidence_of


def of_their_time(case: Case) -> list[str]:
    """Problems with the join, for DV-03: as of a time that is known, and no row lost or added."""
    if FEATURES not in case.evidence:
        return []
    reading = evidence_of(case, FEATURES)
    problems = []
    if not reading.flag("found.time_known"):
        problems.append(
            f"features were joined as of {reading.text('found.time')}, which is known only at"
            f" {reading.text('found.time_known_at')}"
        )
    rows, kept = reading.count("found.rows"), evidence_of(case, PROVENANCE).evidence.examined
    if rows != kept:
        problems.append(f"features were joined to {rows:,} rows, and the snapshot has {kept:,}")
    return problems


def alike_online(case: Case) -> list[str]:
    """Problems with the online store, for DP-03: the same versions, and the same bits."""
    if FEATURES not in case.evidence:
        return []
    if FEATURE_PARITY not in case.evidence:
        return [
            "its features were not compared with the online store: taxiway data features parity"
        ]
    pinned, parity = evidence_of(case, FEATURES), evidence_of(case, FEATURE_PARITY)
    wanted = {(view.text("view"), view.text("digest")) for view in pinned.records("found.views")}
    compared = {(view.text("view"), view.text("digest")) for view in parity.records("found.views")}
    problems = []
    if wanted - compared:
        missing = sorted(view for view, _ in wanted - compared)
        problems.append(f"these versions are not in the online store: {listed(missing)}")
    empty = [v.text("view") for v in parity.records("found.views") if not v.number("rows")]
    if empty:
        problems.append(f"no key was compared of {listed(empty)}")
    differing = parity.count("found.differing")
    if differing:
        examined = parity.evidence.examined
        problems.append(f"{differing:,} of {examined:,} keys are others online than in training")
    return problems
