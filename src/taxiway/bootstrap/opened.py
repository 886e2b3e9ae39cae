"""An open workspace: its stores, who acts, and finding things by name."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from taxiway import config
from taxiway.adapters import sealed
from taxiway.adapters.decisions import DecisionLog
from taxiway.adapters.ed25519 import verify
from taxiway.adapters.folder import FolderObjects
from taxiway.adapters.ids import new_id
from taxiway.adapters.keyring import FolderKeys
from taxiway.adapters.seen import SeenFiles
from taxiway.adapters.sql import SqlRecord, open_record
from taxiway.bootstrap.extras import extras
from taxiway.core.digest import PREFIX
from taxiway.core.errors import IntegrityError, MissingError, RefusedError, shortened
from taxiway.core.facts import Model, Release, Snapshot
from taxiway.core.people import Person
from taxiway.core.ports import Actor, Desk, Objects

if TYPE_CHECKING:
    from types import TracebackType

    from taxiway.bootstrap.project import Project


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


def _record(store: Path) -> SqlRecord | sealed.SealedRecord:
    """The record of a workspace; that of a bundle is sealed."""
    expected = config.expected_bundle()
    if expected or (store / sealed.FILE).exists():
        return sealed.SealedRecord(store / sealed.FILE, expected)
    return open_record(store / "record.db")


def _objects(found: config.Config) -> Objects:
    """The objects of a workspace: in its folder, or in the bucket that it names."""
    if found.objects is None:
        return FolderObjects(found.store / "objects")
    with extras():
        from taxiway.adapters.bucket import BucketObjects

        return BucketObjects(found.objects, found.store / "copies")


class Opened:
    """A workspace's stores, opened, and the desk that use cases work with."""

    def __init__(self, root: Path, actor: str | None = None) -> None:
        self.config = config.read_config(root)
        self.root = self.config.root
        store = self.config.store
        store.mkdir(exist_ok=True)
        self.config.decisions.mkdir(parents=True, exist_ok=True)
        self.record = _record(store)
        self.objects = _objects(self.config)
        self.seen = SeenFiles(store / "seen.db")
        self.decisions = DecisionLog(self.config.decisions / "decisions.db")
        self.keys = FolderKeys(config.keys_folder(), config.passphrase())
        self.desk = Desk(
            record=self.record,
            objects=self.objects,
            decisions=self.decisions,
            verify=verify,
            now=utc_now,
            new_id=new_id,
            actor=self._actor(actor),
        )

    @classmethod
    def open(cls, path: Path | str | None = None, actor: str | None = None) -> Self:
        """The workspace that `path` (default: the current folder) lies in.

        `actor` names who acts; without it, `TAXIWAY_ACTOR`, or the only person whose key is on this
        machine. Raises `MissingError` if there is no workspace or no such person.
        """
        root = config.find_workspace(Path(path) if path else None)
        return cls(root, actor or os.environ.get("TAXIWAY_ACTOR"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the stores."""
        self.record.close()
        self.decisions.close()

    def _actor(self, name: str | None) -> Actor | None:
        everybody = {p.id: p for p in self.record.find(Person)}
        known = {name: p for name, p in everybody.items() if p.removed_at is None}
        if name is None:
            here = [n for n in self.keys.names() if n in known]
            if len(here) != 1:
                return None
            name = here[0]
        if name in everybody and name not in known:
            raise RefusedError(
                f"{name} was removed on {everybody[name].removed_at:%Y-%m-%d} and can't act any"
                " more."
            )
        if name not in known:
            raise MissingError.named("person in this workspace", name, known)
        person = known[name]

        def sign(content: bytes) -> str:
            if self.keys.public(name) != person.public_key:
                raise IntegrityError(
                    f"The key of {name} on this machine is not the one in the record.",
                    todo="Use the right key folder (TAXIWAY_KEYS), or remove and add the person.",
                )
            return self.keys.sign(name, content)

        return Actor(person.id, person.roles, sign)

    # Finding things by name

    def find_release(self, name: str) -> Release:
        """A release by its name, such as `churn:3`. Raises `MissingError` with the close match."""
        return self.record.get(Release, name)

    def find_model(self, name: str | None = None) -> Model:
        """A model by its name; without one, the project's, or the only one of the workspace."""
        if name is None:
            from taxiway.bootstrap.project import read_project

            try:
                name = read_project(None).file.document.data.get("name")
            except MissingError:
                models = self.record.find(Model)
                if len(models) != 1:
                    known = ", ".join(m.id for m in models) or "none"
                    raise MissingError(
                        f"Which model? This folder is no project, and the workspace has: {known}.",
                        todo="Name it with --model, or go to its project's folder.",
                    ) from None
                return models[0]
        return self.record.get(Model, str(name))

    def newest_release(self, name: str | None) -> Release:
        """A release by its name, or the newest one of the project's model."""
        if name and ":" in name:
            return self.find_release(name)
        model = self.find_model(name).id
        releases = self.record.find(Release, model=model)
        if not releases:
            raise MissingError(f"{model} has no release yet.", todo="Make one with: taxiway train")
        return releases[-1]

    def find_snapshot(self, digest: str) -> Snapshot:
        """The snapshot whose digest is this, or begins with it. Raises `MissingError`."""
        wanted = digest.removeprefix(PREFIX)
        found = [
            s for s in self.record.find(Snapshot) if s.id.removeprefix(PREFIX).startswith(wanted)
        ]
        if len(found) != 1 or not wanted:
            how_many = f"{len(found)} snapshots begin" if found else "No snapshot begins"
            raise MissingError(
                f"{how_many} with {shortened(digest)!r}.",
                todo="`taxiway data list` shows them all; those of files have no lineage.",
            )
        return found[0]

    def newest_snapshot(self, model: str, digest: str | None = None) -> Snapshot:
        """A snapshot by its digest or the beginning of it, or the model's newest one."""
        if digest:
            return self.find_snapshot(digest)
        snapshots = self.record.find(Snapshot, model=model)
        if not snapshots:
            raise MissingError(
                f"{model} has no snapshot.", todo="Take one with: taxiway data snapshot"
            )
        return snapshots[-1]

    def project(self, folder: Path | str | None = None) -> Project:
        """The project in a folder, or in the nearest one upward."""
        from taxiway.bootstrap.project import read_project

        return read_project(Path(folder) if folder else None)

    def people(self) -> list[Person]:
        """Everybody who was ever added, those who were removed too."""
        return self.record.find(Person)
