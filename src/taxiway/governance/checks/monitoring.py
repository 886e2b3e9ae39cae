"""Checks of the monitoring: its plan, and what the newest windows found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from taxiway.core.check import Case, Status
from taxiway.core.evidence import DRIFT, OVERSIGHT, PERFORMANCE, PLAN
from taxiway.governance.checks.reading import MalformedError, Reading, listed
from taxiway.governance.checks.rule import Answer, evidence_of

PLAN_ANSWERS = (
    "window",
    "label_delay",
    "minimum_rows",
    "drift_effect",
    "false_discovery_rate",
    "maximum_drop",
    "escalation",
)

SAMPLE = "Say in taxiway.yaml how large it is: `oversight.sample`."
DAYS_FOR_CASES = 2
"""`oversight.answer_within` of a charter that does not say it."""


def plan(case: Case) -> Answer:
    """MO-01: windows, limits and escalation are decided, and somebody can stop the model."""
    reading = evidence_of(case, PLAN)
    monitoring, oversight = reading.record("found.monitoring"), reading.record("found.oversight")
    missing = [answer for answer in PLAN_ANSWERS if not monitoring.answered(answer)]
    missing += [f"oversight.{a}" for a in ("who", "stop") if not oversight.answered(a)]
    problems = [f"the plan of monitoring lacks {listed(missing)}"] if missing else []
    window = "" if missing else monitoring.text("window")
    return Answer(
        problems,
        f"each {window} is looked at; escalation: {monitoring.values.get('escalation')}",
        found=f"{len(PLAN_ANSWERS) + 2 - len(missing)} answers",
        required=", ".join(PLAN_ANSWERS),
        todo="Complete `monitoring` and `oversight` in taxiway.yaml, then `taxiway plan`.",
    )


def drift(case: Case) -> Answer:
    """MO-02: nothing drifted in the newest closed window."""
    reading = evidence_of(case, DRIFT)
    drifted = reading.texts("found.drifted")
    output = reading.record("found.output").text("verdict")
    compared = len(reading.records("found.columns"))
    least = reading.number("required.minimum_rows")
    rows, window = reading.evidence.examined, _window(reading)
    required = f"0 from {least:,.0f} rows on"
    if reading.flag("found.insufficient") or rows < least:
        return _too_little(f"{rows:,} decisions {window} are too few to tell", required)
    problems = [f"{window} these drifted: {listed(drifted)}"] if drifted else []
    if output != "same":
        problems.append(f"the answers {window}: {output}")
    if not compared:
        problems.append("no column was compared")
    return Answer(
        problems,
        f"{compared} columns and the answers {window} are like the reference",
        found=f"{len(drifted)} of {compared} columns drifted, output {output}",
        required=required,
        todo="`taxiway watch` shows the columns; `taxiway retrain` if performance fell as well.",
    )


def performance(case: Case) -> Answer:
    """MO-03: the newest window with labels is within the limits, for all groups."""
    reading = evidence_of(case, PERFORMANCE)
    verdict, window = reading.text("found.verdict"), _window(reading)
    least = reading.number("required.minimum_rows")
    behind = [
        f"{group.text('column')}={group.values.get('value')}"
        for group in reading.records("found.fairness")
        if group.text("verdict") != "ok"
    ]
    rows = reading.evidence.examined
    if verdict == "insufficient data" or rows < least:
        return _too_little(
            f"{rows:,} outcomes {window} are too few to tell", f"{least:,.0f} outcomes"
        )
    metric, value = reading.text("found.metric"), reading.number("found.value")
    problems = [] if verdict == "ok" else [f"{metric} {value:.4f} {window}: {verdict}"]
    if behind:
        problems.append(f"groups fell behind {window}: {listed(behind)}")
    return Answer(
        problems,
        f"{metric} {value:.4f} {window}, from {rows:,} outcomes",
        found=f"{metric} {value:.4f}, {verdict}",
        required=f"bar {reading.number('required.bar'):.4f}, drop at most"
        f" {reading.number('required.maximum_drop'):.4f}",
        todo="`taxiway watch` shows the window, `taxiway retrain` makes a challenger.",
    )


def oversight(case: Case) -> Answer:
    """MO-04: people look at answers that chance draws, in time, and don't see them otherwise."""
    reading = evidence_of(case, OVERSIGHT)
    cases, in_time = reading.number("found.cases"), reading.number("found.in_time")
    drawn, window = reading.record("found.agreement"), _window(reading)
    verdict, least = reading.text("found.verdict"), reading.number("required.in_time")
    required = f"a sample of all answers, {least:.0%} of the cases in time"
    if not reading.number("required.sample"):
        return _too_little("the charter draws no sample of all answers", required, SAMPLE)
    if verdict == "insufficient data" or not drawn.number("cases"):
        why = f"people decided no case that chance drew {window}"
        return _too_little(why, required, "Decide the cases in time: taxiway cases list.")
    rate = reading.number("found.override_rate")
    agreed = (
        f"{drawn.number('value'):.0%} ({drawn.number('low'):.0%} to {drawn.number('high'):.0%})"
    )
    problems = [] if verdict == "ok" else [f"{reading.text('found.why')} {window}"]
    return Answer(
        problems,
        f"{in_time:,.0f} of {cases:,.0f} cases were decided in time {window}; people agreed with"
        f" {agreed} of those that chance drew",
        found=f"{in_time:,.0f} of {cases:,.0f} in time, {rate:.0%} overridden, {agreed} agreed",
        required=required,
        todo="`taxiway cases list` shows what waits; disagreement asks for a look at the model.",
    )


def before_first(kind: str) -> Callable[[Case], str | None]:
    """Why a check of windows does not apply yet: not deployed, or the first window is not over."""

    def reason(case: Case) -> str | None:
        if not case.deployed:
            return f"it does not run in {case.environment} yet"
        if kind in case.evidence or case.deployed_at is None:
            return None
        try:
            closes = _first_closing(case, case.deployed_at, kind)
        except (MalformedError, ValueError, OverflowError):
            return None
        return None if closes <= case.now else f"the first window closes on {closes:%Y-%m-%d}"

    return reason


def _first_closing(case: Case, deployed_at: datetime, kind: str) -> datetime:
    """When the window that the deployment fell into is over, and its labels or cases are due."""
    monitoring = evidence_of(case, PLAN).record("found.monitoring")
    day = deployed_at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    length = monitoring.text("window")
    if length == "day":
        end = day + timedelta(days=1)
    elif length == "week":
        end = day + timedelta(days=7 - day.weekday())
    elif length == "month":
        end = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    else:
        raise MalformedError(f"{length} is no window")
    if kind == PERFORMANCE:
        return end + timedelta(days=int(monitoring.text("label_delay").removesuffix("d")))
    if kind == OVERSIGHT:
        within = str(evidence_of(case, PLAN).record("found.oversight").values.get("answer_within"))
        amount = int(within[:-1]) if within != "None" else DAYS_FOR_CASES
        return end + timedelta(**{"hours" if within.endswith("h") else "days": amount})
    return end


def _window(reading: Reading) -> str:
    """From when to when, in words; the end is not in it."""
    start, end = (reading.text(f"found.window_{side}")[:10] for side in ("start", "end"))
    return f"from {start} to before {end}"


WAIT = "Wait for the next window; `monitoring.window` in taxiway.yaml may be too short."


def _too_little(why: str, required: str, todo: str = WAIT) -> Answer:
    return Answer(
        [why],
        "",
        found="insufficient data",
        required=required,
        todo=todo,
        status=Status.NO_EVIDENCE,
    )
