"""The HTTP shell without a socket: what it refuses, and that nothing that a model does ends it."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from taxiway.adapters.memory import MemoryDecisions
from taxiway.core.artefact import Artefact
from taxiway.core.errors import MissingError
from taxiway.serving import access, receiving
from taxiway.serving import guardrail as rail
from taxiway.serving.cast import Canary, Cast
from taxiway.serving.grouping import Grouping, Limits
from taxiway.serving.http import Application
from taxiway.serving.lineup import Lineup
from taxiway.serving.served import Served
from taxiway.serving.stub import Standing

from .conftest import NOW, RECORD, deciders, make_decider
from .test_grouping import Gate, breaking, record


class Headers(dict[str, str]):
    """As a server hands them over."""

    def get_all(self, name: str) -> list[str]:
        return [self[name]] if name in self else []


@dataclass
class Scope:
    method: str
    path: str
    headers: Headers


@dataclass
class Wire:
    """What a server hands to an application: the body, and where the answer goes."""

    parts: list[bytes]
    stalls: bool = False
    broken: bool = False
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)

    async def __call__(self) -> bytes:
        if self.stalls:
            await asyncio.sleep(60)
        if self.broken:
            raise RuntimeError("RSGI transport is closed")
        return b"".join(self.parts)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            yield part

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.answers.append((status, dict(headers), body))


class Process:
    """An application with a loop of its own, as a server would run it."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.loop = asyncio.new_event_loop()
        self.said: list[dict[str, Any]] = []
        self.loop.set_exception_handler(lambda _, context: self.said.append(context))
        application.__rsgi_init__(self.loop)

    def close(self) -> None:
        self.application.__rsgi_del__(self.loop)
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()

    async def one(
        self, method: str, path: str, content: Any = None, wire: Wire | None = None, **headers: str
    ) -> tuple[int, dict[str, str], Any]:
        sent = content if isinstance(content, bytes) else json.dumps(content).encode()
        wire = wire or Wire([sent])
        length = {"content-length": str(len(sent))} if not wire.stalls else {"content-length": "9"}
        await self.application.__rsgi__(Scope(method, path, Headers({**length, **headers})), wire)
        ((status, said, body),) = wire.answers
        return status, said, json.loads(body) if "json" in said["content-type"] else body.decode()

    def ask(self, method: str, path: str, content: Any = None, **more: Any) -> tuple[Any, ...]:
        return self.loop.run_until_complete(self.one(method, path, content, **more))


Serve = Callable[..., Process]


def gate_with(key: str | None) -> access.Gate:
    """A gate that was read: open, or closed but for one key."""
    gate = access.Gate(lambda: ((), ()), lambda: NOW, lambda: 0.0, key)
    gate.refresh()
    return gate


@pytest.fixture
def serve() -> Iterator[Serve]:
    started: list[Process] = []

    def start(artefact: Artefact, kept: MemoryDecisions | None = None, **options: Any) -> Process:
        cast = Cast(make_decider(kept or MemoryDecisions())(artefact))
        gate = gate_with(options.pop("key", None))
        served = Served("loans", Standing(cast, note=""), gate)
        started.append(Process(Application([served], **options)))
        return started[-1]

    yield start
    for one in started:
        one.close()


def test_it_decides_and_tells_of_it_in_lines_and_figures(artefact: Artefact, serve: Serve) -> None:
    lines: list[str] = []
    log = MemoryDecisions()
    served = serve(artefact, log, log=lines.append)
    status, _, one = served.ask("POST", "/predict", RECORD)
    assert (status, log.get(one["decision"]).inputs) == (200, RECORD)
    served.ask("GET", "/a/path/of/somebody@example.org")
    first, second = map(json.loads, lines)
    assert (first["status"], first["decisions"], first["release"]) == (
        200,
        [one["decision"]],
        "loans:3",
    )
    assert (second["path"], second["status"], second["decisions"]) == ("other", 404, [])
    assert "DE1234" not in lines[0]
    _, _, text = served.ask("GET", "/metrics")
    assert 'taxiway_requests_total{path="other",status="404"} 1' in text
    assert 'taxiway_decisions_total{release="loans:3",prediction="true"} 1' in text


def test_when_too_much_waits_it_says_so_and_when_to_come_again(
    artefact: Artefact, serve: Serve
) -> None:
    gate = Gate()
    served = serve(artefact, gate)
    decider = make_decider(gate)(artefact)
    loans = served.application._models["loans"]
    loans.grouping.close()
    limits = Limits(waiting_requests=2)
    loans.grouping = Grouping(
        lambda: Cast(decider), served.loop.call_soon_threadsafe, limits=limits
    )

    async def crowd() -> list[tuple[int, dict[str, str], Any]]:
        first = asyncio.create_task(served.one("POST", "/predict", record(0)))
        await asyncio.to_thread(gate.arrived.acquire, timeout=10)
        others = [asyncio.create_task(served.one("POST", "/predict", record(n))) for n in (1, 2, 3)]
        await others[2]
        gate.open.set()
        return await asyncio.gather(first, *others)

    *answered, refused = served.loop.run_until_complete(crowd())
    assert [status for status, *_ in answered] == [200, 200, 200]
    assert (refused[0], refused[1]["retry-after"], refused[2]["code"]) == (503, "1", "TW-6")
    assert gate.count("loans") == 3


@pytest.mark.parametrize("error", [ValueError("13"), SystemExit(3), KeyboardInterrupt()])
def test_whatever_a_model_raises_is_the_caller_s_500_and_the_server_goes_on(
    artefact: Artefact, serve: Serve, error: BaseException
) -> None:
    served = serve(breaking(artefact, error))
    status, _, answered = served.ask("POST", "/predict", record(13))
    assert (status, answered["code"]) == (500, "TW-0")
    assert "13" not in json.dumps(answered)
    assert [said["exception"] for said in served.said] == [error]
    assert served.ask("POST", "/predict", record(12))[0] == 200


def test_a_body_that_does_not_arrive_is_given_up(
    artefact: Artefact, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "BODY_SECONDS", 0.05)
    status, _, answered = serve(artefact).ask("POST", "/predict", wire=Wire([], stalls=True))
    assert (status, answered["code"]) == (408, "TW-1")


def test_a_client_that_hangs_up_is_no_mistake_of_the_server(
    artefact: Artefact, serve: Serve
) -> None:
    served = serve(artefact)
    assert served.ask("POST", "/predict", wire=Wire([], broken=True))[0] == 400
    assert served.said == []


@pytest.mark.parametrize(
    "headers",
    [
        {"content-length": "16777217"},
        {"content-length": "99999999999"},
        {"content-length": ""},
        {"content-length": "2", "transfer-encoding": "chunked"},
    ],
)
def test_a_body_that_is_too_large_is_not_kept(
    artefact: Artefact, serve: Serve, headers: dict[str, str]
) -> None:
    wire = Wire([b" " * 1024 * 1024] * 17)
    status, _, answered = serve(artefact).ask("POST", "/predict", wire=wire, **headers)
    assert (status, answered["code"]) == (413, "TW-1")


def test_a_body_in_parts_is_one_body(artefact: Artefact, serve: Serve) -> None:
    sent = json.dumps(RECORD).encode()
    wire = Wire([sent[:10], sent[10:]])
    headers = {"content-length": ""}
    assert serve(artefact).ask("POST", "/predict", wire=wire, **headers)[0] == 200


@pytest.mark.parametrize(
    ("path", "open"),
    [
        ("/ready", True),
        ("/live", True),
        ("/ping", True),
        ("/v2", True),
        ("/v2/health/ready", True),
        ("/v2/models/loans/ready", True),
        ("/v2/models/loans", False),
        ("/metrics", False),
        ("/openapi.json", False),
    ],
)
def test_probes_need_no_key_and_everything_else_does(
    artefact: Artefact, serve: Serve, path: str, open: bool
) -> None:
    served = serve(artefact, key="secret")
    assert served.ask("GET", path)[0] == (200 if open else 401)
    assert served.ask("GET", path, authorization="Bearer secret")[0] == 200
    assert served.ask("POST", path)[0] == 405


def test_without_a_release_it_says_why(artefact: Artefact) -> None:
    def nobody() -> Any:
        raise MissingError("loans has no champion in prod.")

    lineup = Lineup(nobody, lambda _: artefact, deciders(MemoryDecisions()))
    served = Process(Application([Served("loans", lineup, gate_with(None))]))
    try:
        served.loop.run_until_complete(asyncio.sleep(0.05))
        for method, path in (
            ("GET", "/ready"),
            ("GET", "/v2/health/ready"),
            ("POST", "/predict"),
            ("GET", "/openapi.json"),
            ("POST", "/v2/models/loans/infer"),
        ):
            status, _, answered = served.ask(method, path, RECORD)
            assert (status, "no champion in prod" in answered["error"]) == (503, True), path
    finally:
        served.close()


# Several models, several releases


def named(artefact: Artefact, model: str, number: int) -> Artefact:
    return dataclasses.replace(
        artefact, model=model, release=f"{model}:{number}", digest=f"sha256:{model}{number}"
    )


@pytest.fixture
def several(artefact: Artefact) -> Iterator[Process]:
    """Loans with a canary, and cards that are asked with a key."""
    log = MemoryDecisions()
    decide = make_decider(log)
    guardrail = rail.Guardrail(rail.Limits(), "d", "loans:4")
    loans = Cast(
        decide(named(artefact, "loans", 3)),
        Canary(decide(named(artefact, "loans", 4)), "d", 50, guardrail),
        decide(named(artefact, "loans", 5)),
    )
    cards = Cast(decide(named(artefact, "cards", 1)))
    process = Process(
        Application(
            [
                Served("loans", Standing(loans, note=""), gate_with(None)),
                Served("cards", Standing(cards, note=""), gate_with("secret")),
            ]
        )
    )
    yield process
    process.close()


SECRET = {"authorization": "Bearer secret"}


def test_each_model_answers_by_its_name_and_has_a_gate_of_its_own(several: Process) -> None:
    status, _, one = several.ask("POST", "/v1/models/loans/predict", RECORD)
    assert (status, one["release"].partition(":")[0]) == (200, "loans")
    assert several.ask("POST", "/v1/models/cards/predict", RECORD)[0] == 401
    status, _, one = several.ask("POST", "/v1/models/cards/predict", RECORD, **SECRET)
    assert (status, one["release"]) == (200, "cards:1")
    status, _, one = several.ask("POST", "/v1/models/card/predict", RECORD)
    assert (status, one["error"]) == (404, "No model named 'card'. Did you mean 'cards'?")


@pytest.mark.parametrize("path", ["/predict", "/invocations"])
def test_a_path_without_a_name_says_which_there_are(several: Process, path: str) -> None:
    status, _, one = several.ask("POST", path, RECORD)
    assert (status, one["code"]) == (404, "TW-2")
    assert one["error"] == f"{path} names no model, and 2 are served here."
    assert one["todo"] == "Ask /v1/models/NAME/predict; there are loans, cards."


@pytest.mark.parametrize(
    ("version", "release"),
    [("3", "loans:3"), ("4", "loans:4"), ("loans:4", "loans:4"), ("loans:3", "loans:3")],
)
def test_a_version_that_has_a_role_answers_alone(
    several: Process, version: str, release: str
) -> None:
    records = [{**RECORD, "id": number} for number in range(1, 21)]
    path = f"/v1/models/loans/versions/{version}/predict"
    status, _, made = several.ask("POST", path, records)
    assert status == 200
    assert {one["release"] for one in made} == {release}
    tensors = {
        "inputs": [
            {"name": n, "shape": [1], "datatype": "BYTES", "data": [v]}
            if isinstance(v, str)
            else {
                "name": n,
                "shape": [1],
                "datatype": {bool: "BOOL", int: "INT64", float: "FP64"}[type(v)],
                "data": [v],
            }
            for n, v in RECORD.items()
        ]
    }
    status, _, one = several.ask("POST", f"/v2/models/loans/versions/{version}/infer", tensors)
    assert (status, one["model_version"]) == (200, release)
    assert several.ask("GET", f"/v2/models/loans/versions/{version}/ready")[0] == 200
    assert several.ask("GET", f"/v2/models/loans/versions/{version}")[0] == 200


@pytest.mark.parametrize("version", ["5", "9", "cards:1", "x"])
def test_a_version_without_a_role_that_answers_is_not_there(several: Process, version: str) -> None:
    """The challenger's answers never leave."""
    status, _, one = several.ask("POST", f"/v1/models/loans/versions/{version}/predict", RECORD)
    assert (status, one["code"]) == (404, "TW-2")
    assert several.ask("GET", f"/v2/models/loans/versions/{version}/ready")[0] == 404


def test_it_lists_what_it_serves_to_those_who_may_know(several: Process) -> None:
    _, _, listed = several.ask("GET", "/v1/models", **SECRET)
    loans, cards = listed["models"]
    assert [(one["role"], one["release"], one["share"]) for one in loans["releases"]] == [
        ("champion", "loans:3", 50),
        ("canary", "loans:4", 50),
        ("challenger", "loans:5", 0),
    ]
    assert (cards["name"], cards["ready"]) == ("cards", True)
    _, _, listed = several.ask("GET", "/v1/models")
    assert [one["name"] for one in listed["models"]] == ["loans"]
    assert several.ask("GET", "/v1/models/cards")[0] == 401
    assert several.ask("GET", "/v1/models/loans")[2] == loans
    _, _, metadata = several.ask("GET", "/v2/models/loans")
    assert metadata["versions"] == ["loans:3", "loans:4"]
    _, _, ready = several.ask("GET", "/ready")
    assert set(ready["models"]) == {"loans", "cards"}
    assert ready["models"]["loans"]["canary"] == {"release": "loans:4", "share": 50}


def test_the_document_and_the_metrics_are_of_all_models(several: Process) -> None:
    _, _, document = several.ask("GET", "/openapi.json", **SECRET)
    posted = {path for path, one in document["paths"].items() if "post" in one}
    deciding = {path for path in posted if "/cases/" not in path}
    assert len(posted - deciding) == 2 * len(("take", "decide"))
    assert deciding == {
        f"/{protocol}/models/{name}{version}/{verb}"
        for name in ("loans", "cards")
        for protocol, verb in (("v1", "predict"), ("v2", "infer"))
        for version in ("", "/versions/{version}")
    }
    names = [one["operationId"] for path in document["paths"].values() for one in path.values()]
    assert len(names) == len(set(names))
    _, _, document = several.ask("GET", "/openapi.json")
    assert document["info"]["title"] == "loans"
    several.ask("POST", "/v1/models/loans/versions/4/predict", RECORD)
    _, _, text = several.ask("GET", "/metrics")
    path = "/v1/models/NAME/versions/N/predict"
    assert f'taxiway_requests_total{{path="{path}",status="200"}} 1' in text
    assert 'taxiway_waiting_requests{model="cards"} 0' in text


def test_it_is_ready_when_all_of_its_models_are(artefact: Artefact) -> None:
    def nobody() -> Any:
        raise MissingError("cards has no champion in prod.")

    log = MemoryDecisions()
    loans = Standing(Cast(make_decider(log)(artefact)), note="")
    cards = Lineup(nobody, lambda _: artefact, deciders(log))
    process = Process(
        Application(
            [Served("loans", loans, gate_with(None)), Served("cards", cards, gate_with(None))]
        )
    )
    try:
        process.loop.run_until_complete(asyncio.sleep(0.05))
        status, _, said = process.ask("GET", "/ready")
        assert (status, said["error"]) == (503, "Not ready: cards: cards has no champion in prod.")
        assert process.ask("POST", "/v1/models/loans/predict", RECORD)[0] == 200
        assert process.ask("POST", "/v1/models/cards/predict", RECORD)[0] == 503
        assert process.ask("GET", "/v2/models/loans/ready")[0] == 200
    finally:
        process.close()
