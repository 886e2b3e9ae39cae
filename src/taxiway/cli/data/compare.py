"""`taxiway data compare`: is the sandbox like production?"""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from taxiway.cli import options, screen
from taxiway.core.errors import MissingError, shortened

if TYPE_CHECKING:
    from taxiway.bootstrap.workspace import Workspace
    from taxiway.data.compare.columns import Compared
    from taxiway.data.compare.comparison import Comparison

MOST = 40
"""Columns that are shown where all are alike."""


@click.command()
@click.argument("training", required=False, metavar="[TRAINING]")
@click.argument("production", required=False, metavar="[PRODUCTION]")
@click.option("--query", help="What to read, where a side is the URL of a database.")
@click.option("--label", help="A column or condition, such as 'arr_delay > 15': what is predicted.")
@click.option(
    "--without", multiple=True, metavar="COLUMN", help="Known only later: no model reads it."
)
@click.option("--time", help="The column that says when a row happened (default: the first time).")
@click.option("--release", help="Estimate the metric of this release in production.")
@click.option("--minimum-rows", type=click.IntRange(1), help="Fewer rows on a side tell nothing.")
@click.option("--effect", type=click.FloatRange(0, 1), help="The least effect that matters.")
@click.option(
    "--classifier/--no-classifier", default=True, help="Whether a model tries to tell rows apart."
)
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a page with pictures."
)
@options.project
@options.acting
@options.as_json
@click.pass_context
def compare(
    ctx: click.Context,
    /,
    *,
    html: Path | None,
    project: Path | None,
    actor: str | None,
    as_json: bool,
    **asked: Any,
) -> None:
    """Hold TRAINING against PRODUCTION: what differs, how much, what it does, what to ask for.

    In a project one source is PRODUCTION (default: the charter's), held against the newest
    snapshot; and if somebody acts (--as), the result is evidence for check DA-04. Ends with exit
    code 1 if they differ.

    \b
    Example: taxiway data compare jan-jun.parquet december.parquet --label 'arr_delay > 15'
    """
    from taxiway.bootstrap.data.comparing import Question
    from taxiway.bootstrap.data.comparing import compare as compared
    from taxiway.bootstrap.project import project_here

    if asked["production"] is None:
        asked |= {"training": None, "production": asked["training"]}
    question = Question(**asked)
    acts = actor or os.environ.get("TAXIWAY_ACTOR")
    read = project_here(project)
    with ExitStack() as stack:
        workspace = _workspace(stack, acts, needed=bool(acts or question.release))
        begin = stack.enter_context(screen.stages())
        found = compared(question, project=read, workspace=workspace, begin=begin, write=bool(acts))
    if html is not None:
        from taxiway.data.compare.page import page
        from taxiway.data.page.document import write_page

        write_page(html, page(found))
    if as_json:
        screen.show_json({**found.found(), "required": found.limits.required()})
    else:
        _show(found)
        if html is not None:
            screen.say(f"Pictures: {html}")
    if found.different:
        ctx.exit(1)


def _workspace(stack: ExitStack, actor: str | None, *, needed: bool) -> Workspace | None:
    """The workspace, if there is one here."""
    from taxiway.bootstrap import Workspace

    try:
        return stack.enter_context(Workspace.open(actor=actor))
    except MissingError:
        if needed:
            raise
        return None


def _show(found: Comparison) -> None:
    rows = [c for c in found.columns if c.verdict != "same"]
    rows += [c for c in found.columns if c.verdict == "same"][: max(0, MOST - len(rows))]
    screen.table(
        ["column", "verdict", "effect", "mean shift", "missing", "only in production"],
        [_row(found, c) for c in rows],
    )
    if len(rows) < len(found.columns):
        screen.say(f"And {len(found.columns) - len(rows):,} more columns that are alike.")
    from taxiway.data.compare.words import asks, sentences

    screen.say()
    for sentence in sentences(found):
        screen.say(sentence)
    asked = asks(found)
    if asked:
        screen.say("\nAsk the data team:")
        for ask in asked:
            screen.say(f"- {ask}")
    for note in found.notes:
        screen.say(f"Note: {note}.")


def _row(found: Comparison, column: Compared) -> list[object]:
    from taxiway.data.compare.words import percent

    effect = next((t.effect for t in column.tests if t.what == "distribution"), None)
    shift = column.measures.get("mean_shift")
    sides = (found.training.columns.get(column.name), found.production.columns.get(column.name))
    shares = [percent(side.nulls / max(1, side.rows)) if side else "-" for side in sides]
    return [
        shortened(column.name, 40),
        column.verdict,
        "" if effect is None else f"{effect:.2f}",
        "" if shift is None else f"{shift:+.2f} SD",
        "" if set(shares) <= {"0%"} else " -> ".join(shares),
        shortened(column.note or ", ".join(column.only_production), 60),
    ]
