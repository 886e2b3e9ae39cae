"""Wires packaging and loading: the one prediction path, and the code that was verified."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from taxiway.core.contract import Contract, contract_from
from taxiway.core.people import Person

if TYPE_CHECKING:
    from taxiway.bootstrap.workspace import Workspace
    from taxiway.core.artefact import Artefact, Packaged, Parts
    from taxiway.core.facts import Release
    from taxiway.core.ports import Actor
    from taxiway.release.artefact import Hands
    from taxiway.release.manifest import Inspection


def inspect(workspace: Workspace, release: Release) -> Inspection:
    """Every digest and the signature of a release, checked now."""
    from taxiway.release.manifest import inspect as check

    desk = workspace.desk
    author = workspace.record.get(Person, release.author)
    return check(desk.objects, release, author, desk.verify)


def require_sound(workspace: Workspace, release: Release) -> None:
    """Raises `IntegrityError` unless every digest and the signature hold."""
    from taxiway.release.manifest import require_sound as require

    require(release, inspect(workspace, release))


def asked_of(workspace: Workspace, release: Release) -> Contract:
    """What callers of a release send, without loading it."""
    from taxiway.release.artefact import request_contract
    from taxiway.serving.oversight import overseen

    objects = workspace.objects
    manifest = json.loads(objects.get(release.digest))
    contract = contract_from(json.loads(objects.get(release.contract_digest)))
    charter = json.loads(objects.get(manifest["files"]["charter.json"]))
    oversight = overseen(charter, contract, release.digest)
    return request_contract(contract, tuple(manifest["inputs"]), oversight)


def load(workspace: Workspace, release: Release) -> Artefact:
    """A release, verified and then loaded, ready to answer."""
    from taxiway.release.artefact import load as load_verified

    return load_verified(release, inspect(workspace, release), hands())


def load_replayed(workspace: Workspace, release: Release) -> Artefact:
    """A release, verified, loaded, and with its golden predictions replayed."""
    from taxiway.serving.path import require_golden

    artefact = load(workspace, release)
    require_golden(artefact)
    return artefact


def package(workspace: Workspace, parts: Parts, author: Actor) -> Packaged:
    """Compiles, stores and signs a release; the prediction path gives its golden predictions."""
    from taxiway.release.artefact import package as store
    from taxiway.serving.path import golden_rows

    return store(workspace.desk, parts, author, answer=golden_rows, hands=hands())


def hands() -> Hands:
    """What data and training do for packaging and loading."""
    from taxiway.adapters.engines import ENGINES
    from taxiway.data.frame import frame_of, plain_records
    from taxiway.release.artefact import Hands
    from taxiway.serving.oversight import overseen
    from taxiway.training.estimators import SCORES

    return Hands(
        load_features=_load_features,
        scores=SCORES,
        frame_of=frame_of,
        plain=plain_records,
        engines=ENGINES,
        overseen=overseen,
    )


def _load_features(files: Mapping[str, bytes], main: str, *, alone: bool) -> Callable[[Any], Any]:
    """Executes verified code and takes its `features`; `alone`: without what makes the estimator.

    That the features are the same is proven by the golden predictions, which are replayed next.
    """
    from taxiway.training.code import Code, load_code, load_features
    from taxiway.training.lean import only_features

    lean = only_features(files[main]) if alone else None
    if lean is None:
        return load_code(Code(files, main)).features
    return load_features(Code({**files, main: lean}, main))
