"""The HTTP shell: parses, calls the prediction path, answers. It decides nothing itself.

An RSGI application (https://github.com/emmett-framework/granian/blob/master/docs/spec/RSGI.md).
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from taxiway.core.decision import Decision
from taxiway.core.digest import utc_text
from taxiway.core.errors import SHOWN_PROBLEMS, TaxiwayError, shortened
from taxiway.serving.champion import Champion
from taxiway.serving.grouping import Answer, Grouping, Request
from taxiway.serving.openapi import openapi
from taxiway.serving.records import read_records

MAXIMUM_BYTES = 16 * 1024 * 1024
DRAINED_BYTES = 4 * MAXIMUM_BYTES
REFRESH_SECONDS = 1.0

STATUS = {"TW-1": 422, "TW-2": 404, "TW-3": 403, "TW-5": 409}
"""Code of an error -> status; every other one is a 503: nothing was decided."""

JSON = ("content-type", "application/json")


class Application:
    """Answers for one champion; one process, one loop.

    `key` is the API key that callers have to send as a bearer token; None: none is asked for.
    """

    def __init__(
        self, champion: Champion, *, key: str | None, close: Callable[[], None] = lambda: None
    ) -> None:
        self._champion = champion
        self._key = key.encode() if key else None
        self._close = close
        self._encode = msgspec.json.Encoder().encode
        self._grouping: Grouping | None = None
        self._following: asyncio.Task[None] | None = None
        self._routes = {
            "/predict": ("POST", self._predict),
            "/ready": ("GET", self._ready),
            "/live": ("GET", self._live),
            "/openapi.json": ("GET", self._openapi),
        }

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._grouping = Grouping(self._champion.answering, loop.call_soon_threadsafe)
        self._following = loop.create_task(self._follow())

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._following:
            self._following.cancel()
        if self._grouping:
            self._grouping.close()
        self._close()

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await loop.run_in_executor(None, self._champion.refresh)
            await asyncio.sleep(REFRESH_SECONDS)

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        method, handle = self._routes.get(scope.path, (None, None))
        if handle is None:
            self._refuse(protocol, 404, "TW-2", f"There is no {shortened(scope.path)} here.")
            return
        if scope.method != method:
            text = f"{scope.path} takes {method}, found {shortened(scope.method, 20)}."
            self._refuse(protocol, 405, "TW-1", text, [("allow", str(method))])
            return
        if scope.path in {"/predict", "/openapi.json"} and not self._may(scope):
            todo = "Send the API key as `authorization: Bearer KEY`."
            self._refuse(protocol, 401, "TW-3", todo, [("www-authenticate", "Bearer")])
            return
        try:
            await handle(scope, protocol)
        except TaxiwayError as error:
            self._fail(protocol, error)
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError):
                raise
            # Nothing left, so nothing was decided; the traceback is for the log, not the caller.
            self._refuse(protocol, 500, "TW-0", "The server made a mistake; nothing was decided.")
            raise

    def _may(self, scope: Any) -> bool:
        if self._key is None:
            return True
        sent = scope.headers.get("authorization") or ""
        return hmac.compare_digest(sent.removeprefix("Bearer ").encode(), self._key)

    async def _predict(self, scope: Any, protocol: Any) -> None:
        began = time.perf_counter()
        decider = self._champion.current
        if decider is None:
            self._refuse(protocol, 503, "TW-4", f"Nothing answers: {self._champion.problem}")
            return
        body = await self._body(scope, protocol)
        if body is None:
            text = f"The body is larger than {MAXIMUM_BYTES:,} bytes."
            self._refuse(protocol, 413, "TW-1", text)
            return
        try:
            given = msgspec.json.decode(body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            text = f"The body is no JSON: {shortened(error)}"
            self._refuse(protocol, 400, "TW-1", text)
            return
        records = read_records(given, decider.artefact.inputs)
        waiting = asyncio.get_running_loop().create_future()
        request = Request(
            records,
            decider.artefact.inputs,
            partial(read_records, given),
            began,
            partial(_settle, waiting),
        )
        if self._grouping is None or not self._grouping.ask(request):
            text = "More requests wait than can be decided soon; nothing was decided."
            self._refuse(protocol, 503, "TW-6", text, [("retry-after", "1")])
            return
        answer = await waiting
        if isinstance(answer, BaseException):
            raise answer
        decided = [shown(one) for one in answer]
        self._answer(protocol, 200, decided if isinstance(given, list) else decided[0])

    async def _body(self, scope: Any, protocol: Any) -> bytes | None:
        """The body, or None if it is too large; no more than the limit is kept.

        A body that is a little too large is read to its end, so that its sender reads the answer
        instead of a broken connection.
        """
        declared = scope.headers.get("content-length")
        if declared and declared.isdigit() and int(declared) > DRAINED_BYTES:
            return None
        parts: list[bytes] = []
        size = 0
        async for part in protocol:
            size += len(part)
            if size > DRAINED_BYTES:
                return None
            if size <= MAXIMUM_BYTES:
                parts.append(part)
        return b"".join(parts) if size <= MAXIMUM_BYTES else None

    async def _ready(self, _: Any, protocol: Any) -> None:
        decider = self._champion.current
        if decider is None:
            self._refuse(protocol, 503, "TW-4", f"Not ready: {self._champion.problem}")
            return
        ready = {
            "ready": True,
            "release": decider.artefact.release,
            "digest": decider.artefact.digest,
            "environment": decider.environment,
            "golden_predictions": self._champion.golden,
        }
        self._answer(protocol, 200, ready | ({"note": n} if (n := self._champion.note) else {}))

    async def _live(self, _: Any, protocol: Any) -> None:
        self._answer(protocol, 200, {"live": True})

    async def _openapi(self, _: Any, protocol: Any) -> None:
        decider = self._champion.current
        if decider is None:
            self._refuse(protocol, 503, "TW-4", f"Not ready: {self._champion.problem}")
            return
        self._answer(protocol, 200, openapi(decider.artefact))

    def _answer(self, protocol: Any, status: int, content: Any) -> None:
        protocol.response_bytes(status, [JSON], self._encode(content))

    def _fail(self, protocol: Any, error: TaxiwayError) -> None:
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
        self._answer(protocol, STATUS.get(error.code, 503), content)

    def _refuse(
        self,
        protocol: Any,
        status: int,
        code: str,
        text: str,
        headers: list[tuple[str, str]] | None = None,
    ) -> None:
        content = self._encode({"code": code, "error": text, "problems": []})
        protocol.response_bytes(status, [JSON, *(headers or [])], content)


def _settle(waiting: asyncio.Future[Answer], answer: Answer) -> None:
    if not waiting.done():
        waiting.set_result(answer)


def shown(decision: Decision) -> dict[str, Any]:
    """A decision as it is answered."""
    return {
        "decision": decision.id,
        "release": decision.release,
        **decision.output,
        "at": utc_text(decision.at),
    }
