"""The manifest: every file of a release with its digest, and the signature over all of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from taxiway.core.artefact import MANIFEST_PROTOCOL
from taxiway.core.errors import IntegrityError, MissingError
from taxiway.core.evidence import INTEGRITY, Evidence, observed
from taxiway.core.facts import Release
from taxiway.core.people import Person
from taxiway.core.ports import Desk, Objects, Verify

PAYLOAD_TYPE = "application/vnd.taxiway.manifest+json"


def signed_bytes(manifest: bytes) -> bytes:
    """What the author signs: the manifest in the pre-authentication encoding of DSSE v1.

    >>> signed_bytes(b"{}")
    b'DSSEv1 37 application/vnd.taxiway.manifest+json 2 {}'
    """
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(manifest), manifest)


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found when every digest and the signature of a release were checked again."""

    manifest: Mapping[str, Any]
    files: Mapping[str, bytes]
    problems: tuple[str, ...]
    signature_valid: bool
    signer_removed: bool

    @property
    def components(self) -> int:
        """Entries of the bill of materials."""
        return len(json.loads(self.files.get("bom.json", b"{}")).get("components", []))

    @property
    def golden_rows(self) -> int:
        return len(json.loads(self.files.get("golden.json", b"{}")).get("rows", []))


def inspect(objects: Objects, release: Release, signer: Person, verify: Verify) -> Inspection:
    """Reads and checks the whole release; nothing of it is executed. Says all that is wrong."""
    try:
        raw = objects.get(release.digest)
    except (IntegrityError, MissingError) as error:
        return Inspection({}, {}, (f"manifest: {error}",), False, signer.removed_at is not None)
    manifest = json.loads(raw)
    valid = verify(signer.public_key, signed_bytes(raw), release.signature)
    problems = [] if valid else [f"the signature of {signer.id} over the manifest does not hold"]
    if manifest.get("protocol") != MANIFEST_PROTOCOL:
        problems.append(
            f"the manifest has protocol {manifest.get('protocol')}; this taxiway reads"
            f" {MANIFEST_PROTOCOL}"
        )
    files: dict[str, bytes] = {}
    for name, digest in manifest.get("files", {}).items():
        try:
            files[name] = objects.get(digest)
        except (IntegrityError, MissingError) as error:
            problems.append(f"{name}: {error}")
    return Inspection(manifest, files, tuple(problems), valid, signer.removed_at is not None)


def integrity_evidence(desk: Desk, release: Release, inspection: Inspection) -> Evidence:
    """Evidence INTEGRITY, at this moment."""
    return observed(
        INTEGRITY,
        id=desk.new_id(),
        subject=release.id,
        model=release.model,
        examined=len(inspection.files),
        found={
            "problems": list(inspection.problems),
            "signer": release.author,
            "signature_valid": inspection.signature_valid,
            "signer_removed": inspection.signer_removed,
            "components": inspection.components,
            "golden_rows": inspection.golden_rows,
        },
        digests={"model": release.digest},
        at=desk.now(),
        by="system",
    )


def require_sound(release: Release, inspection: Inspection) -> None:
    """Raises `IntegrityError` with everything that is wrong with a release."""
    problems = list(inspection.problems)
    if inspection.signer_removed:
        problems.append(f"its signer {release.author} was removed")
    if problems:
        raise IntegrityError(
            f"Release {release.id} is not what was signed, and nothing of it was executed: "
            + "; ".join(problems),
            todo="Train and release again, or restore the object store from its backup.",
        )
