"""Replies: what leaves, in one form for answers and one for errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from taxiway.core.decided import Decided
from taxiway.core.decision import Decision
from taxiway.core.digest import utc_text
from taxiway.core.errors import SHOWN_PROBLEMS, TaxiwayError
from taxiway.serving.bodies import TooLargeError, UnreadableError, UnsupportedError

STATUS = {"TW-1": 422, "TW-2": 404, "TW-3": 403, "TW-5": 409}
"""Code of an error -> status; every other one is a 503: nothing was decided."""
UNREAD: dict[type[TaxiwayError], int] = {
    UnreadableError: 400,
    TooLargeError: 413,
    UnsupportedError: 415,
}
"""Errors of a body that could not even be read -> status."""

JSON = ("content-type", "application/json")

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered. `content` is JSON data, or bytes as they are."""

    content: Any
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (JSON,)
    decisions: Sequence[Decision] = ()
    """Those that it tells of."""


def encoded(reply: Reply) -> bytes:
    """The bytes of a reply's content."""
    return reply.content if isinstance(reply.content, bytes) else _encode(reply.content)


def refused(status: int, code: str, text: str, *headers: tuple[str, str]) -> Reply:
    """An error that no part of the tree stands for."""
    return Reply({"code": code, "error": text, "problems": []}, status, (JSON, *headers))


def busy(text: str) -> Reply:
    """More than can be done now; it may be asked again."""
    return refused(503, "TW-6", text, ("retry-after", "1"))


def failed(error: TaxiwayError) -> Reply:
    """An error of the tree: its code, and all of its problems as long as they are few."""
    problems = [
        {
            name: value
            for name in ("what", "where", "found", "expected", "todo")
            if (value := getattr(problem, name)) is not None
        }
        for problem in error.problems[:SHOWN_PROBLEMS]
    ]
    content: dict[str, Any] = {
        "code": error.code,
        "error": error.headline,
        "problems": problems,
    }
    if len(error.problems) > SHOWN_PROBLEMS:
        content["more_problems"] = len(error.problems) - SHOWN_PROBLEMS
    if error.todo:
        content["todo"] = error.todo
    return Reply(content, UNREAD.get(type(error)) or STATUS.get(error.code, 503))


def log_line(method: str, path: str, reply: Reply, seconds: float) -> str:
    """One line of JSON about a request: what came of it, and nothing of what was sent."""
    line = {
        "at": utc_text(datetime.now(UTC)),
        "method": method[:10],
        "path": path,
        "status": reply.status,
        "ms": round(seconds * 1000, 3),
        "release": reply.decisions[0].release if reply.decisions else None,
        "decisions": ids_of(reply.decisions),
    }
    return _encode(line).decode()


def ids_of(decisions: Sequence[Decision]) -> Sequence[str]:
    """The ids of decisions."""
    return decisions.ids if isinstance(decisions, Decided) else [one.id for one in decisions]
