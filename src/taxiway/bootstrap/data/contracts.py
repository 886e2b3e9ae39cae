"""Wires contracts: drafting them from sources, reading and writing their files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxiway.adapters.yaml_document import read_document
from taxiway.bootstrap.data.sources import Told, opened
from taxiway.bootstrap.extras import extras
from taxiway.core.errors import ConflictError, InputError, Problem, StoreError

if TYPE_CHECKING:
    from taxiway.core.contract import Contract
    from taxiway.data.changes import Comparison
    from taxiway.data.infer import Draft
    from taxiway.data.odcs import Read

YAML = frozenset({".yaml", ".yml"})


def infer(
    asked: str,
    *,
    query: str | None = None,
    told: Told | None = None,
    rows: int | None = None,
    id: str | None = None,
    on_rows: Callable[[int], None] = lambda _: None,
) -> Draft:
    """Drafts a contract from a source, at most so many `rows` of it looked at closely."""
    with extras():
        from taxiway.data.infer import draft
        from taxiway.data.infer.drafting import ROWS

        source = opened(asked, query=query, told=told, on_rows=on_rows)
        return draft(source, rows=rows or ROWS, id=id, on_rows=on_rows)


def read(path: Path, *, table: str | None = None) -> Read:
    """The contract of a table in a file of the standard, whoever wrote it."""
    from taxiway.data.odcs import read_any

    return read_any(read_document(path), table=table)


def differences(
    before: str,
    after: str,
    *,
    table: str | None = None,
    query: str | None = None,
    told: Told | None = None,
) -> Comparison:
    """What differs between two contracts, each in a file or drafted from a source.

    A draft says only what rows show: of a source, what nobody could see in it is no difference.
    """
    with extras():
        from taxiway.data.changes import as_drafted, compare

        contracts: list[Contract] = []
        notes: list[str] = []
        drafted = False
        for asked in (before, after):
            if is_contract(asked):
                found = read(Path(asked), table=table)
                contracts.append(found.contract)
                notes += found.notes
            else:
                draft = infer(asked, query=query, told=told)
                contracts.append(draft.contract)
                notes += [f"the contract of {asked} is drafted from its rows", *draft.notes]
                drafted = True
        first, second = contracts
        if drafted:
            first, second = as_drafted(first, second)
        return compare(first, second, notes=notes)


def is_contract(asked: str) -> bool:
    """Whether a name is that of a contract's file rather than of data."""
    return Path(asked).suffix.lower() in YAML


def require_writable(path: Path, *, overwrite: bool) -> None:
    """Raises what stands in the way of writing a file, before any work is done for it."""
    if path.suffix.lower() not in YAML:
        raise InputError(f"{path.name} is no name for a contract; expected one ending in .yaml.")
    if not path.absolute().parent.is_dir():
        raise InputError(f"There is no folder {path.absolute().parent} to write {path.name} into.")
    if path.exists() and not overwrite:
        raise ConflictError(
            f"{path} is already there.", todo="Choose another name, or add --overwrite."
        )


def write(contract: Contract, path: Path, *, like: Path | None = None) -> None:
    """Writes a contract as a file of the standard, with what another file says beyond it.

    What is written is read again first: by our reader, and by the standard's own models where they
    are installed.
    """
    from taxiway.core.document import Document
    from taxiway.data.odcs import read_any
    from taxiway.data.writing import document_of, yaml_text

    before = read_document(like).data if like else None
    document = document_of(contract, before)
    read_any(Document(document, {}, path.name), table=contract.table)
    _require_standard(document, before or {})
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_text(yaml_text(document), encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise StoreError(f"{path} can't be written: {error.strerror or error}.") from None


def _require_standard(document: dict[str, Any], before: Mapping[str, Any]) -> None:
    """Holds what is written against the standard's own models; what stood in a file before is its
    author's, whether the standard has a word for it or not."""
    try:
        from open_data_contract_standard.model import OpenDataContractStandard
    except ModuleNotFoundError:
        return  # the extra `odcs` holds what we write against the standard's own models
    from pydantic import ValidationError

    def wrong(written: Mapping[str, Any]) -> list[tuple[str, str, str]]:
        try:
            OpenDataContractStandard.model_validate(written)
        except ValidationError as error:
            return [(e["msg"], str(e["loc"][0]), str(e["loc"][-1])) for e in error.errors()]
        return []

    held = set(wrong(before)) if before else set()
    problems = [
        Problem(what, where=f"{section}: {key}")
        for what, section, key in wrong(document)
        if (what, section, key) not in held
    ]
    if problems:
        raise InputError("What would be written is no contract of the standard.", problems)
