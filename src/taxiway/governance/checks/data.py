"""Checks of the data: where they come from, whether they keep their contract, whether they are
like production's, and whom they speak of."""

from __future__ import annotations

from taxiway.core.check import Case
from taxiway.core.evidence import (
    BIAS,
    EXPLANATIONS,
    LIKENESS,
    MEANING,
    PRIVACY,
    PROVENANCE,
    VALIDATION,
)
from taxiway.governance.checks.handed import handoff, todo
from taxiway.governance.checks.reading import listed
from taxiway.governance.checks.rule import Answer, evidence_of


def provenance(case: Case) -> Answer:
    """DA-01: source and labels are known, and from qa on the data were handed over."""
    reading = evidence_of(case, PROVENANCE)
    source = reading.text("found.source")
    reading.text("found.source_digest")
    labelled = reading.count("found.label.rows")
    problems = [] if labelled else ["no row has a label"]
    if case.environment == "prod" and reading.has("found.synthetic"):
        problems.append("the data are synthetic: what is trained on them stays out of prod")
    taken = ""
    if case.environment != "dev":
        wrong, by = handoff(case, "data")
        problems += [wrong] if wrong else []
        taken = f", accepted by {by}"
    return Answer(
        problems,
        f"{reading.evidence.examined:,} rows of {source}{taken}",
        found=f"{labelled:,} rows with a label",
        required="labels, and from qa on an accepted data handoff",
        todo="Take a snapshot of real data, and train on that."
        if reading.has("found.synthetic")
        else todo("data", "SNAPSHOT")
        if labelled
        else "Correct the target's definition in taxiway.yaml.",
    )


def invariants(case: Case) -> Answer:
    """DA-02: no row breaks a rule of the contract."""
    reading = evidence_of(case, VALIDATION)
    failed = reading.count("found.failed_rows")
    rules = [
        f"{rule.text('column')} {rule.text('rule')}" for rule in reading.records("found.failures")
    ]
    columns = reading.count("found.columns")
    problems = []
    if failed:
        problems.append(f"{failed:,} rows break the contract: {listed(rules)}")
    elif rules:
        problems.append(f"the contract is broken: {listed(rules)}")
    if not columns:
        problems.append("no column was looked at")
    return Answer(
        problems,
        f"{reading.evidence.examined:,} rows keep the rules of {columns} columns",
        found=f"{failed:,} rows that break a rule",
        required="0",
        todo="`taxiway data check` shows the rules with sample rows.",
    )


def meanings(case: Case) -> Answer:
    """DA-03: every column is described, and no finding of another meaning is open."""
    reading = evidence_of(case, MEANING)
    bare = reading.texts("found.undescribed")
    unsettled = [f"{one.text('id')} {one.text('says')}" for one in reading.records("found.open")]
    columns, findings = reading.evidence.examined, reading.count("found.findings")
    compared = reading.texts("found.tables")
    problems = [f"nothing says what {listed(bare)} means"] if bare else []
    if unsettled:
        problems.append(f"{len(unsettled)} findings are open: {listed(unsettled)}")
    beside = f", held against {listed(compared)}" if compared else ""
    return Answer(
        problems,
        f"{columns} columns are described; {findings} findings are settled{beside}",
        found=f"{len(bare)} columns without a meaning, {len(unsettled)} findings open",
        required="0 and 0",
        todo="Describe the columns in the contract."
        if bare
        else '`taxiway data resolve FINDING --accept --reason "..."`, or --reject, or --map.',
    )


def likeness(case: Case) -> Answer:
    """DA-04: no input is distributed otherwise in training than in production's sample."""
    reading = evidence_of(case, LIKENESS)
    different = reading.texts("found.different")
    compared = len(reading.records("found.columns"))
    rows, least = reading.evidence.examined, reading.number("required.minimum_rows")
    problems = [f"training differs from production in {listed(different)}"] if different else []
    if not compared:
        problems.append("no column was compared")
    if rows < least:
        problems.append(f"{rows:,} rows of production are too few to tell; {least:,.0f} are needed")
    return Answer(
        problems,
        f"{compared} columns are alike in training and in {rows:,} rows of production",
        found=f"{len(different)} of {compared} columns differ",
        required=f"0, from {least:,.0f} rows on",
        todo="Compare the named columns in `taxiway data show` with what production sends.",
    )


def bias(case: Case) -> Answer:
    """DA-05: groups of people were examined; no protected column stands unmarked in the data."""
    reading = evidence_of(case, BIAS)
    protected = reading.texts("found.protected")
    unmarked = reading.texts("found.unmarked")
    telling = [
        f"{one.text('column')} ({one.text('low')} against {one.text('high')})"
        for one in reading.records("found.disparities")
        if one.flag("tells")
    ]
    small = reading.texts("found.small")
    problems = []
    if unmarked:
        problems.append(f"protected, and not examined: {listed(unmarked)}")
    reason = reading.text("found.reason") if reading.has("found.reason") else ""
    if not protected and not reason:
        problems.append("no protected group is named, and no reason why there is none")
    looked = f"groups of {listed(protected)}" if protected else reason
    return Answer(
        problems,
        f"{reading.evidence.examined:,} rows examined: {looked}"
        + (f"; base rates differ by {listed(telling)}" if telling else "")
        + (f"; too few rows to tell: {listed(small)}" if small else ""),
        found=f"{len(telling)} disparities, {len(small)} small groups",
        required="every protected column examined, or a reason why there is none",
        todo="Mark it `protected` in the contract and name it in `training.protected`, then"
        " `taxiway train`. `taxiway data bias` shows the groups.",
    )


def privacy(case: Case) -> Answer:
    """DA-06: the features read nothing that is banned, or stands in for it, and nothing harms."""
    reading = evidence_of(case, PRIVACY)
    read = set(reading.texts("found.read"))
    personal = reading.records("found.personal")
    unmarked = [
        f"{one.text('column')} ({one.text('kind')})"
        for one in personal
        if one.text("confidence") == "sure" and not one.flag("marked")
    ]
    banned = [
        one.text("column")
        for one in (*personal, *reading.records("found.protected"))
        if one.flag("marked") and one.text("column") in read
    ]
    proxies = [
        f"{column} for {one.text('protected')}"
        for one in evidence_of(case, BIAS).records("found.proxies")
        for column in one.texts("standing_in")
        if column in read
    ]
    harmful = [
        one.text("column")
        for one in evidence_of(case, EXPLANATIONS).records("found.importance")
        if one.number("high") < 0
    ]
    problems = []
    if unmarked:
        problems.append(f"personal data that the contract does not mark: {listed(unmarked)}")
    if banned:
        problems.append(f"the features read what is personal or protected: {listed(banned)}")
    if proxies:
        problems.append(
            f"the features read what stands in for a protected column: {listed(proxies)}"
        )
    if harmful:
        problems.append(f"the model is better without {listed(harmful)}")
    return Answer(
        problems,
        f"none of the {len(read)} columns that are read is banned or stands in for one that is",
        found=f"{len(unmarked) + len(banned) + len(proxies) + len(harmful)} columns",
        required="0",
        todo="`taxiway data privacy`, `bias` and `benefit` show why; mark it in the contract, or"
        " take it out of `features`.",
    )
