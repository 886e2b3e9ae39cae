"""Formats that are written down for ever: today's bytes beside those in `tests/golden`.

A golden file is named by its format and protocol number. It is read by every later taxiway; what
is written today has to be the same, byte by byte, as long as the number is.
"""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from taxiway.adapters.decisions import PROTOCOL, DecisionLog, parquet
from taxiway.adapters.sql import REVISION, open_record
from taxiway.core.charter import Charter
from taxiway.core.contract import contract_from
from taxiway.core.decision import Decision, Outcome
from taxiway.core.digest import canonical_json, digest_bytes, digest_of
from taxiway.core.facts import Deployment
from taxiway.core.ledger import GENESIS, Draft, Event, broken_links
from taxiway.core.people import Deviation, Resolution, Review, SignOff

GOLDEN = Path(__file__).parents[2] / "golden"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DRAFT = Draft(
    at=NOON,
    actor="flights-engineer",
    action="deployment.promoted",
    subject="flight-delays:3",
    model="flight-delays",
    digest=digest_bytes(b"a manifest"),
    details={"environment": "prod", "replaces": None, "share": 0.1, "é": [1, True]},
)
SIGN_OFF = SignOff(
    id="01kb0000000000000000000000",
    check="DV-04",
    release="flight-delays:3",
    model="flight-delays",
    person="flights-validator",
    line=2,
    model_digest=digest_bytes(b"a manifest"),
    data_digest=digest_bytes(b"a snapshot"),
    evidence_digest=digest_bytes(b"evidence"),
    reason="The holdout is younger than the training data, as it has to be.",
    at=NOON,
    signature="not in the payload",
)
DEVIATION = Deviation(
    id="01kb0000000000000000000001",
    check="DV-09",
    release="flight-delays:3",
    model="flight-delays",
    reason="No group is large enough yet.",
    risk="A group may be served worse, unseen, for a month.",
    until=NOON.replace(year=2027),
    state="granted",
    asked_by="flights-developer",
    asked_at=NOON,
    decided_by="flights-validator",
    decided_at=NOON,
    signature="not in the payload",
)
REVIEW = Review(
    id="01kb000000000000000000000a",
    model="flight-delays",
    environment="prod",
    release="flight-delays:3",
    because=("borderline",),
    proposed="yes",
    opened_at=NOON,
    due=NOON,
    state="taken",
    taken_signature="not in the payload",
)
RESOLUTION = Resolution(
    id="01kb000000000000000000000b",
    model="flight-delays",
    finding="acc90088",
    content=digest_bytes(b"a finding"),
    decision="accept",
    says="year of flights.csv and planes.csv mean something else.",
    mapping={"table": "planes.csv", "column": "year", "steps": [{"do": "rename", "to": "built"}]},
    tables={"flights.csv": digest_bytes(b"flights"), "planes.csv": digest_bytes(b"planes")},
    reason="a plane's year is when it was built",
    person="flights-owner",
    at=NOON,
    signature="not in the payload",
)
DECISIONS = [
    Decision(
        id="01kb000000000000000000000a",
        model="flight-delays",
        release="flight-delays:3",
        release_digest=digest_bytes(b"a manifest"),
        environment="prod",
        channel="http",
        key='{"flight":11}',
        happened_at=NOON,
        at=NOON.replace(microsecond=1),
        inputs={"origin": "JFK", "distance": 719.0, "é": None},
        output={"prediction": True, "probability": 0.1 + 0.2, "reasons": ["origin"]},
        latency_us=812,
    )
]
OUTCOMES = [
    Outcome("flight-delays", '{"flight":11}', True, NOON),
    Outcome("flight-delays", '{"flight":12}', 0.5, NOON),
]


def event_of(folder: Path) -> Event:
    record = open_record(folder / "record.db")
    with record.transaction(None) as change:
        event = change.log(DRAFT)
    record.close()
    return event


def ledger_event(folder: Path) -> bytes:
    return canonical_json(event_of(folder))


def ledger_head(folder: Path) -> bytes:
    event_of(folder)
    return (folder / "ledger.head").read_bytes()


def record_schema(folder: Path) -> bytes:
    open_record(folder / "record.db").close()
    return schema_of(folder / "record.db")


def decision_log(folder: Path) -> bytes:
    """Both files as SQL: their schema and one row of each kind."""
    path = folder / "decisions.db"
    log = DecisionLog(path, now=lambda: NOON)
    log.append(DECISIONS)
    log.add_outcomes(OUTCOMES)
    log.close()
    (segment,) = (folder / "decisions" / "open").glob("*.db")
    return as_sql(path, "outcome") + as_sql(segment, "source", "decision", "segment")


def as_sql(path: Path, *tables: str) -> bytes:
    connection = sqlite3.connect(path)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    lines = [f"PRAGMA user_version={version};\n", schema_of(path).decode()]
    for table in tables:
        names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        quoted = ", ".join(f"quote({name})" for name in names)
        rows = connection.execute(f"SELECT {quoted} FROM {table}")  # noqa: S608 - names of ours
        insert = f"INSERT INTO {table} VALUES"
        lines += [f"{insert} ({', '.join(row)});\n" for row in rows]
    connection.close()
    return "".join(lines).encode()


def closed_file(folder: Path) -> bytes:
    """The columns of a closed file, and the row in it."""
    import polars as pl

    log = DecisionLog(folder / "decisions.db", now=lambda: NOON)
    log.append(DECISIONS)
    log.let_go()
    (name,) = log.close_segments().files
    log.close()
    assert name.startswith("model=flight-delays/environment=prod/day=2026-11-23/")
    frame = pl.read_parquet(folder / "decisions" / "closed" / name, hive_partitioning=False)
    return canonical_json(
        {
            "columns": {name: str(dtype) for name, dtype in frame.schema.items()},
            "row": {name: str(value) for name, value in frame.row(0, named=True).items()},
        }
    )


def closed_file_of_a_batch(folder: Path) -> bytes:
    """The columns that a batch's closed file has instead of `inputs`, and its row."""
    import polars as pl

    (one,) = DECISIONS
    plain = {field.name: getattr(one, field.name) for field in dataclasses.fields(one)}
    texts = {"output": json.dumps(one.output), "withheld": "[]"}
    said = {name: one.output[name] for name in ("prediction", "probability")}
    frame = pl.DataFrame([{**plain, **texts, **said}]).with_columns(
        pl.col("happened_at", "at").dt.cast_time_unit("us")
    )
    log = DecisionLog(folder / "decisions.db", now=lambda: NOON)
    log.append_frame(frame)
    assert list(log.scan("flight-delays")) == DECISIONS
    with log.frame() as view:
        assert view.collect_schema() == parquet.schema()
    log.close()
    (path,) = (folder / "decisions" / "closed").rglob("*.parquet")
    written = pl.read_parquet(path, hive_partitioning=False)
    names = [n for n in written.columns if n.startswith(parquet.INPUT) or n not in parquet.schema()]
    return canonical_json(
        {
            "columns": {name: str(written.schema[name]) for name in names},
            "row": {name: str(written[name][0]) for name in names},
            "without": sorted(set(parquet.schema()) - set(written.columns)),
        }
    )


def schema_of(path: Path) -> bytes:
    connection = sqlite3.connect(path)
    found = connection.execute(
        "SELECT sql FROM sqlite_master WHERE sql NOT NULL ORDER BY type = 'index', name"
    )
    # White space is the database library's, and may change with it.
    text = "".join(f"{' '.join(statement.split())};\n" for (statement,) in found)
    connection.close()
    return text.encode()


def contract(_: Path) -> bytes:
    return canonical_json(contract_from(json.loads((GOLDEN / "contract-1.json").read_text())))


def charter(_: Path) -> bytes:
    read = Charter.model_validate_json((GOLDEN / "charter-1.json").read_bytes())
    return canonical_json(read.model_dump(mode="json"))


FORMATS: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "event-1.json": (ledger_event, "`taxiway/event/1` in core/ledger.py"),
    "sign-off-1.json": (lambda _: SIGN_OFF.payload(), "`taxiway/sign-off/1` in core/people.py"),
    "deviation-1.json": (lambda _: DEVIATION.payload(), "`taxiway/deviation/1` in core/people.py"),
    "case-1.json": (
        lambda _: REVIEW.payload("overridden", "flights-reviewer", "the gate is free"),
        "`taxiway/case/1` in core/people.py",
    ),
    "resolution-1.json": (
        lambda _: RESOLUTION.payload(),
        "`taxiway/resolution/1` in core/people.py",
    ),
    "ledger-head-1.json": (ledger_head, "`protocol` in SqlRecord._write_head"),
    f"decision-log-{PROTOCOL}.sql": (decision_log, "PROTOCOL in adapters/decisions/catalogue.py"),
    f"closed-file-{PROTOCOL}.json": (closed_file, "PROTOCOL in adapters/decisions/catalogue.py"),
    f"closed-file-of-a-batch-{PROTOCOL}.json": (
        closed_file_of_a_batch,
        "PROTOCOL in adapters/decisions/catalogue.py",
    ),
    f"record-{REVISION}.sql": (record_schema, "REVISION in adapters/sql.py, with a new migration"),
    "contract-1.json": (contract, "the digest of every contract that was ever kept"),
    "charter-1.json": (charter, "`charter: 1` in core/charter.py"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_today_s_bytes_are_those_of_the_golden_file(name: str, tmp_path: Path) -> None:
    write, number = FORMATS[name]
    today = write(tmp_path)
    (tmp_path / name).write_bytes(today)
    path = GOLDEN / name
    assert path.exists(), f"A new format: look at {tmp_path / name}, and copy it to {path}."
    assert today == path.read_bytes(), (
        f"What is written today is not what {path} holds, and records out there hold that."
        f" Raise the number ({number}), keep a reader for the old one and its golden file with a"
        f" test that reads it, and add a golden file for the new one from {tmp_path / name}."
    )


# The readers of what was written


def test_an_event_from_its_golden_file_holds() -> None:
    plain = json.loads((GOLDEN / "event-1.json").read_bytes())
    event = Event(**{**plain, "at": NOON})
    assert list(broken_links([event])) == []
    assert (event.seq, event.previous) == (1, GENESIS)
    for field in dataclasses.fields(DRAFT):
        assert getattr(event, field.name) == getattr(DRAFT, field.name)


def test_the_head_is_of_the_event() -> None:
    head = json.loads((GOLDEN / "ledger-head-1.json").read_bytes())
    event = json.loads((GOLDEN / "event-1.json").read_bytes())
    assert head == {"protocol": 1, "seq": 1, "hash": event["hash"]}


def test_a_decision_log_of_protocol_1_is_read(tmp_path: Path) -> None:
    path = tmp_path / "decisions.db"
    connection = sqlite3.connect(path)
    connection.executescript((GOLDEN / "decision-log-1.sql").read_text())
    connection.close()
    for _ in range(2):
        log = DecisionLog(path)
        assert list(log.scan("flight-delays")) == DECISIONS
        assert log.outcomes("flight-delays") == {o.key: o.label for o in OUTCOMES}
        log.close()


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_a_decision_log_from_its_golden_file_is_read(protocol: int, tmp_path: Path) -> None:
    golden = (GOLDEN / f"decision-log-{protocol}.sql").read_text()
    kept, segment = (
        f"PRAGMA user_version={part}" for part in golden.split("PRAGMA user_version=")[1:]
    )
    (tmp_path / "decisions" / "open").mkdir(parents=True)
    for name, content in (("decisions.db", kept), ("decisions/open/a.db", segment)):
        connection = sqlite3.connect(tmp_path / name)
        connection.executescript(content)
        connection.close()
    log = DecisionLog(tmp_path / "decisions.db")
    assert list(log.scan("flight-delays")) == DECISIONS
    assert log.outcomes("flight-delays") == {o.key: o.label for o in OUTCOMES}
    log.close()


def test_a_closed_file_of_protocol_2_is_read_beside_those_of_today(tmp_path: Path) -> None:
    import polars as pl

    path = tmp_path / "decisions.db"
    log = DecisionLog(path, now=lambda: NOON)
    log.append(DECISIONS)
    log.let_go()
    (name,) = log.close_segments().files
    log.close()
    file = tmp_path / "decisions" / "closed" / name
    known = json.loads((GOLDEN / "closed-file-2.json").read_text())["columns"]
    pl.read_parquet(file, hive_partitioning=False).select(
        column for column in parquet.schema() if column in known
    ).write_parquet(file)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=2")
    connection.close()

    log = DecisionLog(path, now=lambda: NOON)
    (first,) = DECISIONS
    number = dataclasses.replace(first, id="01kb000000000000000000000b", output={"prediction": 7.5})
    log.append([number])
    log.let_go()
    log.close_segments()
    assert list(log.scan("flight-delays")) == [first, number]
    with log.frame() as view:
        said = view.sort("id").select("prediction", "probability", "predicted").collect().rows()
    log.close()
    assert said == [(True, first.output["probability"], None), (None, None, 7.5)]


def golden_record(folder: Path, revision: str) -> Path:
    path = folder / "record.db"
    connection = sqlite3.connect(path)
    connection.executescript((GOLDEN / f"record-{revision}.sql").read_text())
    connection.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
    connection.commit()
    connection.close()
    return path


REVISIONS = [f"{number:04}" for number in range(1, int(REVISION) + 1)]


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_record_from_its_golden_schema_is_opened(revision: str, tmp_path: Path) -> None:
    golden_record(tmp_path, revision)
    assert event_of(tmp_path).hash == json.loads((GOLDEN / "event-1.json").read_bytes())["hash"]
    assert schema_of(tmp_path / "record.db").count(b"CREATE TRIGGER") == (
        (GOLDEN / f"record-{REVISION}.sql").read_bytes().count(b"CREATE TRIGGER")
    )


def test_a_deployment_from_before_there_were_shares_keeps_its_digest(tmp_path: Path) -> None:
    path = golden_record(tmp_path, "0001")
    connection = sqlite3.connect(path)
    at = "2026-11-23T12:00:00.000000Z"
    row = ("d", "m", "prod", "champion", "m:1", "", "", "[]", None, "promotion", at, "eva", None)
    marks = ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO deployment VALUES ({marks})", row)  # noqa: S608 - marks only
    connection.commit()
    connection.close()
    record = open_record(path)
    (kept,) = record.find(Deployment)
    record.close()
    # As 0001 wrote it into its ledger: without a share.
    names = [f.name for f in dataclasses.fields(Deployment) if f.name != "share"]
    assert kept.share is None
    assert digest_of(kept) == digest_of({name: getattr(kept, name) for name in names})
    assert digest_of(dataclasses.replace(kept, share=10)) != digest_of(kept)


def test_digests_of_what_people_wrote_stay() -> None:
    plain = json.loads((GOLDEN / "contract-1.json").read_bytes())
    assert contract_from(plain).digest == digest_bytes((GOLDEN / "contract-1.json").read_bytes())
    read = Charter.model_validate_json((GOLDEN / "charter-1.json").read_bytes())
    assert read.digest == digest_bytes((GOLDEN / "charter-1.json").read_bytes())
