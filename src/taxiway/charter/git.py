"""The first commit of a new project, if git is there."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

NEUTRAL = ("-c", "user.name=taxiway", "-c", "user.email=taxiway@localhost")
"""Who commits where the user has not told git a name."""

FIRST = "Start the project from its template"

OF_A_REPOSITORY = frozenset(
    {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR"}
)
"""Variables that would point git at the repository whose hook called us."""


def start_history(project: Path, *, home: Path) -> bool:
    """Makes a repository with everything in it; answers whether it did.

    `home` is where the project will lie: inside a repository that would track it, it stays part of
    that one. Without git nothing happens.
    """
    if shutil.which("git") is None or _is_tracked(home):
        return False
    if _git(project, "init", "--quiet") is None or _git(project, "add", "--all") is None:
        return False
    named = all(_git(project, "config", key) for key in ("user.name", "user.email"))
    # A template's first commit is nobody's work to sign, and no hook has anything to say about it.
    settings = ("-c", "commit.gpgsign=false", *(() if named else NEUTRAL))
    commit = ("commit", "--quiet", "--no-verify", "--message", FIRST)
    return _git(project, *settings, *commit) is not None


def _is_tracked(home: Path) -> bool:
    inside = _git(home.parent, "rev-parse", "--is-inside-work-tree") == "true"
    return inside and _git(home.parent, "check-ignore", "--quiet", str(home)) is None


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints, without the line's end; None if it fails."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={key: value for key, value in os.environ.items() if key not in OF_A_REPOSITORY},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return done.stdout.strip() if done.returncode == 0 else None
