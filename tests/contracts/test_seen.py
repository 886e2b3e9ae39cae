"""Notes about files: whatever is asked for is what was noted last, and only that."""

from __future__ import annotations

from pathlib import Path

import pytest

from taxiway.adapters.seen import SeenFiles
from taxiway.core.look import Look
from taxiway.core.ports import Seen

LOOK = Look(3, 1_700_000_000_123_456_789, 1_700_000_000_123_456_790, 2**62, 7)


def test_what_is_noted_is_known(seen: Seen) -> None:
    notes = {f"/data/{name}": (LOOK, name) for name in ("a", "b/c", "b.csv", "ü", "b/\n")}
    seen.note("pieces", notes)
    assert seen.known("pieces", Path("/data")) == notes
    assert seen.known("pieces", Path("/data/b")).keys() == {"/data/b/c", "/data/b/\n"}
    assert seen.known("pieces", Path("/data/b.csv")) == {"/data/b.csv": (LOOK, "b.csv")}
    assert seen.known("pieces", Path("/dat")) == {}
    assert seen.known("rows", Path("/data")) == {}
    seen.note("pieces", {"/data/a": (LOOK, "other")})
    assert seen.known("pieces", Path("/data/a")) == {"/data/a": (LOOK, "other")}


@pytest.mark.parametrize("broken", ["no database", "a folder", "cut", "read-only"])
def test_nothing_fails_because_of_it(tmp_path: Path, broken: str) -> None:
    file = tmp_path / "seen.db"
    seen = SeenFiles(file)
    seen.note("pieces", {"/data/a": (LOOK, "a" * 5000)})
    if broken == "a folder":
        file.unlink()
        file.mkdir()
    else:
        content = {"no database": b"x" * 4096, "cut": file.read_bytes()[:5000]}
        file.write_bytes(content.get(broken, b""))
    if broken == "read-only":
        file.chmod(0o444)
    assert seen.known("pieces", Path("/data")) == {}
    seen.note("pieces", {"/data/b": (LOOK, "b")})
    assert seen.known("pieces", Path("/data")).keys() <= {"/data/b"}


def test_a_note_that_can_not_be_written_is_none(seen: Seen) -> None:
    seen.note("pieces", {"/data/\udcff": (LOOK, "no unicode")})
    seen.known("pieces", Path("/data/\udcff"))
