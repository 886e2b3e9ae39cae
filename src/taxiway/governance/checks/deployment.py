"""Checks before a deployment: approval, integrity, rehearsal, decision log."""

from __future__ import annotations

from taxiway.core.check import Case
from taxiway.core.evidence import ACCESS, INDEPENDENCE, INTEGRITY, PARITY, PLAN, REHEARSAL
from taxiway.governance.checks.features import alike_online
from taxiway.governance.checks.handed import handoff, todo
from taxiway.governance.checks.reading import Reading, listed
from taxiway.governance.checks.rule import Answer, evidence_of

LEAST_RETENTION_DAYS = 183
"""Six months. Source: EU AI Act, articles 19 and 26."""


def approval(case: Case) -> Answer:
    """DP-01, what can be judged of it: no approval by the author, and business relies on it.

    The approval itself is the signature that the flight check asks for besides.
    """
    author = evidence_of(case, INDEPENDENCE).text("found.author")
    problems = []
    if any(s.check == "DP-01" and s.person == author for s in case.sign_offs):
        problems.append(f"{author} approved the own release")
    required, taken = "an approver who is not the author", ""
    if case.environment == "prod":
        required += ", and an accepted running handoff"
        wrong, by = handoff(case, "running")
        problems += [wrong] if wrong else []
        taken = f"; {by} accepted to rely on it"
    return Answer(
        problems,
        f"the author {author} is no approver{taken}",
        found=f"author {author}",
        required=required,
        todo=todo("running"),
    )


def integrity(case: Case) -> Answer:
    """DP-02: every digest and the signature hold at this moment."""
    reading = evidence_of(case, INTEGRITY)
    wrong = reading.texts("found.problems")
    signer, components = reading.text("found.signer"), reading.count("found.components")
    problems = [f"not what was signed: {listed(wrong)}"] if wrong else []
    problems += _of_this_release(case, reading)
    if not reading.flag("found.signature_valid"):
        problems.append(f"the signature of {signer} does not hold")
    if reading.flag("found.signer_removed"):
        problems.append(f"its signer {signer} was removed")
    if not components:
        problems.append("the bill of materials is empty")
    return Answer(
        problems,
        f"{reading.evidence.examined} files as signed by {signer}, {components} components",
        found=f"{len(wrong)} problems",
        required="0, a signature that holds, a bill of materials",
        todo="Don't load it. Restore the object store, or `taxiway train` again.",
    )


def rehearsal(case: Case) -> Answer:
    """DP-03: as a real server it answered the same, quickly, without errors, with a way back.

    The same as when it was released, and, where it was compiled, as the estimator that was judged.
    """
    engine, parity_problems = _parity(case)
    reading = evidence_of(case, REHEARSAL)
    p99 = reading.number("found.latency_ms.p99")
    limit = reading.number("required.latency_ms_p99")
    errors, golden = reading.count("found.errors"), reading.count("found.golden_rows")
    problems = _of_this_release(case, reading) + parity_problems + alike_online(case)
    if not golden:
        problems.append("no golden prediction was replayed")
    if not reading.flag("found.golden_equal"):
        problems.append("the golden predictions came out differently")
    if not reading.flag("found.batch_equal"):
        problems.append("rows in a batch came out differently from rows alone")
    if errors:
        problems.append(f"{errors} requests ended in an error")
    if p99 > limit:
        problems.append(f"99 of 100 answers took up to {p99:.1f} ms")
    if not reading.flag("found.rollback.ok"):
        problems.append("the way back did not work")
    return Answer(
        problems,
        f"{reading.evidence.examined:,} requests and {golden} golden predictions answered the same",
        found=f"p99 {p99:.1f} ms, {errors} errors, {engine}",
        required=f"p99 at most {limit:.1f} ms, 0 errors, golden predictions equal, a way back",
        todo="`taxiway rehearse {release}`",
    )


def scope(case: Case) -> Answer:
    """DP-07: who may ask has a key of their own, for a use that the charter permits."""
    reading = evidence_of(case, ACCESS)
    listed_consumers = reading.records("found.consumers")
    beyond = [
        f"{one.text('name')} ({one.text('purpose')})"
        for one in listed_consumers
        if not one.flag("permitted")
    ]
    problems = [f"not for a permitted use: {listed(beyond)}"] if beyond else []
    if not listed_consumers:
        problems.append("nobody may ask")
    return Answer(
        problems,
        f"{len(listed_consumers)} consumers, each for a permitted use; the server refuses others",
        found=f"{len(listed_consumers)} consumers, {len(beyond)} beyond the permitted uses",
        required="a key for each consumer, permitted uses only",
        todo="`taxiway consumers add`, or `taxiway consumers revoke`.",
    )


def _parity(case: Case) -> tuple[str, list[str]]:
    """The engine with its difference and its cost in words, and what is wrong with it."""
    parity = evidence_of(case, PARITY)
    engine, flips = parity.text("found.engine"), parity.count("found.flips")
    apart = parity.number("found.largest_difference")
    allowed = parity.number("required.maximum_difference")
    problems = _of_this_release(case, parity)
    if apart > allowed:
        problems.append(f"engine {engine} differs from the estimator by {apart:.2g}")
    if flips:
        problems.append(f"engine {engine} decides otherwise than the estimator in {flips} rows")
    before, now, made = (
        parity.number(f"found.row_us.{which}") for which in ("original", "engine", "features")
    )
    features = f"after {made:,.0f} for features"
    if engine == "original":
        said = f"engine original at {before:,.0f} µs a row {features}"
    else:
        cost = f"{now:,.0f} µs a row {features}, not {before:,.0f}"
        said = f"engine {engine} within {apart:.1g} at {cost}"
    return f"{said}{_reasons(parity)}", problems


def _reasons(parity: Reading) -> str:
    """How reasons are measured, in words; nothing for a release that was made before it said so."""
    if not parity.has("found.reasons.method"):
        return ""
    method = parity.text("found.reasons.method")
    if parity.has("found.reasons.why"):
        return f"; reasons by {method}: {parity.text('found.reasons.why')}"
    unit, cost = parity.text("found.reasons.unit"), parity.number("found.reasons.row_us")
    return f"; reasons by {method} to the {unit} at {cost:,.0f} µs a row"


def decision_log(case: Case) -> Answer:
    """DP-04: every decision that was asked for is logged, and stays for six months."""
    reading = evidence_of(case, REHEARSAL)
    sent, logged = (reading.count(f"found.decisions_{what}") for what in ("sent", "logged"))
    plan = evidence_of(case, PLAN)
    days = plan.count("found.retention_days")
    buffered = plan.has("found.log") and plan.text("found.log") == "buffered"
    problems = _of_this_release(case, reading)
    if not sent:
        problems.append("no decision was asked for")
    if logged != sent:
        problems.append(f"{sent:,} decisions were asked for, {logged:,} are in the log")
    if days < LEAST_RETENTION_DAYS:
        problems.append(f"decisions are kept for {days} days")
    return Answer(
        problems,
        f"all {sent:,} decisions are in the log, kept for {days} days"
        + ("; buffered: a loss of power may lose those of the last second" if buffered else ""),
        found=f"{logged:,} of {sent:,}, {days} days",
        required=f"all of them, {LEAST_RETENTION_DAYS} days",
        todo="Raise `deployment.retention_days` in taxiway.yaml, or `taxiway rehearse {release}`.",
    )


def _of_this_release(case: Case, reading: Reading) -> list[str]:
    """A problem if the evidence is about other bytes than those that are checked."""
    if reading.text("digests.model") == case.binding.model:
        return []
    return [f"{reading.evidence.kind} is about another artefact than this one"]
