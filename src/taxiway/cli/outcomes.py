"""`taxiway outcomes`."""

from __future__ import annotations

from pathlib import Path

import click

from taxiway.cli import options, screen


@click.group()
def outcomes() -> None:
    """Join what turned out to be true to the decisions.

    \b
    Example: taxiway outcomes add landed-in-march.parquet --as flights-data
    """


@outcomes.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@options.model
@options.acting
@options.dry_run
@options.as_json
def add(file: Path, model: str | None, actor: str | None, dry_run: bool, as_json: bool) -> None:
    """Add a CSV or Parquet file of outcomes.

    It has the contract's key columns, and the target or the columns that define it. Adding a file
    again changes nothing; an outcome that differs from the known one is refused.

    \b
    Example: taxiway outcomes add landed-in-march.parquet --as flights-data
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open(actor=actor) as workspace:
        joined = workspace.outcomes_add(file, model, dry_run=dry_run)
    if as_json:
        screen.show_json(joined)
        return
    verb = "would be added" if dry_run else "added"
    screen.say(
        f"{joined.added:,} outcomes {verb} for {joined.model}, {joined.known:,} were known;"
        f" {joined.with_label:,} of {joined.rows:,} rows have a label."
    )
    screen.say(
        f"The outcome is known for {joined.coverage:.1%} of {joined.decisions:,} decisions of that"
        " time."
    )
    for says in joined.mapped:
        screen.say(f"Mapped, as it was signed: {says}.")
    if joined.unmatched:
        screen.say(f"{joined.unmatched:,} outcomes belong to no decision so far.")
