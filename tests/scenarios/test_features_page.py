"""The worked example of docs/data/features.md: its commands run, and say what the page says."""

from __future__ import annotations

import contextlib
import io
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from taxiway.cli import main

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "data" / "features.md"


def commands() -> list[tuple[str, str]]:
    """What is typed in the page's consoles, and what it answers."""
    blocks = re.findall(r"(?ms)^```console\n(.*?)^```$", PAGE.read_text("utf-8"))
    return [
        (command, answer.strip())
        for block in blocks
        for command, _, answer in (part.partition("\n") for part in block.split("$ ")[1:])
    ]


def said_by(words: list[str]) -> str:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        if words[0] == "python":
            done = subprocess.run(
                [sys.executable, *words[1:]], capture_output=True, text=True, check=True
            )
            return done.stdout
        with pytest.raises(SystemExit) as end:
            main(words[1:])
    assert not end.value.code, said.getvalue()
    return said.getvalue()


def test_the_page_says_what_its_commands_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("features", "flights"):
        ignored = shutil.ignore_patterns("data", "__pycache__")
        shutil.copytree(ROOT / "examples" / name, tmp_path / "examples" / name, ignore=ignored)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TAXIWAY_FEATURES", raising=False)
    typed = commands()
    assert len(typed) > 5
    for command, answer in typed:
        words = command.split()
        if words[0] == "cd":
            monkeypatch.chdir(words[1])
            continue
        lines = [line.rstrip() for line in said_by(words).strip().splitlines()]
        assert lines == [line.rstrip() for line in answer.splitlines()], command
