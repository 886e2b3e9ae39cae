"""The files below a folder, each with how it looks."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from taxiway.core.errors import InputError, MissingError, Problem
from taxiway.core.look import Look


@dataclass(frozen=True, slots=True)
class Found:
    """A file on disk: where it is, what it is called below the folder, and how it looks."""

    path: str
    name: str
    look: Look

    # Paths are text here: making a `Path` of each takes as long as reading a small file.

    def read(self) -> bytes:
        """All that it holds now."""
        with open(self.path, "rb", buffering=0) as file:  # noqa: PTH123
            return file.read()

    def look_now(self) -> Look:
        """How it looks now."""
        return Look.of(os.stat(self.path))  # noqa: PTH116


def files_below(root: Path, *, but: Path | None = None) -> list[Found]:
    """The files below a folder (or the one file), in the order of their names.

    `but` is a folder that is left out. Raises `InputError` with everything that can't be kept:
    links to folders, links to nothing, pipes, names that are not UTF-8.
    """
    if not root.exists():
        raise MissingError(f"There is no file or folder {root}.")
    named = [(str(root), root.name)] if root.is_file() else _below(root, but)
    found, problems = [], []
    for path, name in sorted(named):
        try:
            about = os.stat(path)  # noqa: PTH116 - a hundred thousand times
            name.encode()
        except UnicodeEncodeError:
            problems.append(Problem("its name is not UTF-8", where=repr(name)))
        except OSError as error:
            problems.append(Problem(f"it can't be looked at: {error.strerror}", where=repr(name)))
        else:
            if stat.S_ISREG(about.st_mode):
                found.append(Found(path, name, Look.of(about)))
            else:
                what = "it is a link to a folder, or no file at all"
                problems.append(Problem(what, where=repr(name)))
    if problems:
        raise InputError(
            f"{root} holds what can't be kept, and nothing was.",
            problems,
            todo="Move it elsewhere, or take a snapshot of a folder that lies deeper.",
        )
    if not found:
        raise InputError(f"{root} holds no files.")
    return found


def _below(root: Path, but: Path | None) -> list[tuple[str, str]]:
    named = []
    start = len(str(root).rstrip(os.sep)) + 1
    for folder, folders, files in os.walk(root):
        links = [one for one in folders if os.path.islink(os.path.join(folder, one))]  # noqa: PTH114, PTH118
        for one in [*files, *links]:
            path = f"{folder.rstrip(os.sep)}{os.sep}{one}"
            named.append((path, path[start:].replace(os.sep, "/")))
        if but is not None:
            folders[:] = [one for one in folders if Path(folder, one) != but]
    return named
