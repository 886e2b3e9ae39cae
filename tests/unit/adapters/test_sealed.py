"""The sealed record: what was put in comes out, nothing is written, and nothing else passes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from taxiway import config
from taxiway.adapters.sealed import FILE, SealedRecord, seal
from taxiway.adapters.tables import TABLES
from taxiway.bootstrap.opened import Opened
from taxiway.core.digest import digest_bytes
from taxiway.core.errors import IntegrityError, MissingError, RefusedError
from taxiway.core.facts import Deployment, Model
from taxiway.core.people import Person


@pytest.mark.parametrize("kind", TABLES, ids=TABLES.values())
def test_every_kind_of_fact_comes_back_as_it_was(tmp_path: Path, fact: Any, kind: type) -> None:
    facts = [fact(kind, "one"), fact(kind, "two", full=True)]
    path = tmp_path / FILE
    path.write_bytes(seal(facts))
    record = SealedRecord(path, digest_bytes(seal(facts)))
    assert record.find(kind) == facts
    assert record.get(kind, "two") == facts[1]


def test_it_finds_by_fields_and_names_what_is_not_there(tmp_path: Path, fact: Any) -> None:
    path = tmp_path / FILE
    path.write_bytes(seal([fact(Deployment, "a", until=None), fact(Deployment, "b", full=True)]))
    record = SealedRecord(path)
    assert [one.id for one in record.find(Deployment, until=None)] == ["a"]
    assert record.find(Person) == []
    with pytest.raises(MissingError, match="No model in this bundle named 'churn'"):
        record.get(Model, "churn")


def test_nothing_is_written_and_nothing_is_said_of_the_ledger(tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.write_bytes(seal([]))
    record = SealedRecord(path)
    with pytest.raises(RefusedError, match="nothing is written to its record"):
        record.transaction(None)
    with pytest.raises(RefusedError, match="no ledger"):
        record.events()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        b'{"protocol":2,"facts":{}}',
        b'{"protocol":1,"facts":[]}',
        b'{"protocol":1,"facts":{"person":[{"id":"a"}]}}',
        b'{"protocol":1,"facts":{"person":[7]}}',
    ],
)
def test_what_is_no_sealed_record_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / FILE
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match="can't be read"):
        SealedRecord(path)


def test_a_bundle_is_opened_only_as_the_one_that_is_expected(
    tmp_path: Path, fact: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.create_workspace(tmp_path)
    monkeypatch.setenv("TAXIWAY_KEYS", str(tmp_path / "keys"))
    monkeypatch.setenv("TAXIWAY_DECISIONS", str(tmp_path / "log" / "of-pod-0"))
    path = tmp_path / config.STORE / FILE
    path.write_bytes(seal([fact(Person, "flights-owner")]))
    monkeypatch.setenv("TAXIWAY_BUNDLE", digest_bytes(path.read_bytes()))
    with Opened(tmp_path) as opened:
        assert [one.id for one in opened.people()] == ["flights-owner"]
    assert (tmp_path / "log" / "of-pod-0").is_dir()
    assert not list(path.parent.glob("*.db*"))
    path.write_bytes(json.dumps(json.loads(path.read_bytes())).encode())
    with pytest.raises(IntegrityError, match="of two renderings"):
        Opened(tmp_path)
    path.unlink()
    with pytest.raises(IntegrityError, match="There is no sealed record"):
        Opened(tmp_path)
