"""Progress in stages: rows, rows a second, and silence where no terminal is."""

from __future__ import annotations

import io
import sys

import pytest

from taxiway.cli import screen


class Terminal(io.StringIO):
    """Standard error as a terminal."""

    def isatty(self) -> bool:
        return True


def test_stages_say_how_many_rows_and_how_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with screen.stages() as begin:
        checking = begin("Checking", None)
        checking(65_536)
        deciding = begin("Deciding", 100_000)
        deciding(20_000)
        deciding(20_000)
    said = terminal.getvalue()
    for word in ("Checking", "65,536 rows", "Deciding", "40,000 rows", "rows/s"):
        assert word in said


def test_in_a_pipe_there_is_silence(capsys: pytest.CaptureFixture[str]) -> None:
    with screen.stages() as begin:
        begin("Deciding", 10)(5)
    assert capsys.readouterr() == ("", "")
