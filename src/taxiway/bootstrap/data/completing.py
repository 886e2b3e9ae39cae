"""Wires the look-up of features at the endpoint: what a release pins, and the online store."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxiway.bootstrap.data.online import open_store, own_store, require_held
from taxiway.bootstrap.extras import extras
from taxiway.core.contract import Contract, contract_from
from taxiway.core.errors import MissingError, RefusedError, StoreError

if TYPE_CHECKING:
    from taxiway.bootstrap.opened import Opened
    from taxiway.core.artefact import Artefact
    from taxiway.core.facts import Release
    from taxiway.data.features.online import Lookup
    from taxiway.data.features.pinned import PinnedSet
    from taxiway.serving.completing import Completing, Looked
    from taxiway.serving.spent import Spent


@dataclass(frozen=True, slots=True)
class Found:
    """The store that a server looks features up in, and what there is to say about that."""

    store: str | None
    said: str


def found_store(opened: Opened, releases: Sequence[Release], named: str | None) -> Found:
    """The online store that is named, or the workspace's own where it holds what is needed.

    Raises what keeps the named one from being used.
    """
    from taxiway.data.features.registry import joined_with

    joined = [joined_with(opened.record, one.snapshot) for one in releases]
    digests = {
        told["view"]: told["digest"] for made in joined if made for told in made.found["views"]
    }
    own = own_store(opened.root)
    store = named or (str(own) if own.exists() else None)
    if not digests:
        return Found(store, "")
    if store is None:
        return Found(None, " (callers send the features: nothing is materialised)")
    with extras(), closing(open_store(store, opened.root)) as online:
        try:
            require_held(digests, online)
        except (MissingError, RefusedError) as error:
            if named:
                raise
            return Found(None, f" (callers send the features: {error.headline.rstrip('.')})")
    return Found(store, f" (features looked up in {', '.join(digests)})")


def completing_of(
    opened: Opened, artefact: Artefact, store: str | None, spent: Spent, counts: Looked | None
) -> Completing | None:
    """How records of a release are completed; None without features to read, or a store."""
    from taxiway.serving.completing import Pinned, completing

    pinned = None if store is None else _pinned(opened, artefact)
    if store is None or pinned is None:
        return None
    files = artefact.manifest["files"]
    whole = contract_from(json.loads(opened.objects.get(files["contract.json"])))
    return completing(
        Pinned(
            parts=tuple((part.view, part.columns) for part in pinned.asked.parts),
            digests=pinned.digests,
            keys=pinned.asked.keys,
            time=pinned.asked.time,
        ),
        whole,
        artefact.inputs,
        _look_up(opened.root, store, pinned),
        spent,
        counts,
    )


def taking(artefact: Artefact, contract: Contract) -> Artefact:
    """A release that reads its inputs from records under a wider contract."""
    from taxiway.data.frame import frame_of

    return replace(artefact, inputs=contract, frame=partial(frame_of, contract=contract))


def _pinned(opened: Opened, artefact: Artefact) -> PinnedSet | None:
    from taxiway.data.features.pinned import pinned_set
    from taxiway.data.features.registry import joined_with, recorded

    joined = joined_with(opened.record, artefact.manifest["snapshot"])
    if joined is None:
        return None
    return pinned_set(joined, recorded(opened.record), artefact.inputs.names)


def _look_up(root: Path, store: str, pinned: PinnedSet) -> Lookup:
    """Opens the store when somebody asks, so that a server starts and answers without it."""
    compiled: list[Lookup] = []

    def look(given: Mapping[str, Any], at: datetime) -> dict[str, Any]:
        if not compiled:
            compiled.append(_compiled(root, store, pinned))
        return compiled[0](given, at)

    return look


def _compiled(root: Path, store: str, pinned: PinnedSet) -> Lookup:
    from taxiway.data.features.online import compile_lookup

    online = open_store(store, root)
    try:
        require_held(pinned.digests, online)
    except (MissingError, RefusedError) as error:
        online.close()
        raise StoreError(error.headline, todo=error.todo) from error
    return compile_lookup(pinned.asked, pinned.views, online)
