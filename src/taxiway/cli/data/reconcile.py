"""`taxiway data reconcile`: whether columns of several sources mean the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from taxiway.cli import options, screen
from taxiway.core.errors import MissingError, RefusedError, shortened

if TYPE_CHECKING:
    from taxiway.bootstrap import Workspace
    from taxiway.bootstrap.project import Project
    from taxiway.data.reconcile.finding import Finding, Pair, Reconciliation

Settled = Mapping[str, tuple[str, str]]


@click.command()
@click.argument("sources", nargs=-1, metavar="SOURCE...")
@click.option("--query", help="What to read of a database: a query, or the name of a table.")
@options.project
@options.acting
@options.as_json
@click.pass_context
def reconcile(
    ctx: click.Context,
    sources: tuple[str, ...],
    *,
    query: str | None,
    project: Path | None,
    actor: str | None,
    as_json: bool,
) -> None:
    """Find columns of two or more SOURCEs that do not say the same, by what they hold.

    The first one says how things are called and measured; inside a project that is the project's
    own source, if only one other is named. With --as, what is found becomes evidence for check
    DA-03. Ends with exit code 1 if a finding is open: `taxiway data resolve` settles it.

    \b
    Example: taxiway data reconcile flights.csv planes.csv
    """
    from taxiway.bootstrap.data.meaning import (
        reconcile_sources,
        record_reconciliation,
        settled,
    )
    from taxiway.bootstrap.project import project_here

    here = project_here(project)
    with ExitStack() as stack:
        workspace = stack.enter_context(_workspace(here, actor))
        bars = ExitStack()
        with bars:
            found = reconcile_sources(sources, here, on_rows=_bars(bars), query=query)
        answers: Settled = {}
        if workspace is not None and here is not None:
            if actor is not None:
                record_reconciliation(workspace, here, found)
            answers = settled(workspace, here, found)
    still = [f for f in found.findings if answers.get(f.id, ("nobody has settled it", ""))[0]]
    if as_json:
        plain = found.found()
        told = {
            f["id"]: answers.get(f["id"], ("nobody has settled it", "")) for f in plain["findings"]
        }
        for finding in plain["findings"]:
            finding["open"], finding["by"] = told[finding["id"]]
        screen.show_json({**plain, "open": len(still), "seconds": round(found.seconds, 3)})
    else:
        _show(found, answers, len(still), recorded=actor is not None and here is not None)
    if still:
        ctx.exit(1)


def _workspace(here: Project | None, actor: str | None) -> AbstractContextManager[Workspace | None]:
    """The record, if there is one that could know of resolutions."""
    from taxiway.bootstrap import Workspace

    if here is None:
        if actor is not None:
            raise RefusedError(
                "Nothing can be recorded outside of a project.",
                todo="Leave --as out to look only, or go into the project's folder (or name it with"
                " -C).",
            )
        return nullcontext()
    try:
        return Workspace.open(actor=actor)
    except MissingError:
        if actor is not None:
            raise
        return nullcontext()


def _bars(bars: ExitStack) -> Callable[[str], Callable[[int], None]]:
    """A progress bar for each stage, of which the one before is taken away."""

    def begin(what: str) -> Callable[[int], None]:
        bars.close()
        return bars.enter_context(screen.progress(what))

    return begin


def _show(found: Reconciliation, answers: Settled, still: int, *, recorded: bool) -> None:
    for pair in found.pairs:
        _show_pair(pair, answers)
        screen.say()
    every = len(found.findings)
    beside = f", {every - still} of them settled" if every > still else ""
    screen.say(
        f"{found.rows:,} rows of {len(found.tables)} sources in {found.seconds:.1f} s:"
        f" {every} finding{'' if every == 1 else 's'}{beside}."
    )
    if still:
        screen.say(
            'Next: taxiway data resolve FINDING --accept --reason "..." --as NAME'
            if recorded
            else "Next: the same with --as NAME inside a project, so that they can be settled."
        )


def _show_pair(pair: Pair, answers: Settled) -> None:
    rows = f"{pair.rows[0]:,} and {pair.rows[1]:,} rows"
    screen.say(f"{pair.left} and {pair.right}: {rows}, {pair.matched:,} compared")
    if pair.joins:
        screen.table(
            ["matched by", "how", "left", "right", "takes"],
            [
                [
                    _key(join.left, join.right),
                    join.how,
                    _covered(join.exact[0], join.near[0]),
                    _covered(join.exact[1], join.near[1]),
                    ", ".join(join.steps),
                ]
                for join in pair.joins
            ],
        )
    if pair.same:
        screen.say(f"The same: {shortened(', '.join(pair.same), 400)}.")
    for note in pair.notes:
        screen.say(f"Note: {note}.")
    if pair.unseen:
        screen.say(f"Nothing to tell by: {shortened(', '.join(pair.unseen), 400)}.")
    if not pair.findings:
        return
    screen.say()
    screen.table(
        ["finding", "kind", "left", "right", "sure", "state", "proposed"],
        [
            [
                finding.id,
                finding.kind,
                finding.left.column,
                finding.right.column,
                f"{finding.confidence:.0%}",
                _state(finding, answers),
                shortened(finding.mapping.says, 120) if finding.mapping else "correct the source",
            ]
            for finding in pair.findings
        ],
    )
    for finding in pair.findings:
        screen.say(f"{finding.id}: {finding.says}")


def _key(left: tuple[str, ...], right: tuple[str, ...]) -> str:
    pairs = [a if a == b else f"{a} = {b}" for a, b in zip(left, right, strict=True)]
    return ", ".join(pairs) or "(order of the rows)"


def _covered(exactly: float, near: float) -> str:
    """A share of rows, and what it is without regard to spelling, if that is more."""
    if near - exactly < 0.0005:
        return f"{exactly:.1%}"
    return f"{near:.1%} ({exactly:.1%} letter by letter)"


def _state(finding: Finding, answers: Settled) -> str:
    why, by = answers.get(finding.id, ("open", ""))
    if not why:
        return f"settled by {by}"
    return "void" if "void" in why else "open"
