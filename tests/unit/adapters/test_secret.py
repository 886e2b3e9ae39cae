"""The key of pseudonyms: made once, for its owner alone, and never guessed."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from taxiway.adapters.secret import secret_of
from taxiway.core.errors import IntegrityError, MissingError, RefusedError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "pseudonyms.key"


def test_it_is_made_once_for_all_who_ask_at_the_same_time(path: Path) -> None:
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(secret_of(path, create=True)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert len(found[0]) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["pseudonyms.key"]


def test_who_only_looks_makes_none(path: Path) -> None:
    with pytest.raises(MissingError, match="is not on this machine"):
        secret_of(path, create=False)
    assert not path.exists()


def test_others_may_not_read_it(path: Path) -> None:
    secret_of(path, create=True)
    path.chmod(0o640)
    with pytest.raises(RefusedError, match="Others can read"):
        secret_of(path, create=False)


@pytest.mark.parametrize("content", [b"", b"xyz", b"ab" * 31, b"ab" * 33, b"\xff" * 64])
def test_what_is_no_key(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(IntegrityError, match="is no key of pseudonyms"):
        secret_of(path, create=True)
    assert path.read_bytes() == content
