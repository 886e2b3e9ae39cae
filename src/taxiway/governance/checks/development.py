"""Checks of the development: code, rerun, leaks, bar, groups and explanations."""

from __future__ import annotations

from taxiway.core.check import Case
from taxiway.core.evidence import (
    CODE,
    EXPLANATIONS,
    INDEPENDENCE,
    LEAKAGE,
    METRICS,
    RERUN,
    SLICES,
    TRAPS,
)
from taxiway.core.kind import LOWER_IS_BETTER
from taxiway.governance.checks.features import of_their_time
from taxiway.governance.checks.handed import handoff, todo
from taxiway.governance.checks.reading import listed
from taxiway.governance.checks.rule import Answer, evidence_of


def code(case: Case) -> Answer:
    """DV-01: committed, from a known template, and accepted by somebody other than the author."""
    reading = evidence_of(case, CODE)
    author = evidence_of(case, INDEPENDENCE).text("found.author")
    commit = reading.text("found.commit") if reading.has("found.commit") else ""
    problems = []
    if not commit:
        problems.append("the code is in no commit")
    if reading.flag("found.dirty"):
        problems.append("the code was changed after its commit")
    if not reading.has("found.template_version"):
        problems.append("the template that the project came from is not known")
    committed = not problems
    wrong, by = handoff(case, "release")
    if wrong:
        problems.append(wrong)
    elif by == author:
        problems.append(f"{author} accepted the own release")
    return Answer(
        problems,
        f"commit {commit[:12]}, accepted by {by}",
        found=commit[:12] or "no commit",
        required="a clean commit, a template version, an accepted release handoff",
        todo=todo("release") if committed else "Commit everything, then `taxiway train` again.",
    )


def rerun(case: Case) -> Answer:
    """DV-02: the second fit predicts the same."""
    reading = evidence_of(case, RERUN)
    identical = reading.flag("found.identical")
    differing = reading.count("found.differing_predictions")
    rows = reading.evidence.examined
    problems = []
    if not identical or differing:
        problems.append(
            f"a second fit gave other results, in {differing:,} of {rows:,} predictions"
        )
    return Answer(
        problems,
        f"a second fit gave the same {rows:,} predictions",
        found=f"{differing:,} predictions differ",
        required="0",
        todo="Pass the seed to everything that draws by chance in model.py, then `taxiway train`.",
    )


def leaks(case: Case) -> Answer:
    """DV-03: nothing that is read is known only later, and train and holdout are apart."""
    reading = evidence_of(case, LEAKAGE)
    read = reading.texts("found.columns_read")
    late = [
        f"{column.text('column')} (known at {column.text('known_at')})"
        for column in reading.records("found.late")
    ]
    target = reading.texts("found.target_columns")
    overlap = reading.count("found.split_overlap_rows")
    strongest = reading.record("found.strongest")
    value, below = strongest.number("value"), reading.number("required.strongest_below")
    moment = reading.text("found.decision_at")
    traps = [
        one.text("says")
        for one in evidence_of(case, TRAPS).records("found.leaks")
        if one.text("severity") == "blocks"
    ]
    problems = of_their_time(case)
    if not read:
        problems.append("the features read no column")
    if late:
        problems.append(f"the features read what is not known at {moment}: {listed(late)}")
    if target:
        problems.append(f"the features read the target's own columns: {listed(target)}")
    if overlap:
        problems.append(f"{overlap:,} rows are on both sides of the split")
    if not reading.flag("found.time_ordered"):
        problems.append("the holdout is not later than the training rows")
    if value >= below:
        problems.append(
            f"{strongest.text('column')} alone reaches {strongest.text('metric')} {value:.3f}: too"
            " good to be known beforehand"
        )
    if traps:
        problems.append(f"the features hold what they must not: {listed(traps)}")
    return Answer(
        problems,
        f"the {len(read)} columns that are read are all known at {moment}",
        found=f"{len(late) + len(target) + len(traps)} leaks, strongest {value:.3f}",
        required=f"0, below {below:.3f}",
        todo="Take the named columns out of `features` in model.py, then `taxiway train`.",
    )


def bar(case: Case) -> Answer:
    """DV-04: reaches the bar, and beats a simple and a trivial model by more than chance."""
    reading = evidence_of(case, METRICS)
    metric, least = reading.text("required.metric"), reading.number("required.bar")
    model = reading.record(f"found.model.{metric}")
    trivial = reading.record(f"found.trivial.{metric}").number("value")
    value, low, high = (model.number(key) for key in ("value", "low", "high"))
    gain = reading.record("found.gain")
    gain_low, gained = gain.number("low"), gain.number("value")
    lower = metric in LOWER_IS_BETTER
    reached = value <= least if lower else value >= least
    problems = []
    if not reached:
        problems.append(f"{metric} {value:.4f} does not reach the bar of {least:.4f}")
    if gain_low <= 0:
        problems.append(
            f"better than the simple model by {gained:+.4f}, which may be chance (from"
            f" {gain_low:+.4f})"
        )
    if (high >= trivial) if lower else (low <= trivial):
        problems.append(f"not surely better than the trivial model's {trivial:.4f}")
    return Answer(
        problems,
        f"{gained:+.4f} better than the simple model, at least {gain_low:+.4f}",
        found=f"{metric} {value:.4f} ({low:.4f} to {high:.4f})",
        required=f"{'at most' if lower else 'at least'} {least:.4f}, better than both baselines",
        todo="Improve the model, release the simple one, or agree on the bar in taxiway.yaml.",
    )


def groups(case: Case) -> Answer:
    """DV-05: the worst group is within the limit, and protected groups were looked at."""
    reading = evidence_of(case, SLICES)
    looked = reading.records("found.slices")
    protected = reading.texts("found.protected")
    limit = reading.number("required.maximum_gap")
    seen = {part.text("column") for part in looked if part.flag("protected")}
    unseen = [column for column in protected if column not in seen]
    problems = []
    if not looked:
        problems.append("no group was large enough to be looked at")
    if unseen:
        problems.append(f"no protected group of {listed(unseen)} could be looked at")
    if not protected and not (
        reading.has("found.protected_reason") and reading.text("found.protected_reason")
    ):
        problems.append("no protected group is named, and no reason why there is none")
    gap, worst = 0.0, "none"
    if looked:
        of = reading.record("found.worst")
        gap, worst = of.number("gap"), f"{of.text('column')}={of.values.get('value')}"
    if gap > limit:
        problems.append(f"{worst} lies {gap:.3f} behind the whole")
    return Answer(
        problems,
        f"of {len(looked)} groups {worst} lies furthest behind",
        found=f"gap {gap:.3f} ({worst})",
        required=f"at most {limit:.3f}",
        todo="Look at that group's rows; see `training.slices` and `no_protected_because` in"
        " taxiway.yaml.",
    )


def reasons(case: Case) -> Answer:
    """DV-06: importance is stable, and decisions come with reasons."""
    reading = evidence_of(case, EXPLANATIONS)
    stability, least = reading.number("found.stability"), reading.number("required.stability")
    leading = [reason.text("reason") for reason in reading.records("found.reason_codes")]
    problems = []
    if stability < least:
        problems.append("the order of the columns changes from one half of the data to the other")
    if not leading:
        problems.append("no decision came with a reason")
    return Answer(
        problems,
        f"columns keep their order; the leading reasons are {listed(leading)}",
        found=f"rank correlation {stability:.3f}, {len(leading)} reasons",
        required=f"at least {least:.3f}, with reasons",
        todo="See which columns change places; `deployment.reason_codes` in taxiway.yaml.",
    )
