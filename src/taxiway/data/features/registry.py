"""Versions of views: recorded once, never changed, and who depends on them.

A view is recorded as evidence under its name and version. What a folder defines is held against
that: an edit of a recorded version is refused, and the plan says whom it would break.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taxiway.core.errors import MissingError, Problem, RefusedError
from taxiway.core.evidence import FEATURE_VIEW, FEATURES, Evidence, observed
from taxiway.core.facts import Deployment, Model, Release
from taxiway.core.ports import Desk, Record, Telling
from taxiway.data.features.view import FeatureView

ROLES = ("owner", "developer", "engineer")


@dataclass(frozen=True, slots=True)
class Use:
    """A release in an environment that was trained on a version of a view."""

    view: str
    digest: str
    features: tuple[str, ...]
    release: str
    environment: str
    role: str
    owner: str

    def __str__(self) -> str:
        columns = ", ".join(self.features)
        where = f"{self.role} in {self.environment}"
        return f"{self.release}, {where} (owner {self.owner}), reads {columns}"


@dataclass(frozen=True, slots=True)
class Change:
    """What a folder would do to one version of a view."""

    view: str
    what: str
    """`new`, `unchanged`, `edited` or `removed`."""
    why_not: str
    """Why it is refused; empty if it is not."""
    todo: str
    uses: tuple[Use, ...]

    def problem(self) -> Problem:
        return Problem(self.why_not, where=self.view, todo=self.todo)


def uses(record: Record) -> list[Use]:
    """Every view that a release stands on which has a role in an environment now."""
    found = []
    for deployment in record.find(Deployment, until=None):
        release = record.get(Release, deployment.release)
        owner = _owner(record, release.model)
        found += [
            Use(
                view["view"],
                view["digest"],
                tuple(view["features"]),
                release.id,
                deployment.environment,
                deployment.role,
                owner,
            )
            for pinned in record.find(Evidence, subject=release.snapshot, kind=FEATURES)
            for view in pinned.found["views"]
        ]
    return list(dict.fromkeys(found))


def _owner(record: Record, model: str) -> str:
    try:
        owners = record.get(Model, model).owners
    except MissingError:
        return "nobody"
    return owners.get("development") or owners.get("business") or "nobody"


def joined_with(record: Record, snapshot: str) -> Evidence | None:
    """The newest evidence of the features that a snapshot was joined with; None without any."""
    found = record.find(Evidence, subject=snapshot, kind=FEATURES)
    return found[-1] if found else None


def recorded(record: Record) -> dict[str, Evidence]:
    """Every version that was ever recorded, by name and version."""
    return {one.subject: one for one in record.find(Evidence, kind=FEATURE_VIEW)}


def plan(
    views: Iterable[FeatureView],
    known: Mapping[str, Evidence],
    used: Sequence[Use],
    folder: str,
) -> list[Change]:
    """What it means to record these views, defined in `folder`, beside what is known.

    A version that was recorded, or that a release pins, can't be edited; one that a release in an
    environment pins can't be removed either.
    """
    defined = {view.id: view for view in views}
    changes = [
        _change(view, known.get(view.id), [use for use in used if use.view == view.id])
        for view in defined.values()
    ]
    for version, evidence in known.items():
        if version in defined or evidence.found["folder"] != folder:
            continue
        by = tuple(use for use in used if use.view == version)
        why = f"it is no longer defined, and {_people(by)}" if by else ""
        todo = "Leave the file where it is until nothing reads this version." if by else ""
        changes.append(Change(version, "removed", why, todo, by))
    return changes


def _change(view: FeatureView, known: Evidence | None, by: Sequence[Use]) -> Change:
    digests = {known.digests["view"]} if known else {use.digest for use in by}
    if not digests:
        return Change(view.id, "new", "", "", ())
    if digests == {view.digest}:
        return Change(view.id, "unchanged", "", "", tuple(by))
    differs = _differs(view, known.found) if known else "its definition"
    breaks = f", and {_people(by)}" if by else ""
    return Change(
        view.id,
        "edited",
        f"{differs} changed, and a version never changes{breaks}",
        f"Keep this version as it was, and define {view.name}@{view.version + 1} beside it.",
        tuple(by),
    )


def _people(by: Sequence[Use]) -> str:
    return "; ".join(map(str, by))


def _differs(view: FeatureView, found: Mapping[str, Any]) -> str:
    """What of a meaning is another one now."""
    now, before = view.meaning(), found["meaning"]
    parts = [name for name in now if _plain(now[name]) != _plain(before.get(name))]
    if "features" in parts:
        gone = {f[0] for f in before["features"]} - set(view.names)
        lost = f" ({', '.join(sorted(gone))} gone)" if gone else ""
        parts[parts.index("features")] = f"features{lost}"
    return ", ".join(parts) or "its name"


def _plain(value: Any) -> Any:
    """Tuples as the lists that they come back as from a store."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return value


def require_allowed(changes: Iterable[Change]) -> None:
    """Raises `RefusedError` with every change that is refused, and whom it would break."""
    refused = [change.problem() for change in changes if change.why_not]
    if refused:
        raise RefusedError("These views can't be recorded as they are; nothing was.", refused)


def apply(
    desk: Desk, views: Sequence[FeatureView], folder: str, *, dry_run: bool = False
) -> list[Change]:
    """Records the views that are new, all or none. Raises `RefusedError` as `plan` says."""
    desk.acting(*ROLES, to="record feature views")
    changes = plan(views, recorded(desk.record), uses(desk.record), folder)
    require_allowed(changes)
    new = {change.view for change in changes if change.what == "new"}
    if new and not dry_run:
        with desk.change("features.recorded", folder) as change:
            record(desk, change, [view for view in views if view.id in new], folder)
            change.details = {"views": sorted(new)}
    return changes


def record(desk: Desk, change: Telling, views: Iterable[FeatureView], folder: str) -> None:
    """Adds views to a change. Their ids are their names, so that only one of two at once wins."""
    for view in views:
        change.add(
            observed(
                FEATURE_VIEW,
                id=f"feature-view:{view.id}",
                subject=view.id,
                model="",
                examined=len(view.features),
                found={
                    "name": view.name,
                    "version": view.version,
                    "owner": view.owner,
                    "description": view.description,
                    "folder": folder,
                    "features": [{"name": f.name, "type": f.type} for f in view.features],
                    "meaning": view.meaning(),
                },
                digests={"view": view.digest},
                at=desk.now(),
                by=desk.actor.name if desk.actor else "system",
            )
        )
