"""The HTTP shell: parses, calls the prediction path, answers. It decides nothing itself.

An RSGI application (https://github.com/emmett-framework/granian/blob/master/docs/spec/RSGI.md).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from taxiway.core.artefact import Artefact
from taxiway.core.errors import MissingError, TaxiwayError, shortened
from taxiway.serving import case_pages
from taxiway.serving.access import Refusal
from taxiway.serving.bodies import JSON, media_type
from taxiway.serving.call import Call
from taxiway.serving.case_pages import Asked, Cases
from taxiway.serving.figures import Figures
from taxiway.serving.metrics import Metrics
from taxiway.serving.pages import CLOSED, Pages
from taxiway.serving.protocols import PROTOCOLS, Protocol
from taxiway.serving.reading import Reading
from taxiway.serving.receiving import Intake, Patience
from taxiway.serving.replies import Reply, busy, encoded, failed, ids_of, log_line, refused
from taxiway.serving.request import Answer, Request
from taxiway.serving.routes import Route, Routes
from taxiway.serving.served import Served
from taxiway.serving.tracing import Traced

REFRESH_SECONDS = 1.0
SLOW_SECONDS = 0.1
"""A body that was on its way for longer may have outlived its key."""
WAITING = "More requests wait than can be decided soon; nothing was decided."


class Application:
    """Answers for some models; one process, one loop, one thread for each model that decides.

    `log` takes one line of JSON about each request, and `trace` what a span says of it; neither
    holds anything that was sent.
    """

    def __init__(
        self,
        models: Sequence[Served],
        *,
        close: Callable[[], None] = lambda: None,
        cases: Cases | None = None,
        figures: Figures | None = None,
        log: Callable[[str], object] | None = None,
        trace: Callable[[Traced], None] | None = None,
    ) -> None:
        self._models = {one.name: one for one in models}
        self._close = close
        self._cases = cases
        self._log = log
        self._trace = trace
        self._metrics = Metrics()
        self._figures = figures
        self._pages = Pages(self._models, self._metrics, figures)
        self._reading = Reading()
        self._loop: asyncio.AbstractEventLoop
        self._intake: Intake
        self._following: asyncio.Task[None]
        self._routes = Routes(
            models,
            {
                **{
                    path: Route(path, "POST", partial(self._decide, protocol))
                    for path, protocol in PROTOCOLS.items()
                },
                **{
                    path: Route(path, "GET", handle, open=path not in CLOSED)
                    for path, handle in self._pages.routes().items()
                },
                **{
                    path: Route(path, method, partial(self._case, answers))
                    for path, (method, answers) in case_pages.PAGES.items()
                },
            },
        )

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._intake = Intake(Patience(loop))
        for one in self._models.values():
            one.start(loop.call_soon_threadsafe)
        self._following = loop.create_task(self._follow())

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._following.cancel()
        for one in self._models.values():
            one.close()
        self._reading.close()
        self._close()

    async def _follow(self) -> None:
        while True:
            for one in self._models.values():
                try:
                    await self._loop.run_in_executor(None, one.refresh)
                except Exception as error:  # noqa: BLE001 - it goes on following
                    self._mistaken("a model can't be followed", error)
            if self._figures is not None:
                with suppress(OSError):  # they are a second old, then
                    self._figures.write(self._pages.figures())
            await asyncio.sleep(REFRESH_SECONDS)

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        began = time.perf_counter()
        steps: dict[str, float] | None = {} if self._trace else None
        call = Call(scope, protocol, self._routes.find(scope.path), began, steps)
        self._send(call, await self._reply(call))

    async def _reply(self, call: Call) -> Reply:
        route = call.route
        if not route.method:
            text = f"There is no {shortened(call.scope.path)} here."
            return await self._unwanted(call, refused(404, "TW-2", text))
        if call.scope.method not in TAKEN[route.method]:
            text = f"{route.shown} takes {route.method}, found {shortened(call.scope.method, 20)}."
            allow = ("allow", ", ".join(TAKEN[route.method]))
            return await self._unwanted(call, refused(405, "TW-1", text, allow))
        if not route.open and (no := self._admit(call)):
            return await self._unwanted(call, refused(no.status, no.code, no.text, *_headers(no)))
        try:
            return await route.handle(call)
        except TaxiwayError as error:
            return failed(error)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - a model may raise anything; nothing left
            self._mistaken("no answer", error)
            return refused(500, "TW-0", "The server made a mistake; nothing was decided.")

    def _mistaken(self, what: str, error: BaseException) -> None:
        """The traceback is for the log, not the caller."""
        self._loop.call_exception_handler({"message": what, "exception": error})

    def _send(self, call: Call, reply: Reply) -> None:
        decided = time.perf_counter()
        content = encoded(reply)
        call.protocol.response_bytes(reply.status, list(reply.headers), content)
        written = time.perf_counter()
        seconds = written - call.began
        self._metrics.requests[call.route.shown, reply.status] += 1
        if reply.decisions:
            self._metrics.seconds["write"].add(written - decided)
            self._metrics.seconds["total"].add(seconds)
            self._metrics.decided(reply.decisions)
        if self._log:
            self._log(log_line(call.scope.method, call.route.shown, reply, seconds))
        if self._trace and call.steps is not None:
            call.steps["write"] = written - decided
            self._trace(_traced(call, reply, seconds, call.steps))

    def _admit(self, call: Call) -> Refusal | None:
        """Whether the gate of its model lets it in; without a model, whether any gate does."""
        served = call.route.served
        if served is not None:
            return served.gate.admit(call.key)
        refusal = None
        for one in self._models.values():
            refusal = one.gate.admit(call.key)
            if refusal is None:
                return None
        return refusal

    async def _decide(self, protocol: Protocol, call: Call) -> Reply:
        headers = call.scope.headers
        try:
            served = self._pages.served(call)
            decider = self._pages.decider(call)
            media = media_type(headers.get("content-type"), protocol.media)
        except TaxiwayError as error:
            return await self._unwanted(call, failed(error))
        sent = await self._intake.receive(headers, call.protocol)
        if isinstance(sent, Reply):
            return sent
        try:
            if no := self._revoked(call, served):
                return refused(no.status, no.code, no.text, *_headers(no))
            if served.grouping.full:
                return busy(WAITING)
            return await self._decided(call, served, protocol, decider.artefact, media, sent)
        finally:
            self._intake.answered(sent)

    def _revoked(self, call: Call, served: Served) -> Refusal | None:
        """Why a key is good no more whose body was long on its way."""
        if time.perf_counter() - call.began < SLOW_SECONDS:
            return None
        return served.gate.admit(call.key, again=True)

    async def _decided(
        self,
        call: Call,
        served: Served,
        protocol: Protocol,
        artefact: Artefact,
        media: str,
        sent: bytes,
    ) -> Reply:
        contract = artefact.inputs
        read = await self._reading.read(protocol, media, sent, contract)
        protocol.asks(read.body.content, artefact.kind)
        self._metrics.seconds["parse"].add(read.parsed)
        self._metrics.seconds["validate"].add(read.validated)
        if call.steps is not None:
            call.steps.update(parse=read.parsed, validate=read.validated)
        waiting: asyncio.Future[Answer] = self._loop.create_future()
        request = Request(
            read.records,
            contract,
            read.again,
            call.began,
            partial(_settle, waiting),
            call.route.release,
            call.worked if call.steps is not None else None,
        )
        if not served.grouping.ask(request):
            return busy(WAITING)
        answer = await waiting
        if isinstance(answer, BaseException):
            raise answer
        return await self._reading.shown(protocol, read.body, answer)

    async def _case(self, answers: Callable[[Cases, Asked], Any], call: Call) -> Reply:
        sent = b""
        if call.route.method == "POST":
            try:
                media_type(call.scope.headers.get("content-type"), (JSON,))
            except TaxiwayError as error:
                return await self._unwanted(call, failed(error))
            received = await self._intake.receive(call.scope.headers, call.protocol)
            if isinstance(received, Reply):
                return received
            self._intake.answered(received)
            sent = received
        if self._cases is None:
            raise MissingError("No case is kept here: nothing that this server answers is logged.")
        model = self._pages.served(call).name
        asked = Asked(model, call.route.case, call.scope.query_string, sent)
        # Off the loop: it reads the log and the record, and may write.
        return Reply(await self._loop.run_in_executor(None, answers, self._cases, asked))

    async def _unwanted(self, call: Call, refusal: Reply) -> Reply:
        return await self._intake.unwanted(call.scope.headers, call.protocol, refusal)


TAKEN = {"GET": ("GET", "HEAD"), "POST": ("POST",)}
"""What a route says it takes -> what it is asked with."""


def _traced(call: Call, reply: Reply, seconds: float, steps: dict[str, float]) -> Traced:
    return Traced(
        method=call.scope.method[:10],
        path=call.route.shown,
        status=reply.status,
        seconds=seconds,
        steps=steps,
        model=call.route.served.name if call.route.served else None,
        release=reply.decisions[0].release if reply.decisions else None,
        decisions=ids_of(reply.decisions),
        parent=call.scope.headers.get("traceparent"),
    )


def _headers(refusal: Refusal) -> list[tuple[str, str]]:
    if refusal.retry_after is not None:
        return [("retry-after", str(refusal.retry_after))]
    return [("www-authenticate", "Bearer")] if refusal.status == 401 else []


def _settle(waiting: asyncio.Future[Answer], answer: Answer) -> None:
    if not waiting.done():
        waiting.set_result(answer)
