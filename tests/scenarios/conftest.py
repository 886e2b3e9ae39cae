"""A firm with a model of New York's flights, through the real command line and on real data."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from taxiway.adapters.decisions import DecisionLog
from taxiway.cli import main
from taxiway.core.decision import Decision

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "flights"
MODEL = "flight-delays"
OWNER, DATA, DEVELOPER = "flights-owner", "flights-data", "flights-developer"
ENGINEER, VALIDATOR, AUDITOR = "flights-engineer", "flights-validator", "flights-auditor"
PEOPLE = {
    OWNER: "owner",
    DATA: "owner",
    DEVELOPER: "developer",
    ENGINEER: "engineer",
    VALIDATOR: "validator",
    AUDITOR: "auditor",
}
SIGNERS = {
    "CH-01": OWNER,
    "CH-02": VALIDATOR,
    "CH-05": OWNER,
    "DV-06": DEVELOPER,
    "DV-07": DEVELOPER,
    "MO-01": OWNER,
}
RECORD = {
    "time_hour": "2013-03-01T22:00:00Z",
    "sched_dep_time": 1745,
    "sched_arr_time": 1955,
    "carrier": "EV",
    "flight": 4412,
    "origin": "EWR",
    "dest": "RIC",
    "distance": 277,
}


@dataclasses.dataclass(frozen=True)
class Firm:
    """A workspace with one project. Commands run in the project, as a person would run them."""

    folder: Path

    @property
    def project(self) -> Path:
        return self.folder / MODEL

    @property
    def store(self) -> Path:
        return self.folder / ".taxiway"

    def logged(self, channel: str | None = None) -> dict[str, Decision]:
        """Every decision in the log by its id: of one channel, or of all."""
        with contextlib.closing(DecisionLog(self.store / "decisions.db")) as log:
            return {d.id: d for d in log.scan(MODEL) if channel in {None, d.channel}}

    @property
    def segments(self) -> list[Path]:
        """The files that decisions are appended to."""
        return sorted((self.store / "decisions" / "open").glob("*.db"))

    def change_log(self, statement: str, values: Sequence[object] = ()) -> None:
        """Changes what is in the open segments, as nobody should."""
        for segment in self.segments:
            with contextlib.closing(sqlite3.connect(segment)) as connection, connection:
                connection.execute(statement, values)

    @property
    def variables(self) -> dict[str, str]:
        return {"TAXIWAY_WORKSPACE": str(self.folder), "TAXIWAY_KEYS": str(self.folder / "keys")}

    def run(self, *words: object, by: str | None = None, code: int = 0) -> str:
        """What a command says, on either stream; it has to end with `code`."""
        arguments = [str(word) for word in words] + (["--as", by] if by else [])
        said = io.StringIO()
        with (
            self._there(),
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
            pytest.raises(SystemExit) as end,
        ):
            main(arguments)
        found = end.value.code or 0
        assert found == code, (
            f"taxiway {' '.join(arguments)} ended with {found}:\n{said.getvalue()}"
        )
        assert "Traceback" not in said.getvalue()
        return said.getvalue()

    def ask(self, *words: object, by: str | None = None, code: int = 0) -> Any:
        """What a command answers as JSON."""
        return json.loads(self.run(*words, "--json", by=by, code=code))

    def start(self, *words: object) -> subprocess.Popen[str]:
        """A command as a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "taxiway.cli", *map(str, words)],
            cwd=self.project if self.project.exists() else self.folder,
            env=os.environ | self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @contextlib.contextmanager
    def _there(self) -> Iterator[None]:
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.chdir(self.project if self.project.exists() else self.folder),
        ):
            patch.delenv("TAXIWAY_ACTOR", raising=False)
            for name, value in self.variables.items():
                patch.setenv(name, value)
            yield

    def data(self, name: str, *arguments: str) -> Path:
        """A file of flights, as the example prepares it."""
        out = self.project / "data" / name
        out.parent.mkdir(exist_ok=True)
        command = [sys.executable, str(EXAMPLE / "prepare.py"), *arguments, "--out", str(out)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return out

    def commit(self, message: str) -> None:
        git = ["git", "-c", "user.name=test", "-c", "user.email=test@localhost"]
        for words in (["add", "-A"], ["commit", "-qm", message]):
            subprocess.run([*git, *words], cwd=self.project, check=True)

    def hand_over(self, stage: str, subject: str, giver: str, taker: str) -> None:
        due = ["--due", soon(), "--summary", "as agreed"]
        offered = self.ask("handoff", "offer", stage, subject, *due, by=giver)
        self.run("handoff", "accept", offered["id"], by=taker)

    def take_snapshot(self) -> str:
        taken = self.ask("data", "snapshot", by=DATA)["snapshot"]["id"]
        self.hand_over("data", taken, DATA, DEVELOPER)
        return str(taken)

    def sign(self, release: str) -> None:
        """Every signature that qa asks for, and a deviation where one airline is behind."""
        for check, who in SIGNERS.items():
            self.run("sign", check, release, "--reason", "read and agreed", by=who)
        flown = self.ask("check", release, "--for", "qa", code=1 if self.behind(release) else 0)
        if not flown["clear"]:
            assert flown["blocking"] == ["DV-05"], flown["blocking"]
            self.deviate("DV-05", release)

    def behind(self, release: str) -> bool:
        done = self.start("check", release, "--for", "qa", "--json")
        said, _ = done.communicate(timeout=60)
        return "DV-05" in json.loads(said)["blocking"]

    def deviate(self, check: str, release: str, *, days: int = 60) -> str:
        words = ["--reason", "one airline is behind", "--risk", "poorer warnings"]
        asked = self.ask("deviate", check, release, *words, "--until", soon(days), by=DEVELOPER)
        self.run("deviate", "grant", asked["id"], by=OWNER)
        return str(asked["id"])

    def fly(self, release: str) -> None:
        """A trained release through dev and qa into prod."""
        self.run("promote", release, "--to", "dev", by=ENGINEER)
        self.hand_over("release", release, DEVELOPER, ENGINEER)
        self.sign(release)
        self.run("promote", release, "--to", "qa", by=ENGINEER)
        self.run("rehearse", release, "--env", "qa", by=ENGINEER)
        self.hand_over("running", release, ENGINEER, OWNER)
        self.run("sign", "DP-01", release, "--reason", "evidence read", by=VALIDATOR)
        self.run("promote", release, "--to", "prod", by=ENGINEER)


@contextlib.contextmanager
def in_environment(firm: Firm) -> Iterator[None]:
    """The firm's variables, for calls in Python."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("TAXIWAY_ACTOR", raising=False)
        for name, value in firm.variables.items():
            patch.setenv(name, value)
        yield


def soon(days: int = 7) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() + days * 86400))


def _begin(folder: Path) -> Firm:
    firm = Firm(folder)
    firm.run("init", folder)
    for name, role in PEOPLE.items():
        by = None if name == OWNER else OWNER
        firm.run("people", "add", name, "--role", role, by=by)
    firm.run("new", MODEL, "--template", "classification", "--defaults")
    (firm.project / "contracts" / f"{MODEL}.yaml").unlink()
    for name in ("taxiway.yaml", "model.py", "contracts/flights.yaml"):
        shutil.copyfile(EXAMPLE / name, firm.project / name)
    shutil.copyfile(EXAMPLE / "test_model.py", firm.project / "tests" / "test_model.py")
    firm.commit("The notebook's code")
    firm.data("flights.parquet", "--months", "1-2")
    firm.data("schedule.parquet", "--months", "3-3", "--days", "1-7", "--schedule")
    firm.run("plan", by=OWNER)
    firm.take_snapshot()
    return firm


@pytest.fixture(scope="session")
def _planned(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    return _begin(tmp_path_factory.mktemp("planned"))


@pytest.fixture(scope="session")
def _trained(_planned: Firm, tmp_path_factory: pytest.TempPathFactory) -> Firm:
    firm = _copy(_planned, tmp_path_factory.mktemp("trained"))
    firm.run("train", by=DEVELOPER)
    return firm


@pytest.fixture(scope="session")
def _running(_trained: Firm, tmp_path_factory: pytest.TempPathFactory) -> Firm:
    firm = _copy(_trained, tmp_path_factory.mktemp("running"))
    firm.fly(f"{MODEL}:1")
    return firm


def _copy(firm: Firm, folder: Path) -> Firm:
    shutil.copytree(firm.folder, folder, dirs_exist_ok=True)
    return Firm(folder)


@pytest.fixture
def planned(_planned: Firm, tmp_path: Path) -> Firm:
    """A project with its plan and its snapshot in the record; nothing is trained yet."""
    return _copy(_planned, tmp_path)


@pytest.fixture
def trained(_trained: Firm, tmp_path: Path) -> Firm:
    """With release 1, which is nowhere yet."""
    return _copy(_trained, tmp_path)


@pytest.fixture
def running(_running: Firm, tmp_path: Path) -> Firm:
    """With release 1 as the champion of prod."""
    return _copy(_running, tmp_path)
