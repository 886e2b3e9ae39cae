"""What an ONNX file may hold before ONNX Runtime sees it: one `TreeEnsemble`, and nothing else.

ONNX can name files beside it that hold its numbers, bring functions and graphs inside of nodes, and
ask for operators of other domains. None of that is needed here, so none of it is let through: a
field that is not on the lists below is refused, whatever it means. The format is read as bytes, as
the `onnx` package is not installed where a release serves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from taxiway.core.errors import IntegrityError

OPERATOR, DOMAINS = "TreeEnsemble", ("", "ai.onnx.ml")
_NUMBERS = re.compile(rb"(?:\x40[\x80-\xff]{0,9}[\x00-\x7f])+")
"""A list of whole numbers, which is a field for each of them: too many to look at one by one."""
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5


@dataclass(frozen=True, slots=True)
class Message:
    """The fields that a kind of message may have: number -> name, and those that are messages."""

    name: str
    fields: Mapping[int, str]
    inner: Mapping[int, Message]


_TENSOR = Message("tensor", {1: "dims", 2: "data_type", 8: "name", 9: "raw_data"}, {})
_ATTRIBUTE = Message(
    "attribute",
    {1: "name", 2: "f", 3: "i", 4: "s", 5: "t", 7: "floats", 8: "ints", 9: "strings", 20: "type"},
    {5: _TENSOR},
)
_NODE = Message(
    "node",
    {1: "input", 2: "output", 3: "name", 4: "op_type", 5: "attribute", 7: "domain"},
    {5: _ATTRIBUTE},
)
_GRAPH = Message("graph", {1: "node", 2: "name", 11: "input", 12: "output"}, {1: _NODE})
_OPSET = Message("operator set", {1: "domain", 2: "version"}, {})
_MODEL = Message(
    "model",
    {1: "ir_version", 2: "producer_name", 3: "producer_version", 7: "graph", 8: "opset_import"},
    {7: _GRAPH, 8: _OPSET},
)


def require_plain(content: bytes, file: str) -> None:
    """Raises `IntegrityError` for a file that holds anything else."""
    try:
        problems = list(_problems(memoryview(content), _MODEL))
    except (IndexError, ValueError, UnicodeDecodeError) as error:
        raise IntegrityError(f"{file} is no ONNX file: {error}.") from error
    if problems:
        raise IntegrityError(
            f"{file} holds what a compiled model has no use for, and nothing of it was loaded:"
            f" {'; '.join(problems[:5])}.",
            todo="Train and release again.",
        )


def _problems(content: memoryview, message: Message) -> Iterator[str]:
    found: dict[str, list[Any]] = {}
    for number, value in _fields(content):
        name = message.fields.get(number)
        if name is None:
            yield f"field {number} of a {message.name}"
            continue
        found.setdefault(name, []).append(value)
        if number in message.inner:
            if not isinstance(value, memoryview):
                raise ValueError(f"{name} of a {message.name} is no message")
            yield from _problems(value, message.inner[number])
    if message is _NODE:
        operators = [bytes(value).decode() for value in found.get("op_type", [b""])]
        yield from (f"the operator {one!r}" for one in operators if one != OPERATOR)
    if message is _GRAPH and len(found.get("node", ())) != 1:
        yield f"{len(found.get('node', ()))} nodes"
    if message is _MODEL and len(found.get("graph", ())) != 1:
        yield f"{len(found.get('graph', ()))} graphs"
    domains = [bytes(value).decode() for value in found.get("domain", ())]
    yield from (f"the domain {one!r}" for one in domains if one not in DOMAINS)


def _fields(content: memoryview) -> Iterator[tuple[int, Any]]:
    """Number and value of each field of a message, as protocol buffers are written."""
    at = 0
    while at < len(content):
        run = _NUMBERS.match(content, at)
        if run is not None:
            at = run.end()
            yield 8, None
            continue
        key, at = _varint(content, at)
        kind, value = key & 7, None  # type: tuple[int, Any]
        if kind == _VARINT:
            value, at = _varint(content, at)
        elif kind in (_EIGHT, _FOUR):
            at += 8 if kind == _EIGHT else 4
        elif kind == _BYTES:
            size, at = _varint(content, at)
            value = content[at : at + size]
            at += size
        else:
            raise ValueError(f"it has a field of the kind {kind}")
        if at > len(content):
            raise ValueError("it is cut off")
        yield key >> 3, value


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(content):
            raise ValueError("it is cut off")
        byte = content[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError("it has a number that does not end")
