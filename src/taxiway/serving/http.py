"""The HTTP shell: parses, calls the prediction path, answers. It decides nothing itself.

An RSGI application (https://github.com/emmett-framework/granian/blob/master/docs/spec/RSGI.md).
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any
from urllib.parse import unquote

from taxiway.core.errors import MissingError, TaxiwayError, shortened
from taxiway.serving import inference
from taxiway.serving.access import Gate, Refusal
from taxiway.serving.arrow import ArrowReader
from taxiway.serving.bodies import ARROW, READ, Body, media_type
from taxiway.serving.champion import Answering
from taxiway.serving.deciding import STUB, Decider
from taxiway.serving.grouping import Answer, Grouping, Request
from taxiway.serving.metrics import CONTENT_TYPE, Metrics
from taxiway.serving.openapi import openapi
from taxiway.serving.protocols import PROTOCOLS, Protocol
from taxiway.serving.replies import Reply, encoded, failed, log_line, refused

MAXIMUM_BYTES = 16 * 1024 * 1024
DRAINED_BYTES = 4 * MAXIMUM_BYTES
UNWANTED_BYTES = 64 * 1024
"""Body of a refused request that is read all the same: no stranger makes the server keep more."""
BODY_SECONDS = 30.0
"""How long a body may take to arrive."""
REFRESH_SECONDS = 1.0

NAMED = re.compile(r"(/v[12]/models/)([^/]+)(/[a-z]+)?")
"""A path with the name of a model in it; in the table of routes the name is NAME."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request on its way: what was sent, and the model that its path names."""

    scope: Any
    protocol: Any
    path: str
    """As it is in the table of routes."""
    model: str | None
    began: float


@dataclass(frozen=True, slots=True)
class Route:
    """What answers on a path. An open one is answered without the API key."""

    method: str
    handle: Callable[[Call], Awaitable[Reply]]
    open: bool = False


class Application:
    """Answers for one champion; one process, one loop, one thread that decides.

    `gate` says whom it answers.
    `log` takes one line of JSON about each request, without anything that was sent.
    """

    def __init__(
        self,
        champion: Answering,
        *,
        gate: Gate,
        close: Callable[[], None] = lambda: None,
        log: Callable[[str], object] | None = None,
    ) -> None:
        self._champion = champion
        self._gate = gate
        self._close = close
        self._log = log
        self._metrics = Metrics()
        self._arrow = ArrowReader()
        self._loop: asyncio.AbstractEventLoop
        self._grouping: Grouping
        self._following: asyncio.Task[None]
        self._routes = {
            **{
                path: Route("POST", partial(self._decide, protocol))
                for path, protocol in PROTOCOLS.items()
            },
            "/ready": Route("GET", self._ready, open=True),
            "/live": Route("GET", self._live, open=True),
            "/ping": Route("GET", self._ready, open=True),
            "/openapi.json": Route("GET", self._openapi),
            "/metrics": Route("GET", self._show_metrics),
            "/v2": Route("GET", self._server, open=True),
            "/v2/health/live": Route("GET", self._live, open=True),
            "/v2/health/ready": Route("GET", self._ready, open=True),
            "/v2/models/NAME": Route("GET", self._model),
            "/v2/models/NAME/ready": Route("GET", self._model_ready, open=True),
        }

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._grouping = Grouping(
            self._champion.answering, loop.call_soon_threadsafe, worked=self._metrics.worked
        )
        self._following = loop.create_task(self._follow())

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._following.cancel()
        self._grouping.close()
        self._arrow.close()
        self._close()

    async def _follow(self) -> None:
        while True:
            # The gate first: whoever is told that the endpoint is ready may be let in.
            await self._loop.run_in_executor(None, self._gate.refresh)
            await self._loop.run_in_executor(None, self._champion.refresh)
            await asyncio.sleep(REFRESH_SECONDS)

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        began = time.perf_counter()
        path, model = _placed(scope.path)
        route = self._routes.get(path)
        call = Call(scope, protocol, path if route else "other", model, began)
        self._send(call, await self._reply(route, call))

    async def _reply(self, route: Route | None, call: Call) -> Reply:
        if route is None:
            text = f"There is no {shortened(call.scope.path)} here."
            return await _unwanted(call, refused(404, "TW-2", text))
        if call.scope.method != route.method:
            text = f"{call.path} takes {route.method}, found {shortened(call.scope.method, 20)}."
            return await _unwanted(call, refused(405, "TW-1", text, ("allow", route.method)))
        if not route.open and (no := self._gate.admit(call.scope.headers.get("authorization"))):
            return await _unwanted(call, refused(no.status, no.code, no.text, *_headers(no)))
        try:
            return await route.handle(call)
        except TaxiwayError as error:
            return failed(error)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - a model may raise anything; nothing left
            # The traceback is for the log, not the caller.
            self._loop.call_exception_handler({"message": "no answer", "exception": error})
            return refused(500, "TW-0", "The server made a mistake; nothing was decided.")

    def _send(self, call: Call, reply: Reply) -> None:
        content = encoded(reply)
        call.protocol.response_bytes(reply.status, list(reply.headers), content)
        seconds = time.perf_counter() - call.began
        self._metrics.requests[call.path, reply.status] += 1
        if reply.decisions:
            self._metrics.seconds["total"].add(seconds)
            for one in reply.decisions:
                self._metrics.decisions[one.release, one.output["prediction"]] += 1
        if self._log:
            self._log(log_line(call.scope.method, call.path, reply, seconds))

    async def _decide(self, protocol: Protocol, call: Call) -> Reply:
        try:
            decider = self._answering(call.model)
            media = media_type(call.scope.headers.get("content-type"), protocol.media)
        except TaxiwayError as error:
            return await _unwanted(call, failed(error))
        try:
            async with asyncio.timeout(BODY_SECONDS):
                sent = await self._body(call)
        except TimeoutError:
            return refused(408, "TW-1", f"The body did not arrive within {BODY_SECONDS:.0f} s.")
        except RuntimeError:
            # So Granian says that the client has hung up; nobody reads this, but it is counted.
            return refused(400, "TW-1", "The body was cut off.")
        if sent is None:
            return refused(413, "TW-1", f"The body is larger than {MAXIMUM_BYTES:,} bytes.")
        if self._grouping.full:
            return _busy()
        arrived = time.perf_counter()
        if media == ARROW:
            content = await self._loop.run_in_executor(None, self._arrow.read, sent)
        else:
            content = READ[media](sent)
        body = Body(media, content)
        parsed = time.perf_counter()
        contract = decider.artefact.inputs
        records = protocol.read(body, contract)
        validated = time.perf_counter()
        self._metrics.seconds["parse"].add(parsed - arrived)
        self._metrics.seconds["validate"].add(validated - parsed)
        waiting: asyncio.Future[Answer] = self._loop.create_future()
        again = partial(protocol.read, body)
        if not self._grouping.ask(
            Request(records, contract, again, call.began, partial(_settle, waiting))
        ):
            return _busy()
        answer = await waiting
        if isinstance(answer, BaseException):
            raise answer
        return Reply(protocol.show(body, answer), decisions=answer)

    def _answering(self, model: str | None) -> Decider:
        """What answers now. Raises `MissingError` if the path names another model."""
        decider = self._champion.answering()
        if model is not None and model != decider.artefact.model:
            raise MissingError.named("model", model, [decider.artefact.model])
        return decider

    async def _body(self, call: Call) -> bytes | None:
        """The body, or None if it is too large; no more than the limit is kept.

        A body that is a little too large is read to its end, so that its sender reads the answer
        instead of a broken connection.
        """
        headers = call.scope.headers
        declared = headers.get("content-length") or ""
        if headers.get("transfer-encoding"):
            # Its length is what arrives, whatever else was declared.
            declared = ""
        if declared.isdigit() and int(declared) <= MAXIMUM_BYTES:
            return bytes(await call.protocol())
        if declared.isdigit() and int(declared) > DRAINED_BYTES:
            return None
        parts: list[bytes] = []
        size = 0
        async for part in call.protocol:
            size += len(part)
            if size > DRAINED_BYTES:
                return None
            if size <= MAXIMUM_BYTES:
                parts.append(part)
        return b"".join(parts) if size <= MAXIMUM_BYTES else None

    async def _ready(self, _: Call) -> Reply:
        decider = self._champion.current
        if decider is None:
            return refused(503, "TW-4", f"Not ready: {self._champion.problem}")
        ready = {
            "ready": True,
            "release": decider.artefact.release,
            "digest": decider.artefact.digest,
            "environment": decider.environment,
            "golden_predictions": self._champion.golden,
        }
        note = {"note": said} if (said := self._champion.note) else {}
        stub = {"stub": True} if decider.channel == STUB else {}
        return Reply(ready | note | stub)

    async def _live(self, _: Call) -> Reply:
        return Reply({"live": True})

    async def _openapi(self, _: Call) -> Reply:
        return Reply(openapi(self._champion.answering().artefact))

    async def _show_metrics(self, _: Call) -> Reply:
        text = self._metrics.text(self._grouping.waiting)
        return Reply(text.encode(), headers=(("content-type", CONTENT_TYPE),))

    async def _server(self, _: Call) -> Reply:
        return Reply({"name": "taxiway", "version": version("taxiway"), "extensions": []})

    async def _model(self, call: Call) -> Reply:
        return Reply(inference.metadata(self._answering(call.model).artefact))

    async def _model_ready(self, call: Call) -> Reply:
        return Reply({"name": self._answering(call.model).artefact.model, "ready": True})


def _placed(path: str) -> tuple[str, str | None]:
    """A path as it is in the table of routes, and the model that it names.

    >>> _placed("/v2/models/churn/infer")
    ('/v2/models/NAME/infer', 'churn')
    >>> _placed("/predict")
    ('/predict', None)
    """
    found = NAMED.fullmatch(path)
    return (f"{found[1]}NAME{found[3] or ''}", unquote(found[2])) if found else (path, None)


async def _unwanted(call: Call, refusal: Reply) -> Reply:
    """A refusal that needs no body. A small one is read first: the server closes a connection on
    which a body lies unread, and the sender's next request would break."""
    headers = call.scope.headers
    declared = "" if headers.get("transfer-encoding") else headers.get("content-length") or ""
    if declared.isdigit() and int(declared) <= UNWANTED_BYTES:
        with suppress(TimeoutError, RuntimeError):  # it never came, or the client has hung up
            async with asyncio.timeout(BODY_SECONDS):
                await call.protocol()
    return refusal


def _headers(refusal: Refusal) -> list[tuple[str, str]]:
    if refusal.retry_after is not None:
        return [("retry-after", str(refusal.retry_after))]
    return [("www-authenticate", "Bearer")] if refusal.status == 401 else []


def _busy() -> Reply:
    text = "More requests wait than can be decided soon; nothing was decided."
    return refused(503, "TW-6", text, ("retry-after", "1"))


def _settle(waiting: asyncio.Future[Answer], answer: Answer) -> None:
    if not waiting.done():
        waiting.set_result(answer)
