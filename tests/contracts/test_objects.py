"""Objects: content-addressed bytes, in every adapter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taxiway.adapters.bucket import BucketObjects, _key
from taxiway.adapters.folder import CHUNK
from taxiway.adapters.memory import MemoryObjects
from taxiway.core.digest import BLAKE3, digest_bytes
from taxiway.core.errors import IntegrityError, MissingError
from taxiway.core.ports import Objects

NOWHERE = digest_bytes(b"never stored")
NO_DIGESTS = ["", "sha256:", "sha256:../../etc/passwd", "no digest", NOWHERE[:-1], NOWHERE.upper()]
ALL_BUT_THE_PREFIX = NOWHERE.removeprefix("sha256:")


@pytest.fixture
def flip(objects: Objects, tmp_path: Path) -> Callable[[str], None]:
    """Changes one bit of a stored object behind the store's back."""

    def flipping(digest: str) -> None:
        if isinstance(objects, MemoryObjects):
            objects._objects[digest] = _flipped(objects._objects[digest])
            return
        if isinstance(objects, BucketObjects):
            key = _key(digest)
            objects._store.put(key, _flipped(bytes(objects._store.get(key).bytes())))
            return
        (path,) = (
            p for p in (tmp_path / "objects").glob("*/*") if digest.endswith(p.parent.name + p.name)
        )
        path.chmod(0o644)
        path.write_bytes(_flipped(path.read_bytes()))

    return flipping


def _flipped(content: bytes) -> bytes:
    return bytes([content[0] ^ 1]) + content[1:]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=2000))
def test_what_is_put_is_got(objects: Objects, content: bytes) -> None:
    digest = objects.put(content)
    assert digest == digest_bytes(content)
    assert objects.get(digest) == content
    assert objects.path(digest).read_bytes() == content
    assert objects.has(digest)


def test_putting_again_changes_nothing(objects: Objects) -> None:
    digest = objects.put(b"a model")
    before = objects.path(digest).read_bytes()
    assert objects.put(b"a model") == digest
    assert objects.path(digest).read_bytes() == before == objects.get(digest)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_a_file_is_its_content(objects: Objects, tmp_path: Path, size: int) -> None:
    content = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    path = tmp_path / "model.bin"
    path.write_bytes(content)
    digest = objects.put_file(path)
    assert digest == digest_bytes(content) == objects.put(content)
    assert objects.get(digest) == content
    assert objects.put_file(path) == digest
    assert path.read_bytes() == content


def test_the_local_file_is_read_only_and_stays(objects: Objects) -> None:
    digest = objects.put(b"a model")
    first = objects.path(digest)
    assert first.stat().st_mode & 0o222 == 0
    assert objects.path(digest) == first
    assert first.read_bytes() == b"a model"


@pytest.mark.parametrize("digest", [NOWHERE, ALL_BUT_THE_PREFIX, *NO_DIGESTS])
def test_what_is_not_there(objects: Objects, digest: str) -> None:
    objects.put(b"something else")
    assert not objects.has(digest)
    for read in (objects.get, objects.path):
        with pytest.raises(MissingError, match=r"is not in|is not a digest|No object named"):
            read(digest)


def test_a_digest_has_its_prefix(objects: Objects) -> None:
    digest = objects.put(b"a model").removeprefix("sha256:")
    assert not objects.has(digest)
    with pytest.raises(MissingError, match=r"is not a digest|No object named"):
        objects.get(digest)


def test_one_flipped_bit_is_found(objects: Objects, flip: Callable[[str], None]) -> None:
    digest, other = objects.put(b"a model"), objects.put(b"another model")
    flip(digest)
    for read in (objects.get, objects.path):
        with pytest.raises(IntegrityError, match=r"was changed on disk|is not what was stored"):
            read(digest)
    assert objects.has(digest)  # it doesn't verify
    assert objects.get(other) == b"another model"


def test_a_piece_of_a_file_by_another_hash(objects: Objects, tmp_path: Path) -> None:
    """BLAKE3's own test vector for no bytes, and for bytes 0, 1, 2."""
    path = tmp_path / "photo.bin"
    path.write_bytes(b"before" + bytes(range(3)) + b"after")
    nothing = objects.put(b"", by=BLAKE3)
    piece = objects.put_file(path, (6, 3), by=BLAKE3, synced=False)
    assert nothing == "blake3:af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
    assert piece == "blake3:e1be4d7a8ab5560aa4199eea339849ba8e293d55ca0a81006726d184519e647f"
    assert objects.get(piece) == objects.path(piece).read_bytes() == bytes(range(3))
    assert objects.has(piece)


def test_what_is_absent(objects: Objects) -> None:
    there = {objects.put(f"content {n}".encode()) for n in range(3)}
    assert objects.absent([*there, NOWHERE]) == {NOWHERE}
    many = {
        digest_bytes(f"never {n}".encode()) for n in range(70)
    }  # more than are asked one by one
    assert objects.absent(there | many) == many
    assert objects.absent([]) == set()


def test_what_is_listed(objects: Objects) -> None:
    began = datetime.now(UTC) - timedelta(seconds=2)
    wanted = {objects.put(b"one"): 3, objects.put(b"three", by=BLAKE3): 5}
    found = list(objects.listed())
    assert {one.digest: one.bytes for one in found} == wanted
    assert all(began < one.at < datetime.now(UTC) + timedelta(seconds=2) for one in found)


def test_what_is_removed(objects: Objects) -> None:
    old, kept = objects.put(b"old"), objects.put(b"kept")
    later = datetime.now(UTC) + timedelta(seconds=2)
    assert objects.remove(old, before=later) == 3
    assert objects.remove(old, before=later) == 0  # it is gone
    assert not objects.has(old)
    assert objects.remove(NOWHERE, before=later) == 0
    assert objects.remove(kept, before=later - timedelta(hours=1)) == 0  # it is young
    assert objects.get(kept) == b"kept"
    assert objects.put(b"old") == old
    assert objects.get(old) == b"old"
