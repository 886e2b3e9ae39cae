"""`taxiway score` and `taxiway replay`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from taxiway.cli import options, screen
from taxiway.core.digest import utc_text
from taxiway.core.errors import shortened

if TYPE_CHECKING:
    from taxiway.serving.replay import Replayed


@click.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--model", help="The model (default: the project's, or the only one).")
@options.serving_environment
@click.option("--overwrite", is_flag=True, help="Replace OUT if it is there.")
@options.dry_run
@options.as_json
def score(
    *,
    source: Path,
    out: Path,
    model: str | None,
    environment: str,
    overwrite: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Score a CSV or Parquet file with the champion, along the same path as the endpoint.

    Every row is held against the contract first, and every decision is in the log before OUT is
    written.

    \b
    Example: taxiway score schedule.parquet scores.parquet --env prod
    """
    from taxiway.bootstrap import Workspace

    began = time.perf_counter()
    with Workspace.open() as workspace, screen.progress("Deciding") as advance:
        done = workspace.score(
            source,
            out,
            model=model,
            environment=environment,
            overwrite=overwrite,
            dry_run=dry_run,
            on_rows=advance,
        )
    if as_json:
        screen.show_json(done)
        return
    if dry_run:
        screen.say(f"Would decide on {done['rows']:,} rows with {done['release']}.")
        return
    seconds = time.perf_counter() - began
    screen.say(
        f"{done['release']} decided on {done['rows']:,} rows, {done['positive']:,} of them yes, in"
        f" {seconds:.1f} s. All are in the log, and in {out}."
    )


@click.command()
@click.argument("decision")
@options.as_json
@click.pass_context
def replay(ctx: click.Context, decision: str, as_json: bool) -> None:
    """Make a logged decision again from its release and inputs, and compare to the bit.

    Ends with 1 if the answer is another one.

    \b
    Example: taxiway replay 01k9x7q2m5v8
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open() as workspace:
        replayed = workspace.replay(decision)
    if as_json:
        screen.show_json(
            {
                "equal": replayed.equal,
                "decision": replayed.decision,
                "logged": replayed.decision.output,
                "replayed": replayed.output,
            }
        )
    else:
        _show(replayed)
    ctx.exit(0 if replayed.equal else 1)


def _show(replayed: Replayed) -> None:
    made, logged = replayed.decision, replayed.decision.output
    screen.say(
        f"Decision {made.id} of {made.release} in {made.environment}, {utc_text(made.at)}, over"
        f" {made.channel}"
    )
    screen.table(
        ["input", "value"], [[name, shortened(value, 60)] for name, value in made.inputs.items()]
    )
    screen.table(
        ["output", "logged", "made again"],
        [
            [name, shown(logged[name]), shown(replayed.output[name])]
            for name in ("prediction", "probability", "reasons")
        ],
    )
    screen.say("The same to the bit." if replayed.equal else "NOT the same.")


def shown(value: object) -> str:
    """An output's value for a cell; reasons as their columns with the effect.

    >>> shown([{"column": "carrier", "effect": 0.125}])
    'carrier +0.125'
    """
    if isinstance(value, list):
        return ", ".join(f"{one['column']} {one['effect']:+.3f}" for one in value)
    return repr(value)
