"""The ledger holds in a workspace where nobody cheated, and names what somebody changed by hand."""

from __future__ import annotations

import base64
import copy
import dataclasses
import itertools
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from taxiway.adapters.ed25519 import verify
from taxiway.adapters.memory import MemoryDecisions, MemoryObjects, MemoryRecord
from taxiway.adapters.sql import HEAD_FILE, SqlRecord, open_record, read_head
from taxiway.adapters.tables import TABLES
from taxiway.core import evidence as kinds
from taxiway.core.charter import Charter, Owners
from taxiway.core.check import Case, FlightCheck, Status, Verdict
from taxiway.core.decision import Decision
from taxiway.core.digest import digest_of, utc_text
from taxiway.core.errors import IntegrityError
from taxiway.core.evidence import Evidence, observed
from taxiway.core.facts import (
    Alert,
    Deployment,
    Developed,
    Finding,
    Model,
    Proposal,
    Release,
    Run,
    Snapshot,
)
from taxiway.core.ledger import GENESIS, Draft, Event, chain_hash, draft_of
from taxiway.core.moves import HANDOFF_STAGES
from taxiway.core.operation import Retraining
from taxiway.core.people import Binding, Person
from taxiway.core.ports import FACTS, Actor, Desk, Record
from taxiway.governance import cases, deviation, handoff, meaning
from taxiway.governance.catalogue import find_check
from taxiway.governance.checks.audit import ledger
from taxiway.governance.consumers import add_consumer
from taxiway.governance.ledger import (
    Head,
    LedgerReport,
    events_shown,
    ledger_evidence,
    verify_ledger,
)
from taxiway.governance.people import add_person, remove_person
from taxiway.governance.sign_off import sign_off
from taxiway.monitoring.closing import Closing
from taxiway.monitoring.watch import _write
from taxiway.monitoring.windows import Window
from taxiway.release.promotion import Wanted, promote, rollback
from taxiway.retraining.comparison import record_comparison
from taxiway.retraining.decide import accept
from taxiway.retraining.proposal import propose

MADE_BY_TRAINING = (kinds.PLAN, kinds.CODE, kinds.RERUN, kinds.LEAKAGE, kinds.METRICS)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MODEL = "flight-delays"
OWNERS = {
    "business": "flights-owner",
    "data": "flights-data",
    "development": "flights-developer",
    "engineering": "flights-engineer",
    "validation": "flights-validator",
}
PEOPLE = {
    "flights-owner": "owner",
    "flights-data": "owner",
    "flights-developer": "developer",
    "flights-engineer": "engineer",
    "flights-validator": "validator",
    "flights-auditor": "auditor",
}


def only_what_retraining_reads() -> Charter:
    partly: Any = Charter.model_construct
    charter: Charter = partly(
        name=MODEL,
        owners=Owners(business="flights-owner"),
        retraining=Retraining(triggers=["performance"], decided_by="business"),
    )
    return charter


CHARTER = only_what_retraining_reads()


class World:
    """A workspace and its story, told by those who write into the record.

    What a fit, a snapshot or a closed window writes is written here as they write it, without the
    data; everything else is done by the functions that the verbs call.
    """

    def __init__(self, record: Record, folder: Path) -> None:
        self.record, self.folder = record, folder
        self.private = {name: Ed25519PrivateKey.generate() for name in PEOPLE}
        self._ids, self._minutes = itertools.count(1), itertools.count()

    def create(self, name: str) -> str:
        """A key, as `ports.Keys` makes it."""
        return base64.b64encode(self.private[name].public_key().public_bytes_raw()).decode()

    def names(self) -> list[str]:
        return sorted(self.private)

    def sign(self, name: str, content: bytes) -> str:
        return base64.b64encode(self.private[name].sign(content)).decode()

    def desk(self, name: str | None = None) -> Desk:
        actor = None
        if name is not None:
            actor = Actor(name, (PEOPLE[name],), lambda content: self.sign(name, content))
        return Desk(
            record=self.record,
            objects=MemoryObjects(),
            decisions=MemoryDecisions(),
            verify=verify,
            now=lambda: NOON + timedelta(minutes=next(self._minutes) / 10),
            new_id=lambda: f"id-{next(self._ids):06}",
            actor=actor,
        )

    def head(self) -> Head | None:
        """The head beside the database; in memory, the newest event."""
        if isinstance(self.record, SqlRecord):
            found = read_head(self.folder / HEAD_FILE)
            return Head(*found) if found else None
        events = list(self.record.events())
        return Head(events[-1].seq, events[-1].hash) if events else None

    def verified(self) -> LedgerReport:
        return verify_ledger(self.record, verify, head=self.head())

    def by_hand(self, *statements: str, parameters: tuple[object, ...] = ()) -> None:
        """What somebody with the file and `sqlite3` does, who drops the triggers first."""
        with closing(sqlite3.connect(self.folder / "record.db")) as connection:
            triggers = connection.execute("SELECT name FROM sqlite_master WHERE type='trigger'")
            for (name,) in triggers.fetchall():
                connection.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                assert connection.execute(statement, parameters).rowcount
            connection.commit()

    def problems(self, *statements: str, parameters: tuple[object, ...] = ()) -> list[str]:
        """All that is wrong after something was done by hand."""
        self.by_hand(*statements, parameters=parameters)
        return list(self.verified().problems)

    def edit(self, seq: int, column: str, value: object) -> list[str]:
        """All that is wrong after one column of an event was changed."""
        statement = f"UPDATE ledger SET {column} = ? WHERE seq = ?"  # noqa: S608 - names of ours
        return self.problems(statement, parameters=(value, seq))

    def event(self, action: str) -> Event:
        return next(event for event in self.record.events() if event.action == action)

    def add_event(self, draft: Draft, *, sign: Callable[[bytes], str] | None = None) -> None:
        """An event that fits into the chain, written into the file beside the rules."""
        last = list(self.record.events())[-1]
        hashed = chain_hash(last.seq + 1, draft, last.hash)
        row = (
            last.seq + 1,
            utc_text(draft.at),
            draft.actor,
            draft.action,
            draft.subject,
            draft.model,
            draft.digest,
            json.dumps(draft.details),
            last.hash,
            hashed,
            sign(hashed.encode()) if sign else "",
            json.dumps(draft.facts),
        )
        marks = ", ".join("?" * len(row))
        self.by_hand(f"INSERT INTO ledger VALUES ({marks})", parameters=row)  # noqa: S608


def tell(world: World) -> None:
    """From the first person to a rollback, an alarm and a retraining."""
    for name, role in PEOPLE.items():
        actor = None if name == "flights-owner" else "flights-owner"
        add_person(world.desk(actor), world, name, [role])
    plan(world)
    snapshot = take(world)
    first, second = (fit(world, snapshot, number) for number in (1, 2))
    rehearse(world, first)
    signatures(world, first)
    work_between_owners(world, snapshot, first)
    add_consumer(
        world.desk("flights-engineer"),
        world.record.get(Model, MODEL),
        "gate-planning",
        purpose="planning",
        permitted=["planning"],
        until=NOON + timedelta(days=30),
        requests_per_minute=60,
    )
    for environment in ("dev", "qa", "prod"):
        move(world, first, environment)
    for environment in ("dev", "qa", "prod"):
        move(world, second, environment)
    engineer = world.desk("flights-engineer")
    rollback(
        engineer,
        MODEL,
        "prod",
        reason="complaints",
        find_release=lambda name: world.record.get(Release, name),
        sound=lambda _: None,
    )
    review(world)
    settled(world)
    watched(world, 10)
    decided = proposed(world)
    compared(world, decided)
    accept(world.desk("flights-owner"), decided.id, charter=CHARTER, reason="better")
    # What waits still: a proposal that grew, one more alert, and a run that was killed.
    watched(world, 7)
    proposed(world)
    watched(world, 8)
    compared(world, proposed(world))
    watched(world, 9)
    start(world, "sha256:s")
    remove_person(world.desk("flights-owner"), "flights-auditor", "left the firm")


def review(world: World) -> None:
    """A case that the endpoint lets somebody take, and that an owner decides."""
    output = {"prediction": True, "probability": 0.3, "review": {"because": ["borderline"]}}
    case = Decision(
        "case", MODEL, f"{MODEL}:1", "sha256:m1", "prod", "http", "{}", NOON, NOON, {}, output, 1
    )
    terms = cases.Terms("flights-engineer", timedelta(days=300), "escalate")
    desk = world.desk()
    payload = cases.standing(desk, case, terms).payload("taken", "flights-engineer")
    signature = world.sign("flights-engineer", payload)
    cases.take(desk, case, terms, cases.sent_by(desk, "flights-engineer", signature))
    owner = world.desk("flights-owner")
    who = cases.bearer(owner, "decide it")
    cases.decide(owner, case, terms, who, answer="no", reason="free")


def settled(world: World) -> None:
    """A finding of meaning that an owner accepts."""
    finding = {
        "id": "acc90088",
        "content": "sha256:f",
        "says": "year means something else",
        "mapping": {"table": "b", "column": "year", "steps": [{"do": "rename", "to": "built"}]},
        "left": {"table": "a", "column": "year"},
        "right": {"table": "b", "column": "year"},
        "contracts": ["sha256:a", "sha256:b"],
    }
    desk = world.desk("flights-owner")
    meaning.resolve(desk, MODEL, finding, decision="accept", mapping=None, reason="so it is")


def plan(world: World) -> None:
    """As `charter.register` writes a plan."""
    desk = world.desk("flights-owner")
    model = Model(
        MODEL, "classification", "low", "sha256:c", "flights", OWNERS, NOON, "flights-owner"
    )
    with desk.change("charter.planned", MODEL, model=MODEL) as change:
        change.add(model)
        developer = OWNERS["development"]
        change.add(Developed(f"{MODEL}/{developer}", MODEL, developer, NOON))
        change.add(seen(desk, kinds.PLAN, MODEL, "flights-owner"))
        change.digest = "sha256:c"
        change.details = {"tier": "low", "tier_reasons": [], "owners": OWNERS, "before": None}


def seen(desk: Desk, kind: str, subject: str, by: str, **fields: Any) -> Evidence:
    given: dict[str, Any] = {"examined": 9, "found": {"rows": 9}} | fields
    return observed(
        kind, id=desk.new_id(), subject=subject, model=MODEL, at=desk.now(), by=by, **given
    )


def take(world: World) -> Snapshot:
    """As `data.snapshot` writes a snapshot."""
    desk, by = world.desk("flights-data"), "flights-data"
    snapshot = Snapshot(
        "sha256:s", MODEL, "sha256:k", "sha256:d", "sha256:p", "f.parquet", 9, None, None, NOON, by
    )
    with desk.change("snapshot.taken", snapshot.id, model=MODEL) as change:
        change.add(snapshot)
        for kind in (kinds.PROVENANCE, kinds.VALIDATION):
            digests = {"data": "sha256:d", "contract": "sha256:k"}
            change.add(seen(desk, kind, snapshot.id, by, digests=digests))
        change.digest = snapshot.id
        change.details = {
            "rows": 9,
            "data": "sha256:d",
            "contract": "sha256:k",
            "source": {"name": "f.parquet", "digest": "sha256:f"},
        }
    return snapshot


def start(world: World, snapshot: str) -> Run:
    desk, by = world.desk("flights-developer"), "flights-developer"
    run = Run(desk.new_id(), MODEL, snapshot, "sha256:o", "sha256:v", 7, {}, "started", by, NOON)
    with desk.change("run.started", run.id, model=MODEL) as change:
        change.add(run)
    return run


def fit(world: World, snapshot: Snapshot, number: int) -> Release:
    """As `training.run` writes a run that failed, and one that became a release."""
    desk, by = world.desk("flights-developer"), "flights-developer"
    run = start(world, snapshot.id)
    with desk.change("run.failed", run.id, model=MODEL) as change:
        change.replace(run, dataclasses.replace(run, state="failed", error="no rows"))
    run = start(world, snapshot.id)
    name, digest, metrics = f"{MODEL}:{number}", f"sha256:m{number}", {"roc_auc": {"value": 0.7}}
    release = Release(
        name,
        MODEL,
        number,
        digest,
        run.id,
        snapshot.id,
        snapshot.data_digest,
        "sha256:c",
        snapshot.contract_digest,
        by,
        "",
        NOON,
    )
    with desk.change("release.created", name, model=MODEL) as change:
        change.add(release)
        ended = dataclasses.replace(run, state="finished", metrics=metrics, release=name)
        change.replace(run, ended)
        for kind in MADE_BY_TRAINING:
            bound = {"model": digest, "snapshot": snapshot.id}
            if kind == kinds.PLAN:
                bound = {"charter": "sha256:c"}
            change.add(seen(desk, kind, name, by, digests=bound))
        change.digest = digest
        change.details = {"run": run.id, "snapshot": snapshot.id, "metrics": metrics}
    return release


def rehearse(world: World, release: Release) -> None:
    """As `bootstrap.serving` writes a rehearsal."""
    desk = world.desk("flights-engineer")
    evidence = seen(desk, kinds.REHEARSAL, release.id, "flights-engineer")
    with desk.change("release.rehearsed", release.id, model=MODEL) as change:
        change.add(evidence)
        change.digest = release.digest
        change.details = {"evidence": evidence.id, "content": evidence.content}


def signatures(world: World, release: Release) -> None:
    binding = Binding(release.digest, release.data_digest, "sha256:e")
    for who, check in (("flights-validator", "DP-01"), ("flights-auditor", "AU-02")):
        sign_off(
            world.desk(who),
            find_check(check),
            release,
            binding,
            developers={"flights-developer"},
            reason="read",
            verdict=Verdict(check, Status.WAITING, why="as it is"),
        )


def work_between_owners(world: World, snapshot: Snapshot, release: Release) -> None:
    due = NOON + timedelta(days=7)
    for answer in (handoff.accept, handoff.send_back):
        stage, subject = (
            ("data", snapshot.id) if answer is handoff.accept else ("release", release.id)
        )
        giver, taker = (OWNERS[place] for place in HANDOFF_STAGES[stage])
        one = handoff.offer(world.desk(giver), stage, subject, summary="all", due=due)
        why = () if answer is handoff.accept else ("no test",)
        answer(world.desk(taker), one.id, *why)
    for decide, why in ((deviation.grant, ()), (deviation.refuse, ("too long",))):
        asked = deviation.ask(
            world.desk("flights-engineer"),
            find_check("DV-04"),
            release,
            reason="the season is short",
            risk="a few wrong warnings",
            until=NOON + timedelta(days=30),
        )
        decide(world.desk("flights-owner"), asked.id, *why)


def move(world: World, release: Release, environment: str) -> None:
    clear = Verdict("DP-01", Status.PASSED, why="signed", examined=1)
    binding = Binding(release.digest, release.data_digest, "sha256:e")
    promote(
        world.desk("flights-engineer"),
        release,
        Wanted(environment),
        check=lambda: FlightCheck(
            MODEL, release.id, environment, "low", binding, (clear,), frozenset({"DP-01"}), NOON
        ),
        sound=lambda: None,
        sign_offs=list,
    )


def watched(world: World, month: int) -> None:
    """As `monitoring.watch` closes a window: at once for drift, later for its labels."""
    desk = world.desk()
    window = Window(datetime(2026, month, 1, tzinfo=UTC), datetime(2026, month + 1, 1, tzinfo=UTC))
    release = f"{MODEL}:1"

    def closed(kind: str, finding: str, **found: Any) -> Closing:
        step = kind.removeprefix("monitoring.")
        evidence = dataclasses.replace(
            seen(desk, kind, release, "system", environment="prod", found=found),
            id=f"{kind}/{release}/prod/2026-{month:02}-01",
        )
        findings = tuple(
            Finding(
                desk.new_id(),
                MODEL,
                release,
                "prod",
                finding,
                subject,
                "page",
                window.start,
                window.end,
                f"{subject} fell",
                {},
                {},
                NOON,
            )
            for subject in ("one", "two")
        )
        alert = Alert(
            desk.new_id(),
            findings[0].id,
            MODEL,
            "prod",
            "development",
            "flights-developer",
            "open",
            NOON,
        )
        alerts = (alert,) if step == "performance" else ()
        return Closing(release, window, 9, (evidence,), findings, alerts)

    _write(desk, MODEL, "prod", window, [closed(kinds.DRIFT, "drift", drifted=["one"])])
    late = closed(kinds.PERFORMANCE, "performance", verdict="dropped")
    value = closed(kinds.VALUE, "value", verdict="kept")
    both = dataclasses.replace(late, evidence=(*late.evidence, *value.evidence))
    _write(desk, MODEL, "prod", window, [both])


def proposed(world: World) -> Proposal:
    desk = world.desk("flights-developer")
    waiting = propose(desk, model=MODEL, environment="prod", charter=CHARTER).proposal
    assert waiting is not None
    return waiting


def compared(world: World, proposal: Proposal) -> None:
    found = {
        "champion": f"{MODEL}:1",
        "challenger": f"{MODEL}:2",
        "gain": {"value": 0.1, "low": 0.05, "high": 0.15},
        "holdout_digest": "sha256:h",
        "verdict": "challenger wins",
    }
    desk = world.desk("flights-developer")
    record_comparison(desk, proposal, found, rows=9, minimum_gain=0.0)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The story in a SQLite file, told once and copied for each test."""
    folder = tmp_path_factory.mktemp("told")
    record = open_record(folder / "record.db")
    world = World(record, folder)
    tell(world)
    record.close()
    return world


@pytest.fixture
def world(told: World, tmp_path: Path) -> Iterator[World]:
    """The story in a SQLite file."""
    for name in ("record.db", HEAD_FILE):
        shutil.copy(told.folder / name, tmp_path)
    record = open_record(tmp_path / "record.db")
    world = copy.copy(told)
    world.record, world.folder, world.private = record, tmp_path, dict(told.private)
    yield world
    record.close()


@pytest.fixture(params=["memory", "sqlite"])
def any_world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    if request.param == "sqlite":
        world: World = request.getfixturevalue("world")
        return world
    in_memory = World(MemoryRecord(), tmp_path)
    tell(in_memory)
    return in_memory


def test_a_story_without_cheating_holds(any_world: World) -> None:
    report = any_world.verified()
    assert report.problems == ()
    assert report.whole
    events = list(any_world.record.events())
    assert (report.events, report.head) == (len(events), events[-1].hash)


def named(problems: Sequence[str], *texts: str) -> bool:
    """Whether one problem says all of this."""
    return any(all(text in problem for text in texts) for problem in problems)


# The chain


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", "2026-11-22T12:00:00.000000Z"),
        ("action", "run.finished"),
        ("subject", "flight-delays:2"),
        ("model", "churn"),
        ("digest", "sha256:0"),
        ("details", '{"run":"id-9"}'),
        ("details", '{"run":NaN}'),
        ("details", '{"run":"\\ud800"}'),
    ],
)
def test_an_event_that_was_changed_is_named(world: World, column: str, value: str) -> None:
    event = world.event("release.created")
    problems = world.edit(event.seq, column, value)
    assert named(problems, f"event {event.seq} ", "was changed after it was written")


def test_an_event_that_was_removed_is_named(world: World) -> None:
    seq = world.event("check.signed").seq
    problems = world.problems("DELETE FROM ledger WHERE seq = ?", parameters=(seq,))
    assert f"event {seq} is missing before event {seq + 1}" in problems
    assert named(problems, "sign-off", "was written by hand: no event tells of it")


def test_the_first_event_that_was_removed_is_named(world: World) -> None:
    problems = world.problems("DELETE FROM ledger WHERE seq = 1")
    assert "event 1 is missing before event 2" in problems


def test_events_in_another_order_are_named(world: World) -> None:
    problems = world.problems(
        "UPDATE ledger SET seq = -1 WHERE seq = 7",
        "UPDATE ledger SET seq = 7 WHERE seq = 8",
        "UPDATE ledger SET seq = 8 WHERE seq = -1",
    )
    assert "event 7 does not follow event 6" in problems
    assert named(problems, "event 8 (", "was changed after it was written")


def test_an_end_that_was_cut_off_is_named(world: World) -> None:
    last = world.verified().events
    problems = world.problems("DELETE FROM ledger WHERE seq > ?", parameters=(last - 2,))
    assert named(problems, f"ends with event {last - 2}, and the head", f"names event {last}: ")
    assert named(problems, "run id-", "was written by hand: no event tells of it")
    assert named(problems, "person flights-auditor was changed by hand: it is not what event 6 ")


def test_an_empty_ledger_beside_a_record_is_no_ledger(world: World) -> None:
    last = world.verified().events
    problems = world.problems("DELETE FROM ledger")
    assert named(problems, f"ends with event 0, and the head kept beside it names event {last}: ")
    assert named(problems, "person flights-owner was written by hand: no event tells of it")
    assert world.verified().head == GENESIS


def test_a_new_record_holds(tmp_path: Path) -> None:
    record = open_record(tmp_path / "record.db")
    assert verify_ledger(record, verify, head=None) == LedgerReport(0, GENESIS, ())
    record.close()


def test_a_head_that_is_behind_is_legal_and_one_of_another_ledger_is_not(any_world: World) -> None:
    events = list(any_world.record.events())
    for head, problems in (
        (Head(3, events[2].hash), ()),
        (Head(3, events[4].hash), ("event 3 is not the one that the head kept beside the ledger",)),
        (None, ("no head is kept beside the ledger",)),
    ):
        found = verify_ledger(any_world.record, verify, head=head).problems
        assert len(found) == len(problems)
        assert all(text in problem for text, problem in zip(problems, found, strict=True))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("details", "{no json"),
        ("details", "[]"),
        ("details", "[" * 100_000),
        ("at", "yesterday"),
        ("actor", b"\xff"),
        ("hash", b"\x00"),
    ],
)
def test_an_event_that_can_not_be_read_is_named(world: World, column: str, value: object) -> None:
    problems = world.edit(9, column, value)
    assert named(problems, "the ledger can't be read after event 8 (")
    assert len(problems) == 1
    problems = world.edit(1, column, value)
    assert named(problems, "the ledger can't be read from its start (")


# Signatures


def test_a_forged_signature_is_named(world: World) -> None:
    event = world.event("deployment.promoted")
    for forged in (
        base64.b64encode(Ed25519PrivateKey.generate().sign(event.hash.encode())).decode(),
        world.sign("flights-owner", event.hash.encode()),
        "",
        "no base64",
    ):
        problems = world.edit(event.seq, "signature", forged)
        assert len(problems) == 1
        text = f"event {event.seq} (deployment.promoted of flight-delays:1) does not carry"
        assert named(problems, f"{text} the signature of flights-engineer")


def test_a_history_written_anew_lacks_the_signatures(world: World) -> None:
    """One event is changed and the chain after it is hashed again, as only the keys prevent."""
    previous, first = "", world.event("release.created").seq
    for event in list(world.record.events()):
        if event.seq >= first:
            draft = draft_of(event)
            if event.seq == first:
                draft = dataclasses.replace(draft, details=draft.details | {"run": "id-1"})
            hashed = chain_hash(event.seq, draft, previous)
            world.by_hand(
                "UPDATE ledger SET details = ?, previous = ?, hash = ? WHERE seq = ?",
                parameters=(json.dumps(draft.details), previous, hashed, event.seq),
            )
            previous = hashed
        else:
            previous = event.hash
    problems = list(world.verified().problems)
    assert not named(problems, "was changed after it was written")
    assert named(problems, f"event {first} ", "does not carry the signature of flights-developer")
    assert named(problems, "is not the one that the head kept beside the ledger names")


@pytest.mark.parametrize(
    ("action", "details", "text"),
    [
        (
            "deployment.promoted",
            {"environment": "prod", "replaces": None, "evidence": "sha256:e", "sign_offs": []},
            "is signed by nobody; only window.closed, deployment.withdrawn, cases.expired,",
        ),
        (
            "window.closed",
            {"facts": {"person flights-data": "sha256:x", "alert id-1": "sha256:y"}},
            "is signed by nobody, and tells of person flights-data",
        ),
        (
            "deployment.withdrawn",
            {"facts": {"release flight-delays:1": "sha256:x"}},
            "is signed by nobody, and tells of release flight-delays:1",
        ),
    ],
)
def test_a_forged_event_of_the_system_at_the_end_is_named(
    world: World, action: str, details: dict[str, Any], text: str
) -> None:
    subject = "flight-delays/prod/x" if action == "window.closed" else "flight-delays:2"
    world.add_event(
        Draft(NOON, "system", action, subject, MODEL, "sha256:0", {}, details.get("facts", {})),
    )
    assert named(list(world.verified().problems), text)


def test_a_champion_that_the_system_ended_is_named(world: World) -> None:
    """Only a canary ends on nobody's behalf; what its guardrail writes holds."""
    (there, *_) = world.record.find(Deployment, environment="prod", until=None)
    before = list(world.verified().problems)
    facts = {f"deployment {there.id}": digest_of(there)}
    draft = Draft(NOON, "system", "deployment.withdrawn", there.release, MODEL, "sha256:0", {})
    world.add_event(dataclasses.replace(draft, facts=facts))
    problems = [one for one in world.verified().problems if one not in before]
    assert named(problems, "is signed by nobody", f"deployment {there.id} is no ended canary")


def test_who_was_removed_or_never_added_signs_nothing(world: World) -> None:
    draft = Draft(NOON, "flights-auditor", "check.read", "x", None, "sha256:0", {})
    world.add_event(draft, sign=lambda content: world.sign("flights-auditor", content))
    world.add_event(dataclasses.replace(draft, actor="mallory"))
    problems = list(world.verified().problems)
    assert named(problems, "is by flights-auditor, whom event", "had removed")
    assert named(problems, "is by mallory, whom nobody added")


def test_only_owners_add_people(world: World) -> None:
    """A developer whose own key is good writes another owner into ledger and record."""
    key = world.create("flights-developer")
    person = Person("mallory", ("owner",), key, NOON)
    details = {"roles": ["owner"], "public_key": key}
    for actor in ("flights-developer", "mallory"):
        facts = {"person mallory": digest_of(person)}
        draft = Draft(NOON, actor, "person.added", "mallory", None, "sha256:0", details, facts)
        world.add_event(draft, sign=lambda content: world.sign("flights-developer", content))
    world.by_hand(
        "INSERT INTO person VALUES ('mallory', '[\"owner\"]', ?, ?, NULL)",
        parameters=(key, utc_text(NOON)),
    )
    problems = list(world.verified().problems)
    assert named(
        problems, "(person.added of mallory) takes an owner, and flights-developer is none"
    )
    assert len(problems) == 1


# The facts

CHANGED, ADDED, GONE = (
    "was changed by hand",
    "was written by hand: no event tells of it",
    "is gone: ",
)

BY_HAND: list[tuple[str, str, str]] = [
    ("UPDATE person SET roles = '[\"owner\"]' WHERE id LIKE '%developer'", "person f", CHANGED),
    ("UPDATE person SET public_key = 'AAAA' WHERE id LIKE '%validator'", "person f", CHANGED),
    ("UPDATE person SET removed_at = NULL WHERE id = 'flights-auditor'", "person f", CHANGED),
    ("UPDATE person SET removed_at = added_at WHERE id LIKE '%data'", "person f", CHANGED),
    ("UPDATE person SET added_at = '2020-01-01T00:00:00.000000Z'", "person f", CHANGED),
    ("DELETE FROM person WHERE id = 'flights-data'", "person flights-data", GONE),
    ("UPDATE model SET tier = 'none'", "model flight-delays", CHANGED),
    ("UPDATE model SET owners = '{}'", "model flight-delays", CHANGED),
    ("UPDATE model SET kind = 'other'", "model flight-delays", CHANGED),
    ("DELETE FROM developed", "developed flight-delays/flights-developer", GONE),
    ("UPDATE snapshot SET rows = 10", "snapshot sha256:s", CHANGED),
    ("UPDATE snapshot SET data_digest = 'x'", "snapshot sha256:s", CHANGED),
    ("UPDATE snapshot SET profile_digest = 'x'", "snapshot sha256:s", CHANGED),
    ("UPDATE run SET metrics = '{\"auc\":1}' WHERE state = 'finished'", "run id-", CHANGED),
    ("UPDATE run SET error = NULL WHERE state = 'failed'", "run id-", CHANGED),
    ("UPDATE run SET seed = 8 WHERE state = 'finished'", "run id-", CHANGED),
    ("UPDATE run SET seed = 8 WHERE state = 'started'", "run id-", CHANGED),
    ("UPDATE release SET digest = 'sha256:x' WHERE number = 1", "release flight-d", CHANGED),
    ("UPDATE release SET data_digest = 'sha256:x' WHERE number = 1", "release flight-", CHANGED),
    ("UPDATE release SET charter_digest = 'x' WHERE number = 1", "release flight-d", CHANGED),
    ("UPDATE release SET signature = 'x' WHERE number = 1", "release flight-d", CHANGED),
    ("DELETE FROM release WHERE number = 2", "release flight-delays:2", GONE),
    ("UPDATE sign_off SET \"check\" = 'DP-02' WHERE \"check\" = 'DP-01'", "sign-off i", CHANGED),
    ("UPDATE sign_off SET evidence_digest = 'x'", "sign-off id-", CHANGED),
    ("DELETE FROM sign_off", "sign-off id-", GONE),
    ("UPDATE deviation SET until = '2036-01-01T00:00:00.000000Z'", "deviation id-", CHANGED),
    ("UPDATE deviation SET state = 'granted' WHERE state = 'refused'", "deviation i", CHANGED),
    ("UPDATE handoff SET state = 'accepted' WHERE state = 'returned'", "handoff id-", CHANGED),
    ("UPDATE handoff SET summary = 'more' WHERE state = 'returned'", "handoff id-", CHANGED),
    ("UPDATE proposal SET decision = 'worse'", "proposal id-", CHANGED),
    ("UPDATE proposal SET reason = 'x'", "proposal id-", CHANGED),
    ("UPDATE alert SET state = 'open'", "alert id-", CHANGED),
    ("UPDATE alert SET state = 'closed' WHERE state = 'open'", "alert id-", CHANGED),
    ("UPDATE alert SET person = 'nobody'", "alert id-", CHANGED),
    ("DELETE FROM alert", "alert id-", GONE),
    ("DELETE FROM finding WHERE kind = 'drift'", "finding id-", GONE),
    ("UPDATE evidence SET found = '{}' WHERE kind LIKE '%drift'", "evidence mon", CHANGED),
    ("UPDATE evidence SET examined = 99 WHERE kind = 'training.metrics'", "evidence i", CHANGED),
    ("UPDATE evidence SET content = 'x' WHERE kind = 'release.rehearsal'", "evidence", CHANGED),
    ("DELETE FROM evidence WHERE kind = 'release.rehearsal'", "evidence id-", GONE),
    (
        "INSERT INTO person SELECT 'mallory', roles, '', added_at, NULL FROM person LIMIT 1",
        "person mallory",
        ADDED,
    ),
    (
        (
            "INSERT INTO evidence SELECT 'id-x', kind, subject, model, environment, examined,"
            " found, required, digests, content, at, by FROM evidence LIMIT 1"
        ),
        "evidence id-x",
        ADDED,
    ),
    ("DELETE FROM deployment WHERE environment = 'qa'", "deployment id-", GONE),
    ("UPDATE deployment SET release = 'flight-delays:9' WHERE how LIKE 'r%'", "depl", CHANGED),
    ("UPDATE deployment SET sign_offs = '[\"id-1\"]' WHERE how LIKE 'r%'", "depl", CHANGED),
    ("UPDATE deployment SET by = 'flights-owner' WHERE how LIKE 'r%'", "deployment", CHANGED),
    ("UPDATE deployment SET until = since WHERE how LIKE 'r%'", "deployment id-", CHANGED),
    ("UPDATE deployment SET until = since WHERE until IS NOT NULL", "deployment i", CHANGED),
    (
        (
            "INSERT INTO deployment SELECT 'id-x', model, environment, role, 'flight-delays:2',"
            " release_digest, evidence_digest, sign_offs, replaces, how, since, by, since, share"
            " FROM deployment WHERE environment = 'prod' AND until IS NULL"
        ),
        "deployment id-x",
        ADDED,
    ),
]


@pytest.mark.parametrize(("statement", "name", "what"), BY_HAND)
def test_a_fact_that_was_changed_by_hand_is_named(
    world: World, statement: str, name: str, what: str
) -> None:
    problems = world.problems(statement)
    assert problems
    assert all(one.startswith(name) and what in one for one in problems), problems


def test_what_was_changed_is_named_with_the_event_that_wrote_it(world: World) -> None:
    (problem,) = world.problems("UPDATE person SET roles = '[]' WHERE id = 'flights-validator'")
    assert problem == (
        "person flights-validator was changed by hand: it is not what event 5 (person.added of"
        " flights-validator) wrote"
    )


@pytest.mark.parametrize("kind", FACTS, ids=lambda kind: kind.__name__)
def test_every_kind_of_fact_is_held_against_the_ledger(world: World, kind: type[Any]) -> None:
    """The story has one of each kind, and none of them can go unnoticed."""
    assert world.record.find(kind)
    assert any(GONE in one for one in world.problems("DELETE FROM " + TABLES[kind]))  # noqa: S608


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("UPDATE person SET roles = '{' WHERE id = 'flights-data'", "person flights-data "),
        ("UPDATE person SET added_at = 'soon' WHERE id = 'flights-data'", "person flights-data"),
        ("UPDATE person SET roles = 'null' WHERE id = 'flights-data'", "person flights-data"),
        ("UPDATE person SET roles = '[[' || char(0)", "person flights-owner "),
        ("UPDATE model SET owners = '[]'", "model flight-delays was changed by hand"),
        ("UPDATE release SET at = '' WHERE number = 2", "release flight-delays:2 "),
        ("UPDATE sign_off SET at = '2026'", "sign-off id-"),
        ("UPDATE deployment SET since = 'x'", "deployment id-"),
        ("UPDATE evidence SET found = '[' WHERE kind = 'training.metrics'", "evidence id-"),
        ("UPDATE evidence SET found = 'NaN' WHERE kind = 'training.metrics'", "evidence id-"),
        ("UPDATE finding SET found = ''", "finding id-"),
        ("UPDATE alert SET at = 'x'", "alert id-"),
        ("UPDATE proposal SET alerts = '7'", "proposal id-"),
        ("UPDATE person SET public_key = x'ff00'", "person flights-owner was changed by hand"),
        ("UPDATE person SET public_key = CAST(x'ff' AS TEXT)", "person flights-owner "),
        (
            "INSERT INTO person SELECT 'mallory', '{', '', added_at, NULL FROM person LIMIT 1",
            "a person was written by hand and can't be read",
        ),
    ],
)
def test_a_row_that_can_not_be_read_is_named(world: World, statement: str, text: str) -> None:
    problems = world.problems(statement)
    assert named(problems, text)


def test_what_is_written_meanwhile_is_no_problem(any_world: World) -> None:
    """An event that comes between the reading of the events and that of the facts."""

    class Busy:
        def __init__(self, record: Record) -> None:
            self.record, self.left = record, 1

        def __getattr__(self, name: str) -> Any:
            return getattr(self.record, name)

        def find(self, kind: type[Any], /, **equal: Any) -> list[Any]:
            if self.left:
                self.left = 0
                add_person(any_world.desk("flights-owner"), any_world, "guest", ["auditor"])
            return self.record.find(kind, **equal)

    any_world.private["guest"] = Ed25519PrivateKey.generate()
    head, busy = any_world.head(), Busy(any_world.record)
    assert verify_ledger(busy, verify, head=head).problems == ()


def test_the_evidence_for_the_flight_check(any_world: World) -> None:
    release = any_world.record.get(Release, "flight-delays:1")
    report = any_world.verified()
    evidence = ledger_evidence(any_world.desk(), report, release=release)
    assert (evidence.kind, evidence.subject, evidence.by) == (kinds.LEDGER, release.id, "system")
    assert evidence.examined == report.events
    assert evidence.found == {"problems": [], "head": report.head}


def test_the_audit_check_reads_the_evidence(world: World) -> None:
    release = world.record.get(Release, "flight-delays:1")
    case = Case(
        model=MODEL,
        release=release.id,
        kind="classification",
        tier="low",
        environment="prod",
        now=NOON,
        binding=Binding("", "", ""),
        deployed=True,
        evidence={},
    )
    for statement, problems in (
        (None, 0),
        ("UPDATE person SET roles = '[]' WHERE id = 'flights-data'", 1),
    ):
        if statement:
            world.by_hand(statement)
        found = ledger_evidence(world.desk(), world.verified(), release=release)
        answer = ledger(dataclasses.replace(case, evidence={kinds.LEDGER: found}))
        assert len(answer.problems) == problems


def test_events_are_shown_by_time_model_and_subject(any_world: World) -> None:
    record = any_world.record
    everything = list(record.events())
    assert events_shown(record) == everything
    third = everything[2]
    assert events_shown(record, as_of=third.at) == everything[:3]
    assert {e.model for e in events_shown(record, model=MODEL)} == {MODEL}
    shown = events_shown(record, subject="flight-delays:1", model=MODEL)
    assert {e.subject for e in shown} == {"flight-delays:1"}
    assert shown[0].action == "release.created"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[1]",
        b"[" * 100_000,
        b'{"protocol":2,"seq":1,"hash":"x"}',
        b'{"protocol":1,"seq":"1","hash":"x"}',
        b'{"protocol":1,"seq":1}',
    ],
)
def test_a_head_that_can_not_be_read_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / HEAD_FILE
    assert read_head(path) is None
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match="The head of the ledger in"):
        read_head(path)


def test_the_head_of_a_record_is_its_newest_event(world: World) -> None:
    events = list(world.record.events())
    assert read_head(world.folder / HEAD_FILE) == (events[-1].seq, events[-1].hash)
