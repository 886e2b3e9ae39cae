"""`taxiway train`."""

from __future__ import annotations

from pathlib import Path

import click

from taxiway.cli import options, screen


@click.command()
@click.option("--snapshot", help="Digest of the snapshot (default: the model's newest one).")
@options.project
@options.acting
@options.dry_run
@options.as_json
def train(
    snapshot: str | None, project: Path | None, actor: str | None, dry_run: bool, as_json: bool
) -> None:
    """Train a candidate and package it as a signed release.

    Splits by time, fits, compares with two baselines, measures what the features read, explains,
    fits a second time, and writes all of it down as evidence.

    \b
    Example: taxiway train --as flights-developer
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open(actor=actor) as workspace, screen.progress("train", 6) as advance:
        trained = workspace.train(
            project, snapshot=snapshot, dry_run=dry_run, step=lambda _: advance(1)
        )
    if as_json:
        screen.show_json(trained)
        return
    if dry_run:
        screen.say(f"Would train {trained['model']} on snapshot {trained['snapshot']}.")
        return
    metrics = trained["metrics"]
    primary, since = metrics["primary"], metrics["holdout_from"][:10]
    screen.say(f"Release {trained['release']}, trained on {metrics['train_rows']:,} rows")
    screen.table(
        ["who", primary, "95 % interval"],
        [
            [who, f"{of['value']:.4f}", f"{of['low']:.4f} to {of['high']:.4f}"]
            for who in ("model", "simple", "trivial")
            for of in [metrics[who][primary]]
        ],
        title=f"On the newest {trained['holdout_rows']:,} rows, from {since}",
    )
    for line in trained["warnings"]:
        screen.say(f"! {line}")
    screen.say(f"Next: taxiway check {trained['release']} --for dev")
