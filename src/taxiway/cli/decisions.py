"""`taxiway decisions`: what is in the log, and what leaves it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from taxiway.cli import options, screen
from taxiway.cli.days import FIRST_DAY, LAST_DAY
from taxiway.core.decision import in_a_word
from taxiway.core.errors import shortened

if TYPE_CHECKING:
    from datetime import datetime

    from taxiway.core.decision import Decision
    from taxiway.core.people import Review
    from taxiway.serving.retention import Removal

SHOWN_DAYS = 7

key_option = click.option(
    "--key",
    "key",
    multiple=True,
    metavar="KEY",
    help="The key or a part of it: name=value, once for each column, or a JSON object.",
)
yes_option = click.option(
    "--yes", is_flag=True, help="Do it. Without, it says what would be removed."
)


def into_file(help: str) -> Callable[[options.Command], options.Command]:
    """The options that write into a file what would be listed."""

    def added(command: options.Command) -> options.Command:
        path = click.Path(path_type=Path, dir_okay=False)
        command = click.option(
            "--overwrite", is_flag=True, help="Replace the file if it is there."
        )(command)
        return click.option("--out", metavar="FILE", type=path, help=help)(command)

    return added


class Listing(click.Group):
    """A group that lists, unless one of its commands is named: `decisions --key flight=11`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0].startswith("-") and args[0] not in {"--help", "-h"}):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=Listing)
def decisions() -> None:
    """List and export logged decisions; remove those that are too old, or a person's.

    Without a subcommand it lists: `taxiway decisions --limit 5`.

    \b
    Example: taxiway decisions --model flight-delays --from 2027-03-01 --positive
             taxiway decisions --key flight=11 --key carrier=UA
    """


@decisions.command("list")
@options.model
@options.environment_option(default=None, help="The environment (default: all, rehearsals too).")
@click.option("--release", help="Only those of this release.")
@click.option("--from", "start", type=FIRST_DAY, help="The first day when they happened, in UTC.")
@click.option("--to", "end", type=LAST_DAY, help="The last day when they happened, in UTC.")
@key_option
@click.option("--positive", is_flag=True, help="Only those that said yes.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many of the newest to list.",
)
@into_file("Write all of them, oldest first, into this CSV or Parquet file instead.")
@options.as_json
def list_(
    *,
    model: str | None,
    environment: str | None,
    release: str | None,
    start: datetime | None,
    end: datetime | None,
    key: tuple[str, ...],
    positive: bool,
    limit: int,
    out: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """List logged decisions, or write them into a file; the same as `decisions`.

    The answer is the one that counts: where a person overrode the model, theirs.

    \b
    Example: taxiway decisions list --from 2027-03-01 --to 2027-03-31 --out march.parquet
    """
    from taxiway.bootstrap import Workspace
    from taxiway.bootstrap.decisions import Wanted

    wanted = Wanted(environment, release, start, end, key, positive or None)
    with Workspace.open() as workspace, screen.stages() as begin:
        if out is not None:
            done = workspace.decisions_export(out, model, wanted, overwrite=overwrite, begin=begin)
        else:
            count, found = workspace.decisions_found(model, wanted)
            shown = list(islice(found, limit))
            reviews = workspace.reviews_of(shown)
    if out is not None:
        if as_json:
            screen.show_json(done)
        else:
            screen.say(f"{done['rows']:,} decisions are in {out}.")
    elif as_json:
        listed = [_plain(one, reviews.get(one.id)) for one in shown]
        screen.show_json({"decisions": listed, "of_decisions": count})
    else:
        _show(shown, count, reviews)


def _plain(decision: Decision, review: Review | None) -> dict[str, Any]:
    """A decision; where it is a case, with how that stands and the answer that counts."""
    plain = dataclasses.asdict(decision)
    return plain | {"case": review, "answer": review.answer} if review else plain


def _answer(decision: Decision, review: Review | None) -> str:
    """The answer that counts, and who else than the model had a say in it."""
    model = in_a_word(decision.output)
    if review is None:
        return model
    if review.answer is None:
        return f"{model}, {review.state}"
    return f"{review.answer}, {review.state}" + (f" by {by}" if (by := review.decided_by) else "")


def _show(shown: list[Decision], count: int, reviews: dict[str, Review]) -> None:
    if not shown:
        screen.say("No such decision is in the log.")
        return
    if len(shown) < count:
        screen.say(f"The newest {len(shown):,} of {count:,} decisions (more with --limit):")
    screen.table(
        ["decision", "happened", "release", "where", "key", "answer", "probability"],
        [
            [
                d.id,
                f"{d.happened_at:%Y-%m-%d %H:%M}",
                d.release,
                f"{d.environment} {d.channel}",
                shortened(d.key, 70),
                _answer(d, reviews.get(d.id)),
                screen.probability(d.output),
            ]
            for d in shown
        ],
    )


@decisions.command()
@options.model
@yes_option
@options.acting
@options.as_json
def expire(model: str | None, yes: bool, actor: str | None, as_json: bool) -> None:
    """Remove decisions, with their outcomes, that are older than the charter's retention_days.

    The age of a decision is that of its answer. The ledger tells how many of which days went. Put
    it into the scheduler, with --yes. Files that were exported are not touched.

    \b
    Example: taxiway decisions expire --model flight-delays --yes --as flights-engineer
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open(actor=actor) as workspace:
        removal = workspace.decisions_expire(model, dry_run=not yes)
    if as_json:
        _as_json(removal)
        return
    if not removal.ids:
        screen.say(f"No decision of {removal.model} was made before {removal.before:%Y-%m-%d}.")
        return
    _tell(removal, f"made before {removal.before:%Y-%m-%d %H:%M} UTC")


@decisions.command()
@options.model
@key_option
@click.option(
    "--reason", required=True, help="Why, for the ledger; it must not say whose they are."
)
@yes_option
@options.acting
@options.as_json
def erase(
    *,
    model: str | None,
    key: tuple[str, ...],
    reason: str,
    yes: bool,
    actor: str | None,
    as_json: bool,
) -> None:
    """Remove all decisions and outcomes of a person, found by their key.

    The ledger holds a digest of the key, never the key. Files that were exported or scored, and
    snapshots, are not touched.

    \b
    Example: taxiway decisions erase --key customer=4711 --reason "request 12" --as flights-owner
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open(actor=actor) as workspace:
        removal = workspace.decisions_erase(key, model, reason=reason, dry_run=not yes)
    if as_json:
        _as_json(removal)
    elif not removal.ids and not removal.outcomes:
        screen.say(f"Nothing of {removal.model} has that key.")
    else:
        _tell(removal, "of that key")


@decisions.command()
@click.option("--due", is_flag=True, help="Only what is full or more than a day old.")
@options.dry_run
@options.as_json
def close(*, due: bool, dry_run: bool, as_json: bool) -> None:
    """Move decisions into Parquet files, by model, environment and day of the answer.

    What a running server or batch writes is left to it. A server closes by itself what is full or
    old. Nothing else changes: all of it stays one log.

    \b
    Example: taxiway decisions close
             taxiway decisions close --due --json
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open() as workspace, screen.stages() as begin:
        done = workspace.decisions_close(only_due=due, dry_run=dry_run, begin=begin)
    if as_json:
        screen.show_json(done)
        return
    said = "Would close" if dry_run else "Closed"
    screen.say(f"{said} {done.rows:,} decisions of {done.segments:,} segments.")
    if done.files:
        screen.say(f"They are in {len(done.files):,} Parquet files.")
    for count, why in ((done.in_use, "in use"), (done.waiting, "neither full nor old")):
        if count:
            screen.say(f"{count:,} segments are {why}.")


@decisions.command()
@click.argument("statement", metavar="SELECT")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="How many rows to show.",
)
@into_file("Write all of them into this CSV or Parquet file instead.")
@options.as_json
def sql(*, statement: str, limit: int, out: Path | None, overwrite: bool, as_json: bool) -> None:
    """Ask the log in SQL: one SELECT over `decisions`, and `outcomes` to join by model and key.

    The columns of a record are `inputs.NAME`. Nothing is changed, and memory does not grow with the
    log.

    \b
    Example: taxiway decisions sql "SELECT inputs.carrier, count(*) AS n FROM decisions GROUP BY 1"
             taxiway decisions sql "SELECT * FROM decisions WHERE probability > 0.9" --out high.csv
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open() as workspace:
        found = workspace.decisions_query(statement, out, limit=limit, overwrite=overwrite)
    if out is not None:
        if as_json:
            screen.show_json(found)
        else:
            screen.say(f"{found['rows']:,} rows are in {out}.")
    elif as_json:
        rows = [dict(zip(found["columns"], row, strict=True)) for row in found["rows"]]
        screen.show_json({"rows": rows, "more": found["more"]})
    else:
        screen.table(
            found["columns"], [[shortened(cell, 70) for cell in row] for row in found["rows"]]
        )
        if found["more"]:
            screen.say(f"There are more than {limit:,} rows (more with --limit, all with --out).")


def _as_json(removal: Removal) -> None:
    screen.show_json(
        {
            "model": removal.model,
            "decisions": removal.decisions,
            "outcomes": removal.outcomes,
            "days": removal.days,
            "before": removal.before,
            "digest": removal.digest,
            "done": removal.done,
        }
    )


def _tell(removal: Removal, which: str) -> None:
    days = list(removal.days.items())
    screen.table(["day", "decisions"], [[day, f"{count:,}"] for day, count in days[:SHOWN_DAYS]])
    if len(days) > SHOWN_DAYS:
        screen.say(f"… and {len(days) - SHOWN_DAYS:,} more days")
    outcomes = "their" if removal.outcomes is None else f"{removal.outcomes:,}"
    said = "are removed, with" if removal.done else "would be removed, with"
    screen.say(f"{removal.decisions:,} decisions {which} {said} {outcomes} outcomes.")
    if not removal.done:
        screen.say("Nothing was changed; add --yes to do it.")
