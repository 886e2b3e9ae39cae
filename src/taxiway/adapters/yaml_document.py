"""YAML files that people write, read as plain data with the line of everything in them.

Scalars follow the core schema of YAML 1.2: only `true` and `false` are booleans, so that `NO` stays
the country and `on` stays a word; dates stay text until a model asks for a date.
Source: https://yaml.org/spec/1.2.2/#103-core-schema
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from taxiway.core.document import Document, Place
from taxiway.core.errors import InputError, Problem, shortened

MAXIMUM_BYTES = 1_000_000
MAXIMUM_NODES = 50_000
"""Values after aliases are written out: a few lines of aliases can stand for billions."""
MAXIMUM_DEPTH = 60

SCALARS = {
    "tag:yaml.org,2002:null": r"~|null|Null|NULL|",
    "tag:yaml.org,2002:bool": r"true|True|TRUE|false|False|FALSE",
    "tag:yaml.org,2002:int": r"[-+]?(?:0|[1-9][0-9]*)",
    "tag:yaml.org,2002:float": r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?",
}
"""What an unquoted scalar is. Digits with a leading zero are a code and stay text (`_value`)."""


class _Loader(yaml.SafeLoader):
    """PyYAML's composer with the resolver of the core schema."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own attribute


for _tag, _pattern in SCALARS.items():
    _Loader.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), None)


class _Reader:
    """Walks the composed nodes once, and gathers data, lines and problems."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[Place, int] = {}
        self.problems: list[Problem] = []
        self.nodes = 0

    def read(self, node: yaml.Node, place: Place) -> Any:
        self.nodes += 1
        if self.nodes > MAXIMUM_NODES or len(place) > MAXIMUM_DEPTH:
            raise InputError(
                f"{self.name} is too large: more than {MAXIMUM_NODES} values or"
                f" {MAXIMUM_DEPTH} levels once its aliases are written out.",
                todo="Write the document without aliases that repeat each other.",
            )
        self.lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*place, at)) for at, item in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = key_node.value
            if not isinstance(key_node, yaml.ScalarNode) or key == "<<":
                self._problem("a key has to be plain text", line)
                continue
            if key in mapping:
                first = self.lines[(*place, key)]
                self._problem(f"`{shortened(key, 60)}` is there twice, first in line {first}", line)
                continue
            self.lines[(*place, key)] = line
            mapping[key] = self.read(value_node, (*place, key))
        return mapping

    def _scalar(self, node: yaml.Node) -> Any:
        tag, text = node.tag, node.value
        if tag == "tag:yaml.org,2002:str":
            return text
        pattern = SCALARS.get(tag)
        if pattern is None or not re.fullmatch(pattern, text):
            line = node.start_mark.line + 1
            self._problem(f"the tag {shortened(tag, 60)} is not read here", line)
            return text
        return _value(tag, text)

    def _problem(self, what: str, line: int) -> None:
        self.problems.append(Problem(what, where=f"{self.name}:{line}"))


def _value(tag: str, text: str) -> Any:
    if tag.endswith("null"):
        return None
    if tag.endswith("bool"):
        return text.lower() == "true"
    if tag.endswith("int"):
        return int(text) if len(text) < 100 else text
    # Digits with a leading zero match the pattern of a float: they are a code such as 007.
    return text if re.fullmatch(r"[-+]?0[0-9]+", text) else float(text)


def read_document(path: Path, *, name: str | None = None) -> Document:
    """The document in a YAML file of at most 1 MB.

    Raises `InputError`, with the line where there is one: no such file, not UTF-8, empty, broken
    syntax, a key twice, more than one document, tags, or aliases that grow without bound.
    """
    name = name or path.name
    text = _text(path, name)
    try:
        node = yaml.compose(text, Loader=_Loader)
        if node is None:
            raise InputError(f"{name} is empty.", todo="Write the document, or restore it.")
        reader = _Reader(name)
        data = reader.read(node, ())
    except yaml.YAMLError as error:
        raise _syntax_error(name, error) from None
    except RecursionError:
        raise InputError(f"{name} is nested too deeply to be a document for people.") from None
    if reader.problems:
        raise InputError(f"{name} can't be read.", reader.problems)
    return Document(data, reader.lines, name)


def _text(path: Path, name: str) -> str:
    if path.is_dir():
        raise InputError(f"{name} is a folder, not a YAML file: {path}.")
    if not path.exists():
        raise InputError(f"There is no file {path}.")
    with path.open("rb") as file:
        content = file.read(MAXIMUM_BYTES + 1)
    if len(content) > MAXIMUM_BYTES:
        raise InputError(f"{name} is larger than 1 MB: it can't be a document for people.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = Problem(
            "the text is not UTF-8",
            found=f"byte 0x{content[error.start]:02x}",
            where=f"{name}:{line}",
            todo="Save it as UTF-8.",
        )
        raise InputError(f"{name} can't be read.", [problem]) from None


def _syntax_error(name: str, error: yaml.YAMLError) -> InputError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    where = f"{name}:{mark.line + 1}" if mark else name
    parts = [getattr(error, part, None) for part in ("context", "problem", "reason")]
    what = ", ".join(part for part in parts if part) or shortened(error)
    return InputError(f"{name} is not YAML.", [Problem(shortened(what), where=where)])
