"""`taxiway watch`."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from taxiway.cli import options, screen
from taxiway.core import evidence as kinds

if TYPE_CHECKING:
    from taxiway.monitoring.closing import Closing
    from taxiway.monitoring.watch import Watched


@click.command()
@click.argument("model", required=False)
@options.serving_environment
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    help="The moment to look from, in UTC (default: now).",
)
@options.acting
@options.dry_run
@options.as_json
@click.pass_context
def watch(
    ctx: click.Context,
    *,
    model: str | None,
    environment: str,
    as_of: datetime | None,
    actor: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Close the windows that are due: drift, performance, value, alerts.

    Ends with 1 if something was found or if labels are overdue, with 0 if not.

    \b
    Example: taxiway watch flight-delays --env prod --as-of 2013-04-02
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open(actor=actor) as workspace:
        watched = workspace.watch(
            model=model,
            environment=environment,
            as_of=as_of.replace(tzinfo=UTC) if as_of else None,
            dry_run=dry_run,
        )
    if as_json:
        screen.show_json(dataclasses.asdict(watched) | {"clear": watched.clear})
    else:
        _show(watched)
    ctx.exit(0 if watched.clear else 1)


def _show(watched: Watched) -> None:
    for closing in watched.windows:
        screen.table(
            ["what", "found", "held against", "verdict"],
            [row for one in closing.evidence for row in ROWS[one.kind](one.found, one.required)],
            title=f"{closing.window}, {closing.release}: {closing.decisions:,} decisions",
        )
        _show_calls(closing)
        screen.say()
    for one in watched.overseen:
        span = f"{one.found['window_start'][:10]} to before {one.found['window_end'][:10]}"
        screen.table(
            ["what", "found", "held against", "verdict"],
            _oversight_rows(one.found, one.required),
            title=f"{span}, {one.subject}: {one.found['cases']:,} cases",
        )
        screen.say()
    for window in watched.overdue:
        screen.say(
            f"The labels of {window} are due and none has arrived: taxiway outcomes add FILE"
        )
    if not watched.windows and not watched.overseen:
        screen.say(f"No window of {watched.model} in {watched.environment} is due.")
    if watched.next_due:
        screen.say(f"The next one is due on {watched.next_due:%Y-%m-%d}.")
    if watched.dry_run and (watched.windows or watched.overseen):
        screen.say("Nothing was written: this was a dry run.")


def _show_calls(closing: Closing) -> None:
    what = {finding.id: finding.what for finding in closing.findings}
    for alert in closing.alerts:
        screen.say(f"Call {alert.person} ({alert.owner} owner): {what[alert.finding]}.")
    if not closing.findings:
        screen.say("Nothing was found.")
    elif not closing.alerts:
        screen.say("Nobody is called: drift alone has no consequence here.")


Found = dict[str, Any]
Rows = list[list[str]]


def _drift_rows(found: Found, required: Found) -> Rows:
    limit = f"effect {required['effect']:g}, adjusted p {required['false_discovery_rate']:g}"
    if found["insufficient"]:
        least = f"at least {required['minimum_rows']} decisions"
        return [["inputs", "too few decisions", least, found["output"]["verdict"]]]
    shown = [one for one in found["columns"] if one["name"] in found["drifted"]]
    shown.sort(key=lambda one: -one["effect"])
    rows = [_drift_row(one["name"], one, limit) for one in shown]
    calm = len(found["columns"]) - len(shown)
    if calm:
        largest = max((one["effect"] for one in found["columns"] if one not in shown), default=0.0)
        calm_ones = f"{calm} other columns" if shown else f"{calm} columns"
        rows.append([calm_ones, f"effect up to {largest:.3f}", limit, "same"])
    return [*rows, _drift_row("output", found["output"], limit)]


def _drift_row(name: str, one: Found, limit: str) -> list[str]:
    return [name, f"effect {one['effect']:.3f}, p {one['p_value']:.2g}", limit, one["verdict"]]


def _performance_rows(found: Found, required: Found) -> Rows:
    against = []
    if found["reference"] is not None:
        against.append(f"holdout {found['reference']:.3f}, drop up to {required['maximum_drop']:g}")
    if found["bar"] is not None:
        against.append(f"bar {found['bar']:g}")
    known = f"{found['outcomes']:,} of {found['decisions']:,} outcomes"
    rows = [["outcomes", known, f"at least {required['minimum_rows']:,}", ""]]
    if found["value"] is None:
        return [*rows, [found["metric"], found["why"], ", ".join(against), found["verdict"]]]
    value = f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})"
    rows.append([found["metric"], value, ", ".join(against), found["verdict"]])
    for group in found["fairness"]:
        value = f"{group['metric']:.3f} ({group['low']:.3f} to {group['high']:.3f})"
        subject = f"{group['column']}={group['value']}"
        rows.append([subject, value, f"all {found['value']:.3f}", group["verdict"]])
    return rows


def _value_rows(found: Found, _required: Found) -> Rows:
    currency = found["currency"]
    return [
        [
            "value",
            f"{found['realised']:,.0f} {currency}",
            f"{found['promised']:,.0f} {currency} promised",
            found["verdict"],
        ]
    ]


def _oversight_rows(found: Found, required: Found) -> Rows:
    share, drawn = found["share_in_time"], found["agreement"]
    rows = [
        [
            "cases in time",
            f"{found['in_time']:,} of {found['cases']:,}" + (f", {share:.1%}" if share else ""),
            f"at least {required['in_time']:.0%} within {required['answer_within']}",
            found["verdict"],
        ],
        ["overridden", f"{found['overridden']:,} of {found['decided']:,} decided", "", ""],
    ]
    if drawn["value"] is not None:
        low, high = drawn["low"], drawn["high"]
        bar = required["agreement_at_least"]
        agreed = f"{drawn['value']:.1%} ({low:.1%} to {high:.1%})"
        rows.append(["agreed, by chance", agreed, "" if bar is None else f"at least {bar:.0%}", ""])
    if found["kept"] or found["waiting"]:
        timed_out = f"{found['kept']:,} kept, {found['waiting']:,} wait for an owner"
        rows.append(["timed out", timed_out, "", ""])
    return rows


ROWS = {
    kinds.DRIFT: _drift_rows,
    kinds.PERFORMANCE: _performance_rows,
    kinds.VALUE: _value_rows,
}
"""Kind of evidence -> its rows on the screen."""
