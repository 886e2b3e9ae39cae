"""`taxiway data features`: features by key, the same for training and for answering."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from taxiway.cli import options, screen
from taxiway.core.digest import short
from taxiway.core.errors import TaxiwayError

if TYPE_CHECKING:
    from taxiway.core.ports import OnlineFeatures
    from taxiway.data.features.parity import Parity
    from taxiway.data.features.registry import Change
    from taxiway.data.features.training_set import TrainingSet
    from taxiway.data.features.view import FeatureView

FOLDER = "features"

views_folder = click.option(
    "--views",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=FOLDER,
    show_default=True,
    help="The folder with the definitions.",
)
set_option = click.option("--set", "name", help="The feature set (default: the only one).")
store_option = click.option(
    "--store",
    envvar="TAXIWAY_FEATURES",
    help="The online store: a file, or redis://… (default: the workspace's own).",
)
moment = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"])
at_option = click.option(
    "--at", type=moment, help="As of this moment, UTC (default: now), such as 2013-03-01T05:00:00Z."
)


@click.group()
def features() -> None:
    """Feature views: values by key, known at a moment, for training and for answering.

    \b
    Example: taxiway data features build trips.parquet --set departure --out training.parquet
    """


@features.command("list")
@views_folder
@options.as_json
def list_(folder: Path, as_json: bool) -> None:
    """List the views and sets of a folder.

    \b
    Example: taxiway data features list --views features
    """
    from taxiway.bootstrap.data import features as wired

    found = wired.definitions(folder)
    if as_json:
        screen.show_json(
            {
                "views": [_view(view) for view in found.views.values()],
                "sets": [
                    {"set": s.name, "time": s.time, "keys": s.keys, "features": s.columns}
                    for s in found.sets.values()
                ],
            }
        )
        return
    screen.table(
        ["view", "key", "known", "time to live", "features", "owner", "digest"],
        [
            [
                view.id,
                ", ".join(view.keys),
                view.known_at or f"{_span(view.delay)} after {view.event_time}",
                "forever" if view.ttl is None else _span(view.ttl),
                len(view.features),
                view.owner,
                short(view.digest),
            ]
            for view in found.views.values()
        ],
    )
    for asked in found.sets.values():
        screen.say(f"Set {asked.name}, as of {asked.time}: {', '.join(asked.columns)}")


@features.command()
@views_folder
@options.acting
@options.as_json
@click.pass_context
def plan(ctx: click.Context, folder: Path, actor: str | None, as_json: bool) -> None:
    """Say which views are new, and whom an edit would break; change nothing.

    A version that was recorded never changes. Ends with exit code 1 if a change is refused.

    \b
    Example: taxiway data features plan
    """
    from taxiway.bootstrap import Workspace
    from taxiway.bootstrap.data import features as wired
    from taxiway.bootstrap.data import joined

    found = wired.definitions(folder)
    with Workspace.open(actor=actor) as workspace:
        changes = joined.plan(workspace, found, folder)
    show_changes(changes, as_json=as_json)
    if any(change.why_not for change in changes):
        ctx.exit(1)


@features.command()
@views_folder
@options.acting
@options.dry_run
@options.as_json
def apply(folder: Path, actor: str | None, dry_run: bool, as_json: bool) -> None:
    """Record the new views of a folder, all or none; a recorded version never changes.

    \b
    Example: taxiway data features apply --as flights-data
    """
    from taxiway.bootstrap import Workspace
    from taxiway.bootstrap.data import features as wired
    from taxiway.bootstrap.data import joined

    found = wired.definitions(folder)
    with Workspace.open(actor=actor) as workspace:
        changes = joined.apply(workspace, found, folder, dry_run=dry_run)
    show_changes(changes, as_json=as_json)
    if dry_run and not as_json:
        screen.say("Nothing was written.")


def show_changes(changes: Sequence[Change], *, as_json: bool) -> None:
    if as_json:
        screen.show_json({"changes": changes})
        return
    screen.table(["view", "is"], [[change.view, change.what] for change in changes])
    for change in changes:
        if change.why_not:
            screen.say(f"Refused: {change.problem()}")


@features.command()
@click.argument("entities")
@views_folder
@set_option
@click.option("--view", "views", multiple=True, help="Instead of a set: a view, such as weather@1.")
@click.option("--time", help="The column that says as of when (default: the set's).")
@click.option("--out", type=click.Path(path_type=Path), help="Where to: .parquet or .csv.")
@click.option("--overwrite", is_flag=True, help="Replace OUT if it is there.")
@options.dry_run
@options.as_json
def build(
    *,
    entities: str,
    folder: Path,
    name: str | None,
    views: tuple[str, ...],
    time: str | None,
    out: Path | None,
    overwrite: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Build a training set: each row of ENTITIES with what was known at its time.

    Rows stay as they are, in their order, and none is lost or added.

    \b
    Example: taxiway data features build trips.parquet --set departure --out training.parquet
    """
    from taxiway.bootstrap.data import features as wired

    found = wired.definitions(folder)
    asked = wired.chosen(found, name, views, time)
    with screen.progress("Joining"):
        made = wired.build(found, asked, entities, out, overwrite=overwrite, dry_run=dry_run)
    if as_json:
        told = {"out": str(out) if out else None, "dry_run": dry_run}
        screen.show_json({**made.found(), **told})
        return
    show_built(made)
    if out and not dry_run:
        screen.say(f"Wrote {out}.")


def show_built(made: TrainingSet) -> None:
    rows = made.frame.height
    screen.table(
        ["view", "rows read", "left out", "ties", "found", "too old", "not known yet"],
        [
            [
                told.view,
                f"{told.view_rows:,}",
                f"{told.without_key + told.without_time:,}",
                f"{told.tied:,}",
                *(_share(n, rows) for n in (told.found, told.expired, told.unknown)),
            ]
            for told in made.told
        ],
    )
    screen.say(f"{rows:,} rows, as many as asked, with {made.frame.width} columns.")


@features.command()
@views_folder
@set_option
@click.option("--view", "views", multiple=True, help="Instead of a set: a view, such as weather@1.")
@store_option
@at_option
@options.dry_run
@options.as_json
def materialise(
    *,
    folder: Path,
    name: str | None,
    views: tuple[str, ...],
    store: str | None,
    at: datetime | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write the newest values of every key to the online store, and switch to them at once.

    Readers see what was there before until all of it is written, and then all of it.

    \b
    Example: taxiway data features materialise --set departure --store features.db
    """
    from taxiway.bootstrap.data import features as wired

    found = wired.definitions(folder)
    used = found.used(wired.chosen(found, name, views))
    with _online(store) as online, screen.progress("Materialising"):
        told = wired.materialise(used, online, at=_moment(at), dry_run=dry_run)
    if as_json:
        screen.show_json({"dry_run": dry_run, "views": told})
        return
    screen.table(
        ["view", "keys", "as of", "digest"],
        [[t["view"], f"{t['keys']:,}", t["as_of"], short(t["digest"])] for t in told],
    )
    screen.say("Nothing was written." if dry_run else "Readers see all of it now.")


@features.command()
@click.argument("keys", nargs=-1, metavar="NAME=VALUE...")
@views_folder
@set_option
@click.option("--view", "views", multiple=True, help="Instead of a set: a view, such as weather@1.")
@store_option
@at_option
@options.as_json
def get(
    *,
    keys: tuple[str, ...],
    folder: Path,
    name: str | None,
    views: tuple[str, ...],
    store: str | None,
    at: datetime | None,
    as_json: bool,
) -> None:
    """Look the features of a key up in the online store.

    What is past its time-to-live is null, as it is in a training set.

    \b
    Example: taxiway data features get origin=JFK tailnum=N14228 --set departure
    """
    from taxiway.bootstrap.data import features as wired

    found = wired.definitions(folder)
    asked = wired.chosen(found, name, views)
    with _online(store) as online:
        values = wired.get(found, asked, online, keys, _moment(at))
    if as_json:
        screen.show_json(values)
        return
    screen.table(["feature", "value"], [[name, value] for name, value in values.items()])


@features.command()
@views_folder
@set_option
@store_option
@click.option(
    "--rows", type=click.IntRange(1), default=1_000, show_default=True, help="Keys asked."
)
@options.acting
@options.dry_run
@options.as_json
@click.pass_context
def parity(
    ctx: click.Context,
    *,
    folder: Path,
    name: str | None,
    store: str | None,
    rows: int,
    actor: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Compare the online store with the as-of join: the same keys have to give the same bits.

    If somebody acts, it is written down about the snapshots of the set, for check DP-03. Ends with
    exit code 1 if they don't agree.

    \b
    Example: taxiway data features parity --set departure --store features.db
    """
    from taxiway.bootstrap.data import features as wired

    found = wired.definitions(folder)
    asked = wired.chosen(found, name)
    with _online(store) as online:
        compared = wired.parity(found, asked, online, rows=rows)
    subjects = [] if actor is None or dry_run else _written(actor, compared)
    if as_json:
        told = {"equal": compared.equal, "snapshots": subjects}
        screen.show_json({**told, **compared.found()})
    else:
        screen.table(
            ["view", "as of", "asked", "different", "in"],
            [
                [v.view, v.as_of, f"{v.rows:,}", f"{v.differing:,}", ", ".join(v.columns)]
                for v in compared.views
            ],
        )
        screen.say("Offline and online agree." if compared.equal else "They do not agree.")
        for subject in subjects:
            screen.say(f"Written down about snapshot {short(subject)}.")
    if not compared.equal:
        ctx.exit(1)


def _written(actor: str, compared: Parity) -> list[str]:
    from taxiway.bootstrap import Workspace
    from taxiway.bootstrap.data import joined

    with Workspace.open(actor=actor) as workspace:
        return [snapshot.id for snapshot in joined.write_parity(workspace, compared)]


@contextmanager
def _online(named: str | None) -> Iterator[OnlineFeatures]:
    from taxiway.bootstrap.data.online import open_store
    from taxiway.config import find_workspace

    root = None
    if named is None:
        try:
            root = find_workspace()
        except TaxiwayError:
            root = None
    store = open_store(named, root)
    try:
        yield store
    finally:
        store.close()


def _moment(at: datetime | None) -> datetime:
    return at.replace(tzinfo=UTC) if at else datetime.now(UTC)


def _view(view: FeatureView) -> dict[str, Any]:
    return {
        "view": view.id,
        "digest": view.digest,
        "owner": view.owner,
        "description": view.description,
        "entity_key": dict(view.entity_key),
        "event_time": view.event_time,
        "known_at": view.known_at,
        "delay_seconds": view.delay / 10**6,
        "ttl_seconds": None if view.ttl is None else view.ttl / 10**6,
        "features": [
            {"name": f.name, "type": f.type, "unit": f.unit, "description": f.description}
            for f in view.features
        ],
    }


def _share(count: int, rows: int) -> str:
    return f"{count:,} ({count / rows:.1%})" if rows else "0"


def _span(microseconds: int) -> str:
    """A span as a definition writes it.

    >>> _span(90 * 60 * 10**6)
    '90m'
    """
    from taxiway.data.features.view import UNITS

    for unit, size in sorted(UNITS.items(), key=lambda pair: -pair[1]):
        if microseconds and microseconds % size == 0:
            return f"{microseconds // size}{unit}"
    return "0s"
