"""Parts: the rows of a snapshot as Parquet objects, cut where the rows themselves say.

Where a part ends is decided by a hash of a row's key, never by the row's number. Rows that are
added, left out or changed move only the borders near them: every other part has the same bytes in
the next snapshot, and is stored once (docs/adr/0021-snapshots-in-parts.md).

The list of the parts is a document of its own (protocol 1), whose digest is the snapshot's data:

{"protocol": 1, "rows": n, "bytes": n, "parts": [{"digest", "rows", "bytes"}, ...]}
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from taxiway.core.contract import Contract
from taxiway.core.digest import canonical_json, short
from taxiway.core.errors import IntegrityError, StoreError, shortened
from taxiway.core.facts import Snapshot
from taxiway.core.ports import Objects
from taxiway.data.source import Source, batches, fingerprint, typed

PROTOCOL = 1
"""Raise it when a key changes its meaning, and keep a reader for the old number."""

MEAN = 65_536
"""Rows between two borders, on average, once a part has the least."""
LEAST = 16_384
MOST = 262_144
SEED = 21
ROW_GROUP = 131_072
"""Rows in a row group; fixed, so that equal rows are equal bytes."""
PARQUET = b"PAR1"


@dataclass(frozen=True, slots=True)
class Part:
    """One object with rows of a snapshot."""

    digest: str
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class PartList:
    """The parts of a snapshot, in the order of its rows."""

    parts: tuple[Part, ...]

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)

    @property
    def bytes(self) -> int:
        return sum(part.bytes for part in self.parts)

    @property
    def digests(self) -> list[str]:
        return [part.digest for part in self.parts]

    def document(self) -> dict[str, Any]:
        """The list as it is stored."""
        parts = [{"digest": p.digest, "rows": p.rows, "bytes": p.bytes} for p in self.parts]
        return {"protocol": PROTOCOL, "rows": self.rows, "bytes": self.bytes, "parts": parts}

    def shared(self, digests: Iterable[str]) -> tuple[int, int]:
        """How many parts are among other digests, and their bytes."""
        others = set(digests)
        same = [part.bytes for part in self.parts if part.digest in others]
        return len(same), sum(same)


def write_parts(source: Source, contract: Contract, folder: Path) -> list[tuple[Path, Part]]:
    """Writes the typed rows of a source that was validated, as parts in a folder.

    Memory does not grow with the rows. The same rows become the same parts.
    """
    frames = (raw.select(typed(source, contract)) for raw in batches(source))
    written = []
    try:
        for at, rows in enumerate(cut(frames, contract.key)):
            path = folder / f"{at:06}.parquet"
            rows.write_parquet(path, compression="zstd", row_group_size=ROW_GROUP)
            about = fingerprint(path)
            written.append((path, Part(about.digest, rows.height, about.bytes)))
    except (pl.exceptions.PolarsError, OSError) as error:
        # The rows were all read a moment ago: what fails now is the writing.
        why = shortened(str(error).strip().split("\n", 1)[0])
        raise StoreError(
            f"The rows could not be written to {folder}: {why}.",
            todo="Free some space there, or name another folder with TMPDIR; nothing was kept.",
        ) from None
    return written


def cut(frames: Iterable[pl.DataFrame], key: Sequence[str]) -> Iterator[pl.DataFrame]:
    """The rows in parts, in their order. A border lies behind a row whose key (all of the row, if
    there is none) has a hash that a `MEAN`-th of all keys have.

    However the rows come, in one frame or in many, the parts are the same.
    """
    waiting: list[pl.DataFrame] = []
    held = 0
    for frame in frames:
        borders, start = _borders(frame, key), 0
        while start < frame.height:
            at = int(np.searchsorted(borders, start + max(LEAST - held, 1)))
            next_border = int(borders[at]) if at < len(borders) else frame.height + MOST
            stop = min(next_border, start + MOST - held)
            waiting.append(frame.slice(start, stop - start))
            held += waiting[-1].height
            start = stop
            if stop <= frame.height:
                yield pl.concat(waiting, rechunk=True)
                waiting, held = [], 0
    if held:
        yield pl.concat(waiting, rechunk=True)


def _borders(frame: pl.DataFrame, key: Sequence[str]) -> np.ndarray[Any, Any]:
    """Numbers of the rows, from 1, behind which a part may end."""
    hashed = frame.select(pl.struct(key or frame.columns).hash(SEED) % MEAN == 0).to_series()
    return hashed.arg_true().to_numpy() + 1


def store_list(objects: Objects, written: Sequence[tuple[Path, Part]], kept: set[str]) -> str:
    """Stores parts and their list, and answers its digest. Those that are `kept` are there."""
    for path, part in written:
        if part.digest not in kept:
            objects.put(path.read_bytes())
    return objects.put(canonical_json(PartList(tuple(part for _, part in written)).document()))


def list_of(objects: Objects, snapshot: Snapshot) -> PartList:
    """The parts of a snapshot. One of the first kind is one Parquet object, and so one part.

    Raises `MissingError` or `IntegrityError`.
    """
    path = objects.path(snapshot.data_digest)
    with path.open("rb") as file:
        if file.read(len(PARQUET)) == PARQUET:
            return PartList((Part(snapshot.data_digest, snapshot.rows, path.stat().st_size),))
    document = json.loads(path.read_bytes())
    if document["protocol"] != PROTOCOL:
        raise IntegrityError(
            f"The parts of snapshot {short(snapshot.id)} are listed by protocol"
            f" {document['protocol']}, and this taxiway reads {PROTOCOL}.",
            todo="Use the taxiway that took the snapshot, or a newer one.",
        )
    return PartList(tuple(Part(**part) for part in document["parts"]))


def scan_parts(objects: Objects, parts: PartList) -> pl.LazyFrame:
    """The rows of the parts, lazily and in their order. Every part is verified first."""
    return pl.scan_parquet([objects.path(digest) for digest in parts.digests], glob=False)
