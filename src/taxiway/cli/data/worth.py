"""`taxiway data worth`: which defect to repair first, and what it earns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from taxiway.cli import options, screen
from taxiway.cli.data.rows import LEAVE_OUT, TARGET, asked_of_table, say_notes
from taxiway.core.errors import shortened

if TYPE_CHECKING:
    from taxiway.bootstrap.data.rows import Asked
    from taxiway.core.interval import Interval
    from taxiway.data.worth.earn import Worth


@click.command()
@asked_of_table
@TARGET
@LEAVE_OUT
@click.option("--time", help="The column with a row's time (default: the contract's).")
@click.option("--group", "groups", multiple=True, help="Whose rows follow each other; repeat it.")
@click.option(
    "--model",
    type=click.Choice(["own", "trees", "linear"]),
    help="What is trained: the project's own model (default inside a project), trees (default"
    " elsewhere), or a linear model, which minds defects that hardly hurt trees.",
)
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a page of one file, too.",
)
@options.as_json
def worth(
    *,
    asked: Asked,
    leave_out: tuple[str, ...],
    time: str | None,
    groups: tuple[str, ...],
    model: str | None,
    html: Path | None,
    as_json: bool,
) -> None:
    """Say which defects SOURCE has, which to repair first, and what a model gains by it.

    Each repair is judged by training with it and without it. Missing values can't be repaired
    here: what as many again would lose is the estimate of what they are worth.

    \b
    Example: taxiway data worth loans.csv --target "status = 'default'" --html worth.html
    """
    from taxiway.bootstrap.data.leaks import Order
    from taxiway.bootstrap.data.worth import worth as measure

    order = Order(time=time, groups=groups, leave_out=leave_out)
    with screen.counted("Training with each repair") as step:
        found, rows, trained = measure(asked, order, model=model, step=step)
    if html is not None:
        from taxiway.data.page.document import write_page
        from taxiway.data.worth.page import page

        write_page(html, page(found, rows.called))
    if as_json:
        told = {"source": rows.called, "model": trained, "notes": rows.notes}
        screen.show_json({**told, **found.found()})
        return
    _show(found)
    screen.say(
        f"{found.metric} as it is: {found.score:.4f}, on {found.rows:,} rows of {rows.called}"
        f" that were not trained on ({trained})."
    )
    say_notes(rows, found.notes)


def _show(found: Worth) -> None:
    from taxiway.data.worth.page import bars

    if not found.gains:
        screen.say("No defect was found.")
        return
    money = [f"{found.currency} per {found.per}", "95 %"] if found.currency else []
    screen.table(
        ["defect", "column", "rate", f"{found.metric} gained", "95 %", *money, "verdict", "how"],
        [
            [
                one.defect,
                shortened(one.column, 40) if one.column else "",
                f"{one.rate:.1%}",
                f"{one.gain.value:+.4f}",
                f"{one.gain.low:+.4f} to {one.gain.high:+.4f}",
                *(_money(one.value) if one.value else []),
                one.verdict,
                one.how,
            ]
            for one in found.gains
        ],
    )
    screen.say()
    for line in bars(found.gains):
        screen.say(line.rstrip())
    screen.say()
    for one in found.gains:
        screen.say(f"- {one.defect}{f' in {one.column}' if one.column else ''}: {one.says}")
    screen.say()


def _money(value: Interval) -> list[str]:
    return [f"{value.value:+.3f}", f"{value.low:+.3f} to {value.high:+.3f}"]
