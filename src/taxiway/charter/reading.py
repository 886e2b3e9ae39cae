"""The charter as it was written: readable sections, and everything that is wrong with the rest.

A document comes from `adapters.yaml_document`. A key that is left blank is missing, so that a fresh
project can show what there is to answer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from taxiway.charter.remark import Remark
from taxiway.core.charter import Charter
from taxiway.core.document import Document, problems_of
from taxiway.core.errors import InputError
from taxiway.core.section import Section


@dataclass(frozen=True, slots=True)
class CharterFile:
    """A charter on its way to be complete.

    `sections` holds those that can be read, by name, also while others can't; `remarks` says what
    is wrong with the file's form. `charter` is there once nothing is.
    """

    document: Document
    charter: Charter | None
    sections: Mapping[str, Any]
    remarks: tuple[Remark, ...]
    answers: int
    """How many questions are answered in the file."""


def read_charter_file(document: Document) -> CharterFile:
    """The charter in a document, complete or not. Raises `InputError` if it is no mapping."""
    if not isinstance(document.data, Mapping):
        raise InputError(
            f"{document.name} is not a charter: expected keys such as `name` and `purpose`,"
            f" found {type(document.data).__name__}.",
            todo="`taxiway new` writes one to start from.",
        )
    data = _without_blanks(document.data)
    document = dataclasses.replace(document, data=data)
    try:
        charter = Charter.model_validate(data)
    except ValidationError as error:
        remarks = _remarks(document, error)
        return CharterFile(document, None, _readable(data, error), remarks, _answers(data))
    sections = {name: getattr(charter, name) for name in Charter.model_fields}
    return CharterFile(document, charter, sections, (), _answers(data))


def read_charter(document: Document) -> Charter:
    """The charter in a document. Raises `InputError` with everything that is wrong in its form."""
    file = read_charter_file(document)
    if file.charter is None:
        raise InputError(
            f"{document.name} is not a complete charter.",
            [remark.problem for remark in file.remarks],
            todo="See `taxiway plan`.",
        )
    return file.charter


def _remarks(document: Document, error: ValidationError) -> tuple[Remark, ...]:
    blank = {document.where(e["loc"]) for e in error.errors() if e["type"] == "missing"}
    return tuple(
        Remark("missing", problem, "training")
        if problem.where in blank
        else Remark("error", problem)
        for problem in problems_of(document, error, Charter)
    )


def _readable(data: Mapping[str, Any], error: ValidationError) -> dict[str, Any]:
    """The sections that hold, whatever is wrong with the others; left-out ones by default."""
    wrong = {item["loc"][0] for item in error.errors() if item["loc"]}
    readable: dict[str, Any] = {}
    for name, info in Charter.model_fields.items():
        if name in wrong:
            continue
        if name not in data:
            readable[name] = info.get_default()
        elif isinstance(info.annotation, type) and issubclass(info.annotation, Section):
            readable[name] = info.annotation.model_validate(data[name])
        else:
            readable[name] = data[name]
    return readable


def _without_blanks(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {key: _without_blanks(value) for key, value in data.items() if value is not None}
    return [_without_blanks(item) for item in data] if isinstance(data, list) else data


def _answers(data: Any) -> int:
    if isinstance(data, Mapping):
        return sum(_answers(value) for value in data.values())
    return 1
