"""The workspace: where the record lives, who acts, and every verb as a method."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from taxiway import config
from taxiway.adapters.decisions import SqliteDecisions
from taxiway.adapters.ed25519 import verify
from taxiway.adapters.folder import FolderObjects
from taxiway.adapters.ids import new_id
from taxiway.adapters.keyring import FolderKeys
from taxiway.adapters.sql import open_record
from taxiway.bootstrap.extras import extras
from taxiway.core.errors import IntegrityError, MissingError
from taxiway.core.facts import Model, Release, Snapshot
from taxiway.core.people import Person
from taxiway.core.ports import Actor, Desk

if TYPE_CHECKING:
    from types import TracebackType

    from taxiway.bootstrap.project import Project
    from taxiway.charter.plan import Plan
    from taxiway.core.check import FlightCheck
    from taxiway.data.findings import Validation

Rows = Callable[[int], None]


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


def _nothing(_: Any) -> None:
    """Progress that nobody watches."""


class Workspace:
    """A record with everything that can be done with it. Use it as a context manager."""

    def __init__(self, root: Path, actor: str | None = None) -> None:
        self.config = config.read_config(root)
        self.root = self.config.root
        store = self.config.store
        store.mkdir(exist_ok=True)
        self.record = open_record(store / "record.db")
        self.objects = FolderObjects(store / "objects")
        self.decisions = SqliteDecisions(store / "decisions.db")
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
        known = {p.id: p for p in self.record.find(Person) if p.removed_at is None}
        if name is None:
            here = [n for n in self.keys.names() if n in known]
            if len(here) != 1:
                return None
            name = here[0]
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

    def newest_snapshot(self, model: str, digest: str | None = None) -> Snapshot:
        """A snapshot by its digest or the beginning of it, or the model's newest one."""
        snapshots = self.record.find(Snapshot, model=model)
        if digest:
            wanted = digest.removeprefix("sha256:")
            snapshots = [s for s in snapshots if s.id.removeprefix("sha256:").startswith(wanted)]
        if not snapshots:
            what = f"snapshot {digest!r}" if digest else "snapshot"
            raise MissingError(
                f"{model} has no {what}.", todo="Take one with: taxiway data snapshot"
            )
        return snapshots[-1]

    def project(self, folder: Path | str | None = None) -> Project:
        """The project in a folder, or in the nearest one upward."""
        from taxiway.bootstrap.project import read_project

        return read_project(Path(folder) if folder else None)

    def people(self) -> list[Person]:
        """Everybody who was ever added, those who were removed too."""
        return self.record.find(Person)

    # Charter

    def plan(self, project: Path | None = None, *, dry_run: bool = False) -> Plan:
        """Reads the charter and says what is missing; written down if somebody acts."""
        from taxiway.bootstrap.planning import plan

        return plan(self, self.project(project), dry_run=dry_run)

    # Data

    def data_check(
        self, project: Path | None = None, *, source: Path | None = None, on_rows: Rows = _nothing
    ) -> Validation:
        """Holds every row of a source against the contract."""
        with extras():
            from taxiway.data.validation import validate

            read = self.project(project)
            return validate(
                read.source(source),
                read.contract,
                on_rows=on_rows,
                as_of=self.desk.now(),
                target=read.charter.target.definition,
            )

    def data_snapshot(
        self,
        project: Path | None = None,
        *,
        source: Path | None = None,
        dry_run: bool = False,
        on_rows: Rows = _nothing,
    ) -> Snapshot:
        """Keeps a source as an immutable snapshot, if it holds the contract."""
        with extras():
            from taxiway.data.snapshot import take_snapshot

            read = self.project(project)
            return take_snapshot(
                self.desk,
                model=read.charter.name,
                source=read.source(source),
                contract=read.contract,
                target=read.target,
                description=read.contract.description,
                on_rows=on_rows,
                dry_run=dry_run,
            )

    def data_show(
        self, project: Path | None = None, *, snapshot: str | None = None
    ) -> tuple[Snapshot, dict[str, Any]]:
        """A snapshot with its profile."""
        with extras():
            from taxiway.data.snapshot import read_profile

            found = self.newest_snapshot(self.project(project).charter.name, snapshot)
            return found, read_profile(self.objects, found)

    # Training

    def train(
        self,
        project: Path | str | None = None,
        *,
        snapshot: str | None = None,
        dry_run: bool = False,
        step: Callable[[str], None] = _nothing,
    ) -> dict[str, Any]:
        """Trains a candidate, gathers its evidence and packages it as a signed release."""
        with extras():
            from taxiway.bootstrap.training import train

            return train(self, self.project(project), snapshot=snapshot, dry_run=dry_run, step=step)

    # Flight check

    def check(self, release: str | None = None, environment: str = "prod") -> FlightCheck:
        """The flight check of a release for an environment, as of now."""
        from taxiway.bootstrap.flight import flight_check

        return flight_check(self, self.newest_release(release), environment)

    def explain(self, check: str) -> dict[str, Any]:
        """What a check asks for, and the clauses that it serves."""
        from taxiway.bootstrap.flight import explain

        return explain(check)
