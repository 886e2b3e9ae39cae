"""Packaging a candidate, and loading a release again after it was verified."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np

from taxiway.core.artefact import (
    MANIFEST_PROTOCOL,
    Artefact,
    FrameOf,
    Overseen,
    Packaged,
    Parts,
)
from taxiway.core.contract import Contract, contract_from
from taxiway.core.digest import canonical_json, utc_text
from taxiway.core.engine import Engine
from taxiway.core.errors import InputError, IntegrityError, TaxiwayError
from taxiway.core.facts import Release
from taxiway.core.kind import KINDS, Kind
from taxiway.core.ports import Actor, Desk
from taxiway.release import model_file
from taxiway.release.compile import ORIGINAL, Score, compile_release, row_us
from taxiway.release.manifest import Inspection, require_sound, signed_bytes
from taxiway.release.reasoning import CONTRIBUTIONS, REPLACEMENT, Explain, by_input, decided

CODE = "code/"
LARGEST = sys.float_info.max

Answer = Callable[[Artefact, Any], list[dict[str, Any]]]
"""The prediction path: an artefact and a frame of raw rows -> rows {inputs, output}."""


class LoadFeatures(Protocol):
    """Executes verified code and gives its `features`; `alone`: the estimator is not needed."""

    def __call__(
        self, files: Mapping[str, bytes], main: str, *, alone: bool
    ) -> Callable[[Any], Any]: ...


@dataclass(frozen=True, slots=True)
class Hands:
    """What packaging and loading need from the other steps, handed in."""

    load_features: LoadFeatures
    scores: Mapping[str, Callable[[Any, Any], Any]]
    """Kind of model -> (estimator, features) -> what it makes of each row, a number."""
    frame_of: FrameOf
    plain: Callable[[Any], list[dict[str, Any]]]
    """A frame of raw rows -> records as they are logged."""
    engines: Sequence[Engine]
    """What a release can be compiled for, in the order in which it is tried."""
    overseen: Callable[[Mapping[str, Any], Contract, str], Overseen | None]
    """(charter, its contract, digest of the release) -> which answers a person decides on."""


def request_contract(
    contract: Contract, inputs: tuple[str, ...], oversight: Overseen | None
) -> Contract:
    """What a caller has to send: the inputs, what oversight reads, the key, and the event time."""
    asked = oversight.columns if oversight else ()
    return contract.only([*inputs, *asked, *contract.key, contract.event_time])


def package(desk: Desk, parts: Parts, author: Actor, *, answer: Answer, hands: Hands) -> Packaged:
    """Compiles a release, stores every file of it, and signs the manifest.

    The stored model, loaded again, has to have the same bits as the fitted estimator's. The golden
    predictions are those of the engine that the release will run on.
    """
    content = model_file.dump(parts.estimator)
    estimator, scores = model_file.load(content), hands.scores[parts.kind]

    def stored(features: Any) -> Any:
        return scores(estimator, features)

    features = parts.features(parts.golden)
    together = stored(features)
    fitted = scores(parts.estimator, features)
    if not np.array_equal(together, fitted):
        raise IntegrityError(
            f"The stored model does not answer as the fitted one: the largest difference over"
            f" {len(fitted)} golden rows is {float(np.abs(together - fitted).max())}.",
            todo="This estimator can't be released yet; please report it with its type.",
        )
    compiled = compile_release(
        estimator,
        stored,
        hands.engines,
        parts.holdout,
        training=parts.training,
        threshold=parts.threshold,
        tolerance=parts.maximum_difference,
    )
    together = compiled.score(features)
    alone = np.concatenate([compiled.score(features[i : i + 1]) for i in range(len(together))])
    row_exact = bool(np.array_equal(alone, together))
    reasons = decided(parts, compiled)
    explain = None
    if reasons["method"] == CONTRIBUTIONS and compiled.contributions is not None:
        explain = by_input(compiled.contributions, parts.sources, parts.input_names)
    golden = answer(
        _artefact(parts, compiled.score, explain, hands, row_exact=row_exact), parts.golden
    )
    files = {
        model_file.NAME: content,
        **compiled.files,
        "contract.json": canonical_json(parts.contract),
        "charter.json": parts.charter,
        "golden.json": canonical_json({"protocol": 1, "rows": golden}),
        "profile.json": canonical_json(parts.profile),
        "requirements.lock": parts.lock.encode(),
        "bom.json": canonical_json(parts.bill_of_materials),
        **{CODE + name: source for name, source in parts.code.items()},
    }
    manifest = canonical_json(
        {
            "protocol": MANIFEST_PROTOCOL,
            "model": parts.model,
            "kind": parts.kind,
            "created_at": utc_text(desk.now()),
            "files": {name: desk.objects.put(content) for name, content in files.items()},
            "code_main": parts.code_main,
            "inputs": list(parts.input_names),
            "features": list(parts.feature_names),
            "target": parts.target,
            "threshold": parts.threshold,
            "reason_codes": parts.reason_codes,
            "reasons": {name: reasons[name] for name in ("method", "unit", "why")},
            "sources": {name: list(inputs) for name, inputs in parts.sources.items()},
            "reference": dict(parts.reference),
            "engine": compiled.engine,
            "row_exact": row_exact,
            "snapshot": parts.snapshot,
            "seed": parts.seed,
        }
    )
    kind, examined, found, required = compiled.observation
    costs = {**found["row_us"], "features": row_us(parts.features, parts.golden)}
    return Packaged(
        digest=desk.objects.put(manifest),
        signature=author.sign(signed_bytes(manifest)),
        golden=golden,
        parity=(kind, examined, {**found, "row_us": costs, "reasons": reasons}, required),
    )


def _artefact(
    parts: Parts,
    score: Score,
    explain: Explain | None,
    hands: Hands,
    *,
    row_exact: bool,
) -> Artefact:
    oversight = hands.overseen(json.loads(parts.charter), parts.contract, "")
    inputs = request_contract(parts.contract, parts.input_names, oversight)
    return Artefact(
        release="",
        digest="",
        model=parts.model,
        inputs=inputs,
        input_names=parts.input_names,
        features=parts.features,
        score=score,
        frame=partial(hands.frame_of, contract=inputs),
        plain=hands.plain,
        threshold=parts.threshold,
        reason_codes=parts.reason_codes,
        reference=parts.reference,
        row_exact=row_exact,
        golden=(),
        manifest={},
        contributions=explain,
        kind=KINDS[parts.kind],
    )


def load(release: Release, inspection: Inspection, hands: Hands) -> Artefact:
    """The release, ready to answer. Raises `IntegrityError` before anything of it is executed."""
    require_sound(release, inspection)
    manifest, files = inspection.manifest, inspection.files
    code = {n.removeprefix(CODE): c for n, c in files.items() if n.startswith(CODE)}
    engine = manifest.get("engine", ORIGINAL)
    read = hands.load_features(code, manifest["code_main"], alone=engine != ORIGINAL)
    with _loading(engine):
        score = _score(engine, manifest["kind"], files, hands)
        explain = _explain(engine, manifest, files, hands)
    inputs = tuple(manifest["inputs"])
    listed = list(inputs)
    contract = contract_from(json.loads(files["contract.json"]))
    oversight = hands.overseen(json.loads(files["charter.json"]), contract, release.digest)
    request = request_contract(contract, inputs, oversight)
    return Artefact(
        release=release.id,
        digest=release.digest,
        model=release.model,
        inputs=request,
        input_names=inputs,
        # By a list of names: `select` plans a query first, which takes longer than a small model.
        features=lambda raw: read(raw[listed]),
        score=score,
        frame=partial(hands.frame_of, contract=request),
        plain=hands.plain,
        threshold=manifest["threshold"],
        reason_codes=manifest["reason_codes"],
        reference=manifest["reference"],
        row_exact=manifest["row_exact"],
        golden=tuple(json.loads(files["golden.json"])["rows"]),
        manifest=manifest,
        contributions=explain,
        oversight=oversight,
        kind=_kind(manifest["kind"]),
    )


@contextmanager
def _loading(engine: str) -> Iterator[None]:
    """Whatever an engine raises over its files becomes an error that says so."""
    try:
        yield
    except (TaxiwayError, ModuleNotFoundError):
        raise
    except Exception as error:
        raise IntegrityError(
            f"The compiled model of the engine {engine!r} can't be loaded:"
            f" {type(error).__name__}: {error}.",
            todo="Install the versions of its requirements.lock, or train again.",
        ) from error


def _named(name: str, hands: Hands) -> Engine:
    """The engine that a manifest names."""
    known = {engine.name: engine for engine in hands.engines}
    if name not in known:
        raise IntegrityError(
            f"The release runs on the engine {name!r}, and this taxiway knows"
            f" {', '.join(known)} and {ORIGINAL}.",
            todo="Train it again; a newer engine needs a newer taxiway.",
        )
    return known[name]


def _kind(name: str) -> Kind:
    """The kind of model that a manifest names."""
    if name not in KINDS:
        raise IntegrityError(
            f"The release is of the kind {name!r}, and this taxiway knows {', '.join(KINDS)}.",
            todo="A newer kind needs a newer taxiway.",
        )
    return KINDS[name]


def _score(engine: str, kind: str, files: Mapping[str, bytes], hands: Hands) -> Score:
    """What verified files make of rows, by the engine that the manifest names."""
    if engine == ORIGINAL:
        scores, estimator = hands.scores[kind], model_file.load(files[model_file.NAME])
        return lambda features: scores(estimator, features)
    run, known = _named(engine, hands).load(files), _kind(kind)
    low, high = (0.0, 1.0) if known.yes_or_no else (-LARGEST, LARGEST)

    def score(features: Any) -> Any:
        answered = run(features)
        if not ((answered >= low) & (answered <= high)).all():
            raise InputError(f"The model gives no {known.score} for these values.")
        return answered

    return score


def _explain(
    name: str, manifest: Mapping[str, Any], files: Mapping[str, bytes], hands: Hands
) -> Explain | None:
    """What the inputs contribute, where the release says that its reasons are made of that."""
    method = manifest.get("reasons", {}).get("method", REPLACEMENT)
    if method == REPLACEMENT or manifest["reason_codes"] == "none":
        return None
    made = _named(name, hands).contributions(files)
    if method != CONTRIBUTIONS or made is None:
        raise IntegrityError(
            f"The release gives its reasons by {method!r}, which its engine {name!r} can't.",
            todo="Train it again; a newer method needs a newer taxiway.",
        )
    return by_input(made, manifest["sources"], manifest["inputs"])
