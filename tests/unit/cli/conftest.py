"""Commands as a person would type them, in a workspace of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from taxiway.cli.people import people
from taxiway.cli.project import init


def run(command: Any, *arguments: str) -> Result:
    """Runs a command; what it raises is raised here."""
    result = CliRunner().invoke(command, list(arguments), standalone_mode=True)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def owned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with an owner, as the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TAXIWAY_WORKSPACE", raising=False)
    monkeypatch.delenv("TAXIWAY_ACTOR", raising=False)
    monkeypatch.setenv("TAXIWAY_KEYS", str(tmp_path / "keys"))
    run(init)
    run(people, "add", "churn-owner", "--role", "owner")
    return tmp_path
