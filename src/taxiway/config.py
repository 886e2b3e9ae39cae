"""Where things are: the workspace and its `taxiway.toml`, the project, the folder of keys."""

from __future__ import annotations

import os
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from taxiway.core.errors import ConflictError, InputError, MissingError, Problem, close_match

FILE = "taxiway.toml"
CHARTER = "taxiway.yaml"
STORE = ".taxiway"
PROTOCOL = 1
BUCKETS = ("s3://", "gs://", "az://", "abfs://")
"""How the URL of a place for objects begins."""
KNOWN = {"taxiway", "name", "objects"}


@dataclass(frozen=True, slots=True)
class Config:
    """What `taxiway.toml` says."""

    root: Path
    name: str
    objects: str | None = None
    """The URL of the bucket that holds the objects; None: a folder of the store."""

    @property
    def store(self) -> Path:
        """The folder of the record, the objects and, unless it is elsewhere, the decision log."""
        return self.root / STORE

    @property
    def decisions(self) -> Path:
        """The folder of the decision log: `TAXIWAY_DECISIONS`, or the store.

        An endpoint in a container reads the rest from its image, and writes nothing but this.
        """
        named = os.environ.get("TAXIWAY_DECISIONS")
        return Path(named).expanduser() if named else self.store


def read_config(root: Path) -> Config:
    """The configuration of a workspace. Raises `InputError` with everything that is wrong."""
    path = root / FILE
    try:
        plain = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} can't be read: {error}.") from error
    problems = []
    for key in plain.keys() - KNOWN:
        match = close_match(key, KNOWN)
        problems.append(
            Problem(
                f"unknown key {key!r}",
                where=FILE,
                todo=f"Did you mean {match!r}?" if match else None,
            )
        )
    if plain.get("taxiway") != PROTOCOL:
        problems.append(
            Problem(
                "version of the workspace",
                where=FILE,
                expected=f"taxiway = {PROTOCOL}",
                found=str(plain.get("taxiway", "nothing")),
            )
        )
    name = plain.get("name", root.name)
    if not isinstance(name, str):
        problems.append(Problem("name", where=FILE, expected="text", found=repr(name)))
    objects = os.environ.get("TAXIWAY_OBJECTS") or plain.get("objects")
    if not isinstance(objects, str | None) or (objects and not objects.startswith(BUCKETS)):
        problems.append(
            Problem(
                "objects", repr(objects), f"a URL that begins with {' or '.join(BUCKETS)}", FILE
            )
        )
    if problems:
        raise InputError(f"{path} has {len(problems)} problems.", problems)
    return Config(root, name, objects)


def find_workspace(start: Path | None = None) -> Path:
    """The workspace: `TAXIWAY_WORKSPACE`, or the nearest folder upward with a `taxiway.toml`."""
    named = os.environ.get("TAXIWAY_WORKSPACE")
    if start is None and named:
        root = Path(named).expanduser().resolve()
        if not (root / FILE).is_file():
            raise MissingError(
                f"TAXIWAY_WORKSPACE names {root}, and there is no {FILE} in it.",
                todo=f"Make one with: taxiway init {root}",
            )
        return root
    return _upward(start, FILE, "no workspace", "Make one with: taxiway init")


def find_project(start: Path | None = None) -> Path:
    """The nearest folder upward with a `taxiway.yaml`."""
    return _upward(
        start, CHARTER, "no project", "Start one with: taxiway new NAME, or name it with -C FOLDER"
    )


def _upward(start: Path | None, file: str, what: str, todo: str) -> Path:
    begin = (start or Path.cwd()).expanduser().resolve()
    for folder in (begin, *begin.parents):
        if (folder / file).is_file():
            return folder
    raise MissingError(f"There is {what} here: no {file} in {begin} or above it.", todo=todo)


def create_workspace(path: Path) -> Path:
    """Makes a workspace of a folder. Raises `ConflictError` if it is one."""
    root = path.expanduser().resolve()
    if (root / FILE).exists():
        raise ConflictError(f"{root} is already a workspace.")
    store = root / STORE
    store.mkdir(parents=True, exist_ok=True)
    _write(store / ".gitignore", "*\n")
    _write(
        root / FILE,
        "# A taxiway workspace: the record of its models lies in .taxiway/ beside this file.\n"
        f'taxiway = {PROTOCOL}\nname = "{root.name}"\n',
    )
    return root


def _write(path: Path, text: str) -> None:
    """The file is there whole, or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def keys_folder() -> Path:
    """Where the keys of this machine's user are: `TAXIWAY_KEYS`, or the user's configuration."""
    named = os.environ.get("TAXIWAY_KEYS")
    if named:
        return Path(named).expanduser()
    base = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / "taxiway" / "keys"


def pseudonyms_file() -> Path | None:
    """The file with the key of pseudonyms, from `TAXIWAY_PSEUDONYMS`; None: the workspace's own."""
    named = os.environ.get("TAXIWAY_PSEUDONYMS")
    return Path(named).expanduser() if named else None


def expected_bundle() -> str | None:
    """The digest of the bundle that has to be served, from `TAXIWAY_BUNDLE`; None: any."""
    return os.environ.get("TAXIWAY_BUNDLE") or None


def passphrase() -> bytes | None:
    """The passphrase of the keys, from `TAXIWAY_KEY_PASSPHRASE`; None: keys are not encrypted."""
    given = os.environ.get("TAXIWAY_KEY_PASSPHRASE")
    return given.encode() if given else None
