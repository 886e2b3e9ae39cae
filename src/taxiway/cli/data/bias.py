"""`taxiway data bias`: who is in the data, and which columns stand in for a protected one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from taxiway.cli import options, screen
from taxiway.cli.data.rows import TARGET, asked_of_table, say_notes

if TYPE_CHECKING:
    from taxiway.bootstrap.data.rows import Asked
    from taxiway.data.bias.examined import Bias

SHOWN = 40
"""Groups that are shown; the others are in the JSON."""


@click.command()
@asked_of_table
@TARGET
@click.option("--protected", multiple=True, help="A protected column; repeat it.")
@click.option(
    "--minimum-rows",
    type=click.IntRange(min=2),
    default=100,
    show_default=True,
    help="Rows with a label below which a group is too small to tell.",
)
@click.option("--no-models", is_flag=True, help="Train nothing: look at each column alone.")
@options.as_json
def bias(
    *,
    asked: Asked,
    protected: tuple[str, ...],
    minimum_rows: int,
    no_models: bool,
    as_json: bool,
) -> None:
    """Examine SOURCE for bias: groups, their base rates, and proxies of protected columns.

    \b
    Example: taxiway data bias loans.csv --target approved --protected sex --protected race
    """
    from taxiway.bootstrap.data.people import bias as examine

    with screen.steps() as step:
        found, rows = examine(
            asked,
            protected,
            minimum_rows=minimum_rows,
            models=not no_models,
            step=step,
        )
    if as_json:
        screen.show_json({"source": rows.called, "notes": rows.notes, **found.found()})
        return
    _show(found)
    screen.say(
        f"{found.rows:,} rows of {rows.called}, {found.labelled:,} with a label: groups of"
        f" {', '.join(found.protected)}."
    )
    say_notes(rows)


def _show(found: Bias) -> None:
    screen.table(
        ["group", "rows", "share", "rate", "95 %", ""],
        [
            [
                ", ".join(f"{c}={v}" for c, v in zip(one.columns, one.values, strict=True)),
                f"{one.rows:,}",
                f"{one.share:.1%}",
                f"{one.rate.value:.3f}" if one.rate else "",
                f"{one.rate.low:.3f} to {one.rate.high:.3f}" if one.rate else "",
                "too few rows" if one.small else "",
            ]
            for one in found.groups[:SHOWN]
        ],
        title="Groups",
    )
    if len(found.groups) > SHOWN:
        screen.say(f"... and {len(found.groups) - SHOWN} more groups (see --json).")
    screen.say()
    for one in found.disparities:
        screen.say(
            f"{one.column}: {one.low} has {one.ratio.value:.2f} of the rate of {one.high}"
            f" ({one.ratio.low:.2f} to {one.ratio.high:.2f}, p {one.p_value:.2g})"
            + (", less than four fifths" if one.tells else "")
            + "."
        )
    for told in found.proxies:
        whole = told.together
        if whole is not None:
            screen.say(
                f"The other columns together tell {told.protected}={told.tells} with a ROC AUC of"
                f" {whole.value:.3f} ({whole.low:.3f} to {whole.high:.3f})."
            )
        for proxy in told.standing_in:
            screen.say(
                f"{proxy.column} alone tells {told.protected}={proxy.tells} with"
                f" {proxy.auc.value:.3f}: it stands in for it."
            )
