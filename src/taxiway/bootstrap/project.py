"""A project on disk: its charter, its contract, and where its files are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from taxiway import config
from taxiway.adapters.yaml_document import read_document
from taxiway.core.errors import InputError, MissingError, Problem, TaxiwayError
from taxiway.core.kind import KINDS

if TYPE_CHECKING:
    from taxiway.charter.plan import Plan
    from taxiway.charter.reading import CharterFile
    from taxiway.core.charter import Charter
    from taxiway.core.contract import Contract
    from taxiway.core.people import Person
    from taxiway.data.manifest import Target
    from taxiway.data.source import Source


@dataclass(frozen=True, slots=True)
class Project:
    """What was read from a project's folder, complete or not."""

    folder: Path
    file: CharterFile
    contract_or_none: Contract | None
    contract_problems: tuple[Problem, ...]

    @property
    def charter(self) -> Charter:
        """The charter. Raises `InputError` with everything that is wrong in its form."""
        from taxiway.charter.reading import read_charter

        return self.file.charter or read_charter(self.file.document)

    @property
    def contract(self) -> Contract:
        """The contract. Raises `InputError` with everything that is wrong with it."""
        if self.contract_or_none is None:
            raise InputError(
                f"The contract of {self.folder.name} can't be used.",
                self.contract_problems,
                todo="See `taxiway plan`.",
            )
        return self.contract_or_none

    @property
    def target(self) -> Target:
        from taxiway.data.manifest import Target

        target, kind = self.charter.target, KINDS[self.charter.kind]
        return Target(target.name, target.definition, kind.label)

    def path(self, name: str) -> Path:
        """A file that the charter names."""
        return self.folder / name

    def source(self, given: Path | None) -> Source:
        """The data to read: those that were given, or the charter's."""
        from taxiway.data.source import open_source

        data = self.file.sections.get("data")
        return open_source(given or self.path((data or self.charter.data).source))

    def plan(self, people: list[Person] | None, today: date) -> Plan:
        from taxiway.charter.plan import make_plan

        return make_plan(
            self.file,
            contract=self.contract_or_none,
            today=today,
            exists=lambda name: self.path(name).exists(),
            contract_problems=self.contract_problems,
            people=people,
        )


def read_project(folder: Path | None) -> Project:
    """The project in a folder, or in the nearest one upward. Raises `MissingError`."""
    from taxiway.charter.reading import read_charter_file

    root = config.find_project(folder)
    file = read_charter_file(read_document(root / config.CHARTER))
    contract, problems = _contract(root, file)
    return Project(root, file, contract, problems)


def project_here(folder: Path | None) -> Project | None:
    """The project here, if there is one; a folder that was named has to hold one."""
    try:
        return read_project(folder)
    except MissingError:
        if folder is not None:
            raise
        return None


def _contract(root: Path, file: CharterFile) -> tuple[Contract | None, tuple[Problem, ...]]:
    from taxiway.data.odcs import read_contract

    data = file.sections.get("data")
    if data is None or not (root / data.contract).is_file():
        return None, ()
    try:
        return read_contract(read_document(root / data.contract)), ()
    except TaxiwayError as error:
        return None, error.problems or (Problem(error.headline, todo=error.todo),)
