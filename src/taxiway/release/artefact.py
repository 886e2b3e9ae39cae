"""Packaging a candidate, and loading a release again after it was verified."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np

from taxiway.core.artefact import MANIFEST_PROTOCOL, Artefact, Parts
from taxiway.core.contract import Contract, contract_from
from taxiway.core.digest import canonical_json, utc_text
from taxiway.core.errors import IntegrityError
from taxiway.core.facts import Release
from taxiway.core.ports import Actor, Desk
from taxiway.release import model_file
from taxiway.release.manifest import Inspection, require_sound, signed_bytes

CODE = "code/"

Answer = Callable[[Artefact, Any], list[dict[str, Any]]]
"""The prediction path: an artefact and a frame of raw rows -> rows {inputs, output}."""


class FrameOf(Protocol):
    """Records as they are logged -> a frame of raw rows in a contract's types."""

    def __call__(self, records: Sequence[Mapping[str, Any]], contract: Contract) -> Any: ...


@dataclass(frozen=True, slots=True)
class Hands:
    """What packaging and loading need from the other steps, handed in."""

    load_features: Callable[[Mapping[str, bytes], str], Callable[[Any], Any]]
    """Executes the verified code and gives its `features`."""
    probability: Callable[[Any, Any], Any]
    """(estimator, features) -> probability of the positive class."""
    frame_of: FrameOf
    plain: Callable[[Any], list[dict[str, Any]]]
    """A frame of raw rows -> records as they are logged."""


def request_contract(contract: Contract, inputs: tuple[str, ...]) -> Contract:
    """What a caller has to send: the inputs, the key, and the time when it happened."""
    return contract.only([*inputs, *contract.key, contract.event_time])


def package(
    desk: Desk, parts: Parts, author: Actor, *, answer: Answer, hands: Hands
) -> tuple[str, str, list[dict[str, Any]]]:
    """Stores every file of the release, and signs the manifest.

    The golden predictions are those of the stored model, loaded again, and have to have the same
    bits as the fitted estimator's. Answers (digest of the manifest, signature, golden rows).
    """
    content = model_file.dump(parts.estimator)
    estimator = model_file.load(content)

    def stored(features: Any) -> Any:
        return hands.probability(estimator, features)

    features = parts.features(parts.golden)
    together = stored(features)
    fitted = hands.probability(parts.estimator, features)
    if not np.array_equal(together, fitted):
        raise IntegrityError(
            f"The stored model does not answer as the fitted one: the largest difference over"
            f" {len(fitted)} golden rows is {float(np.abs(together - fitted).max())}.",
            todo="This estimator can't be released yet; please report it with its type.",
        )
    alone = np.concatenate([stored(features[i : i + 1]) for i in range(len(together))])
    row_exact = bool(np.array_equal(alone, together))
    golden = answer(_artefact(parts, stored, hands, row_exact=row_exact), parts.golden)
    files = {
        model_file.NAME: content,
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
            "reference": dict(parts.reference),
            "row_exact": row_exact,
            "snapshot": parts.snapshot,
            "seed": parts.seed,
        }
    )
    return desk.objects.put(manifest), author.sign(signed_bytes(manifest)), golden


def _artefact(
    parts: Parts, probability: Callable[[Any], Any], hands: Hands, *, row_exact: bool
) -> Artefact:
    inputs = request_contract(parts.contract, parts.input_names)
    return Artefact(
        release="",
        digest="",
        model=parts.model,
        inputs=inputs,
        input_names=parts.input_names,
        features=parts.features,
        probability=probability,
        frame=partial(hands.frame_of, contract=inputs),
        plain=hands.plain,
        threshold=parts.threshold,
        reason_codes=parts.reason_codes,
        reference=parts.reference,
        row_exact=row_exact,
        golden=(),
        manifest={},
    )


def load(release: Release, inspection: Inspection, hands: Hands) -> Artefact:
    """The release, ready to answer. Raises `IntegrityError` before anything of it is executed."""
    require_sound(release, inspection)
    manifest, files = inspection.manifest, inspection.files
    code = {n.removeprefix(CODE): c for n, c in files.items() if n.startswith(CODE)}
    read = hands.load_features(code, manifest["code_main"])
    estimator = model_file.load(files[model_file.NAME])
    inputs = tuple(manifest["inputs"])
    contract = contract_from(json.loads(files["contract.json"]))
    request = request_contract(contract, inputs)
    return Artefact(
        release=release.id,
        digest=release.digest,
        model=release.model,
        inputs=request,
        input_names=inputs,
        features=lambda raw: read(raw.select(inputs)),
        probability=lambda features: hands.probability(estimator, features),
        frame=partial(hands.frame_of, contract=request),
        plain=hands.plain,
        threshold=manifest["threshold"],
        reason_codes=manifest["reason_codes"],
        reference=manifest["reference"],
        row_exact=manifest["row_exact"],
        golden=tuple(json.loads(files["golden.json"])["rows"]),
        manifest=manifest,
    )
