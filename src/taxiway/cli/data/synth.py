"""`taxiway data synth`: made-up rows, from a contract alone or like given data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from taxiway.cli import options, screen
from taxiway.cli.data.rows import asked_of_table

if TYPE_CHECKING:
    from taxiway.bootstrap.data.rows import Asked
    from taxiway.bootstrap.data.synth import Made


@click.command()
@asked_of_table
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="The .parquet or .csv file to write.",
)
@click.option(
    "--rows",
    type=click.IntRange(min=1),
    help="How many rows to make (default: 1,000, or as many as the key leaves room for).",
)
@click.option(
    "--seed", type=int, default=0, show_default=True, help="The same seed, the same rows."
)
@click.option("--overwrite", is_flag=True, help="Replace OUT if it is there.")
@options.as_json
def synth(
    *, asked: Asked, out: Path, rows: int | None, seed: int, overwrite: bool, as_json: bool
) -> None:
    """Make up rows that keep a contract: like SOURCE, or without it whatever the contract allows.

    The rows are marked as synthetic for ever: what is trained on them stays out of production. Like
    SOURCE means its distributions and how columns depend on each other; values of fewer than five
    rows don't come back, and the distance to the nearest real row is reported.

    \b
    Example: taxiway data synth --out first.parquet --rows 10000
             taxiway data synth customers.csv --out like.csv --seed 7
    """
    from taxiway.bootstrap.data.synth import synth as make

    with screen.steps() as step:
        made = make(asked, out, rows=rows, seed=seed, overwrite=overwrite, step=step)
    if as_json:
        screen.show_json(made.found())
    else:
        _show(made)


def _show(made: Made) -> None:
    screen.say(f"{made.rows:,} synthetic rows and {made.columns} columns in {made.out}.")
    like = made.likeness
    if like is None:
        screen.say("They keep the contract, and are like nothing else.")
        _note(made)
        return
    worst = sorted(like.marginals.items(), key=lambda item: -item[1])[:3]
    screen.table(
        ["beside the rows of " + made.like, "is"],
        [
            ["columns that differ most", ", ".join(f"{n} {v:.1%}" for n, v in worst)],
            [
                "rank correlations differ by",
                f"{like.dependence:.3f} (mean), {like.dependence_worst:.3f} (most)",
            ],
            [
                "rows equal to a real one",
                f"{like.copies} (among real ones: {like.copies_by_chance})",
            ],
            [
                "distance to the nearest real row",
                f"{like.nearest:.4f} (5 %; among real ones: {like.nearest_real:.4f})",
            ],
        ],
    )
    if made.protected:
        rarest = sum(made.protected.values())
        screen.say(
            f"{rarest:,} values of {len(made.protected)} columns are too rare to come back, or"
            " name somebody."
        )
    if not like.keeps_apart:
        screen.say(
            "Warning: synthetic rows lie nearer to real ones than real ones to each other; don't"
            " give them to people who may not see the data."
        )
    _note(made)


def _note(made: Made) -> None:
    for note in made.notes:
        screen.say(f"Note: {note}.")
