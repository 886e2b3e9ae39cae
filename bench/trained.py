"""A workspace with the two projects that are measured, made as a user makes them: by commands.

Each model has two releases of the same code and data: release 1 gives no reason codes and runs in
dev; release 2 gives them for adverse decisions.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from string import Template

import yaml
from bench.data import PROJECTS, Project, contract_of, frame_of
from bench.running import ONE_THREAD, ROOT

BUILD = ROOT / "build" / "bench"
FOLDER = BUILD / "online"
SOURCES = Path(__file__).resolve().parent / "projects"
TAXIWAY = str(Path(sys.executable).parent / "taxiway")
PEOPLE = {
    "data": "owner",
    "developer": "developer",
    "engineer": "engineer",
    "validator": "validator",
}
RELEASES = {1: "none", 2: "adverse"}
"""Release -> for which decisions it gives reason codes."""


def variables() -> dict[str, str]:
    """The environment of this workspace's commands and servers."""
    own = {"TAXIWAY_WORKSPACE": str(FOLDER), "TAXIWAY_KEYS": str(FOLDER / "keys")}
    return {k: v for k, v in os.environ.items() if not k.startswith("TAXIWAY_")} | own


def command(*words: str, at: Path, by: str | None = None) -> str:
    """What a command says. Raises `CalledProcessError` if it fails; its reasons are shown."""
    full = [TAXIWAY, *words, *(["--as", f"bench-{by}"] if by else [])]
    return subprocess.run(
        full, cwd=at, env=variables() | ONE_THREAD, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def data_of(name: str) -> Path:
    """The rows that a project was trained with."""
    return FOLDER / name / "data" / f"{name}.parquet"


def train(models: list[str], say: Callable[[str], None], *, fresh: bool) -> None:
    """Makes what is not there yet."""
    if fresh:
        shutil.rmtree(FOLDER, ignore_errors=True)
    if not (FOLDER / "taxiway.toml").exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        command("init", str(FOLDER), at=FOLDER)
        command("people", "add", "bench-owner", "--role", "owner", at=FOLDER)
        for name, role in PEOPLE.items():
            words = ["people", "add", f"bench-{name}", "--role", role]
            command(*words, at=FOLDER, by="owner")
    for name in models:
        done = FOLDER / f"{name}.trained"
        if not done.exists():
            say(f"training {name}")
            if (FOLDER / name).exists():
                raise SystemExit(f"{FOLDER / name} was left half-made; say --fresh.")
            _train(PROJECTS[name])
            done.touch()


def _train(project: Project) -> None:
    name, at = project.name, FOLDER / project.name
    command("new", name, "--template", "classification", "--defaults", at=FOLDER)
    shutil.copyfile(SOURCES / f"{name}.py", at / "model.py")
    shutil.copyfile(SOURCES / "test_model.py", at / "tests" / "test_model.py")
    (at / "data").mkdir(exist_ok=True)
    frame = frame_of(project, at / "data")
    frame.write_parquet(data_of(name))
    frame.drop(project.outcome).tail(1000).write_parquet(at / "data" / "current.parquet")
    contract = yaml.safe_dump(contract_of(project, frame), sort_keys=False)
    (at / "contracts" / f"{name}.yaml").write_text(contract)
    for release, codes in RELEASES.items():
        charter = Template((SOURCES / "charter.yaml").read_text()).substitute(
            name=name, definition=project.definition, part=project.part, codes=codes
        )
        (at / "taxiway.yaml").write_text(charter)
        git = ["git", "-c", "user.name=bench", "-c", "user.email=bench@localhost"]
        subprocess.run([*git, "add", "-A"], cwd=at, check=True)
        subprocess.run([*git, "commit", "-qm", f"Reason codes: {codes}"], cwd=at, check=True)
        command("plan", at=at, by="owner")
        if release == 1:
            _hand_over_data(at)
        command("train", at=at, by="developer")
    command("promote", f"{name}:1", "--to", "dev", at=at, by="engineer")


def _hand_over_data(at: Path) -> None:
    taken = json.loads(command("data", "snapshot", "--json", at=at, by="data"))["snapshot"]["id"]
    due = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 7 * 86400))
    words = ["handoff", "offer", "data", taken, "--due", due, "--summary", "as agreed", "--json"]
    offered = json.loads(command(*words, at=at, by="data"))["id"]
    command("handoff", "accept", offered, at=at, by="developer")


def empty_log() -> None:
    """Removes the decision log: what earlier runs logged is not what is measured."""
    for path in (FOLDER / ".taxiway").glob("decisions*"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
