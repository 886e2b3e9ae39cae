"""The features that a release pins, from the record alone: a server has no files of the project."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from taxiway.core.evidence import Evidence
from taxiway.data.features.view import Feature, FeatureSet, FeatureView, Part


@dataclass(frozen=True, slots=True)
class PinnedSet:
    """What a release reads of the set that it was trained on."""

    asked: FeatureSet
    """Its parts and features that the release reads; what it does not read, nobody looks up."""
    views: tuple[FeatureView, ...]
    """One for each part, without its sources."""
    digests: Mapping[str, str]


def pinned_set(
    joined: Evidence, recorded: Mapping[str, Evidence], read: Collection[str]
) -> PinnedSet | None:
    """The set of a snapshot, as far as `read` names its columns.

    `joined` is the evidence of the join, and `recorded` that of each view by name and version. None
    if nothing of it is read, or if it was joined before the record said by which columns.
    """
    parts, views = [], []
    for told in joined.found["views"]:
        names = dict(zip(told["features"], told["columns"], strict=True))
        features = tuple(name for name, column in names.items() if column in read)
        if not features:
            continue
        if "on" not in told or told["view"] not in recorded:
            return None
        prefix = told["columns"][0].removesuffix(told["features"][0])
        parts.append(Part(told["view"], features, tuple(told["on"].items()), prefix))
        views.append(_view(recorded[told["view"]].found))
    if not parts:
        return None
    asked = FeatureSet(joined.found["set"], joined.found["time"], tuple(parts))
    return PinnedSet(asked, tuple(views), {view.id: joined.digests[view.id] for view in views})


def _view(found: Mapping[str, Any]) -> FeatureView:
    meaning = found["meaning"]
    return FeatureView(
        name=found["name"],
        version=found["version"],
        owner=found["owner"],
        description=found["description"],
        entity_key=tuple((name, of) for name, of in meaning["entity_key"]),
        event_time=meaning["event_time"],
        known_at=meaning["known_at"],
        delay=meaning["delay"],
        ttl=meaning["ttl"],
        features=tuple(Feature(name, of, unit) for name, of, unit in meaning["features"]),
        sql=meaning["sql"],
        code=meaning["code"],
        sources={},
    )
