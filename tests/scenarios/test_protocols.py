"""A real server speaks every protocol: the same record has the same answer, errors one form."""

from __future__ import annotations

import http.client
import io
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import polars as pl

from .conftest import MODEL, RECORD, Firm
from .test_endpoint import Client, decisions, free_port, serving

CSV = (",".join(RECORD) + "\n" + ",".join(map(str, RECORD.values())) + "\n").encode()
ARROW = "application/vnd.apache.arrow.stream"


def arrow() -> bytes:
    frame = pl.DataFrame([RECORD]).with_columns(
        pl.col("time_hour").str.to_datetime("%+", time_unit="ns", time_zone="UTC")
    )
    out = io.BytesIO()
    frame.write_ipc_stream(out)
    return out.getvalue()


def tensors(record: dict[str, Any]) -> dict[str, Any]:
    inputs = [
        {
            "name": name,
            "shape": [1],
            "datatype": "BYTES" if isinstance(RECORD.get(name, 0), str) else "INT64",
            "data": [value],
        }
        for name, value in record.items()
    ]
    return {"id": "one", "inputs": inputs}


def output(answered: Any) -> tuple[Any, ...]:
    """Prediction, probability and decision of the one record, whatever the protocol."""
    if isinstance(answered, dict) and "outputs" in answered:
        found = {one["name"]: one["data"][0] for one in answered["outputs"]}
        return found["prediction"], found["probability"], found["decision"]
    if isinstance(answered, dict) and "predictions" in answered:
        answered = answered["predictions"]
    (one,) = answered if isinstance(answered, list) else [answered]
    return one["prediction"], one["probability"], one["decision"]


def body(content: Any) -> bytes:
    return json.dumps(content).encode()


def test_the_same_record_has_the_same_answer_in_every_protocol(running: Firm) -> None:
    named = f"/v1/models/{MODEL}/predict"
    split = {"columns": list(RECORD), "data": [list(RECORD.values())]}
    ways: list[tuple[str, str | None, bytes]] = [
        ("/predict", None, body(RECORD)),
        ("/predict", "application/json; charset=utf-8", body([RECORD])),
        ("/predict", "text/csv", CSV),
        ("/predict", ARROW, arrow()),
        (named, "application/json", body(RECORD)),
        (named, "text/csv", CSV),
        (named, ARROW, arrow()),
        ("/invocations", "application/json", body({"dataframe_split": split})),
        ("/invocations", "application/json", body({"dataframe_records": [RECORD]})),
        ("/invocations", "application/json", body({"instances": [RECORD]})),
        ("/invocations", None, body({"inputs": {k: [v] for k, v in RECORD.items()}})),
        ("/invocations", "text/csv", CSV),
        ("/invocations", ARROW, arrow()),
        (f"/v2/models/{MODEL}/infer", "application/json", body(tensors(RECORD))),
    ]
    with serving(running, "--log-requests") as (client, server):
        answers = []
        for path, media, sent in ways:
            headers = {"content-type": media} if media else {}
            status, answered = client.send("POST", path, sent, **headers)
            assert status == 200, (path, media, answered)
            answers.append(output(answered))
        known = [
            client.send("GET", path)
            for path in ("/ping", "/v2", "/v2/health/live", "/v2/health/ready",
                         f"/v2/models/{MODEL}", f"/v2/models/{MODEL}/ready")
        ]  # fmt: skip
        metrics = text(client, "/metrics")
        server.terminate()
        _, said = server.communicate(timeout=30)
    assert len({answer[:2] for answer in answers}) == 1
    logged = decisions(running)
    assert all(logged[name]["probability"] == found for _, found, name in answers)
    assert len({name for *_, name in answers}) == len(ways)
    assert [status for status, _ in known] == [200] * len(known)
    assert {one["name"] for one in known[4][1]["inputs"]} >= set(RECORD)
    assert f'taxiway_requests_total{{path="{named.replace(MODEL, "NAME")}",status="200"}} 3' in (
        metrics.splitlines()
    )
    assert f'taxiway_group_rows_count{{model="{MODEL}"}} 14' in metrics.splitlines()
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    told = [one for one in lines if one["decisions"]]
    assert [one["decisions"] for one in told] == [[name] for *_, name in answers]
    assert "RIC" not in said


def text(client: Client, path: str) -> str:
    client._connection.request("GET", path)
    response = client._connection.getresponse()
    assert response.headers["content-type"].startswith("text/plain")
    return response.read().decode()


def test_what_is_wrong_has_one_form_in_every_protocol_and_is_never_the_server_s_fault(
    running: Firm,
) -> None:
    json_media, infer = "application/json", f"/v2/models/{MODEL}/infer"
    one = json.dumps(RECORD)
    cases: list[tuple[str, str, bytes, int, str]] = [
        ("/v1/models/flight-delay/predict", json_media, b"{}", 404, f"Did you mean '{MODEL}'?"),
        ("/v2/models/flight-delay/infer", json_media, b"{}", 404, f"Did you mean '{MODEL}'?"),
        ("/v3/models/x/infer", json_media, b"{}", 404, "There is no"),
        ("/predict", "application/x-www-form-urlencoded", b"{}", 415, "not taken here"),
        ("/predict", "application/json; charset=utf-16", b"{}", 415, "not taken here"),
        (infer, "text/csv", CSV, 415, "not taken here"),
        ("/predict", json_media, b'{"origin": "EWR", "origin": "JFK"}', 400, "'origin' more than"),
        ("/predict", json_media, one[:-1].encode() + b',"distance":1e400}', 400, "no JSON"),
        ("/predict", json_media, one.replace("277", "NaN").encode(), 400, "no JSON"),
        ("/predict", json_media, one.replace("277", "-Infinity").encode(), 400, "no JSON"),
        ("/predict", json_media, one.replace("277", "9" * 30).encode(), 422, "can't be used"),
        ("/predict", json_media, one.replace("277", "9" * 9999).encode(), 400, "no JSON"),
        ("/predict", json_media, one.replace("RIC", "\\ud800").encode(), 400, "no JSON"),
        ("/predict", json_media, one.replace("RIC", "\\u0000").encode(), 422, "can't be used"),
        ("/predict", json_media, one.encode() + b"x", 400, "no JSON"),
        ("/predict", json_media, b'{"a":' * 5000 + b"1" + b"}" * 5000, 400, "no JSON"),
        ("/predict", json_media, b"[" * 50 + b"]" * 50, 422, "can't be used"),
        ("/predict", "text/csv", b"carrier,carrier\n1,2\n", 400, "columns twice"),
        ("/predict", "text/csv", b"carrier\n", 422, "no record"),
        ("/predict", ARROW, b"ARROW1", 400, "no Arrow stream"),
        ("/predict", ARROW, arrow()[:200], 400, "no Arrow stream"),
        ("/invocations", json_media, one.encode(), 422, "dataframe_split"),
        (infer, json_media, b"{}", 422, "no inputs"),
        (infer, json_media, body(tensors({**RECORD, "distance": -1})), 422, "can't be used"),
    ]  # fmt: skip
    with serving(running) as (client, _):
        for path, media, sent, status, says in cases:
            found, answered = client.send("POST", path, sent, **{"content-type": media})
            assert (found, answered["code"][:3]) == (status, "TW-"), (path, sent[:60], answered)
            assert says in json.dumps(answered), (path, sent[:60], answered)
        assert client.predict(RECORD)[0] == 200
    assert len(decisions(running)) == 1 + before(running)


BROKEN: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({"distance": -1}, [("distance", "is too small")]),
    ({"distance": 10**9, "flight": 0}, [("distance", "is too large"), ("flight", "is too small")]),
    ({"origin": "EWX"}, [("origin", "is not an allowed value")]),
    ({"carrier": "a carrier"}, [("carrier", "does not match its pattern")]),
    ({"sched_dep_time": 17.5}, [("sched_dep_time", "is of another type")]),
    ({"distance": None}, [("distance", "is missing")]),
    ({"flihgt": 1}, [("flihgt", "is no input of this model")]),
    ({"time_hour": "2013-02-30T22:00:00Z"}, [("time_hour", "is of another type")]),
    ({"time_hour": "2013-03-01T22:00:00"}, [("time_hour", "is of another type")]),
    ({"time_hour": "1999-03-01T22:00:00Z"}, [("time_hour", "is too small")]),
]
"""What is changed in a good record, and what is wrong then."""


def test_a_bad_record_is_refused_for_the_same_reasons_in_every_protocol(running: Firm) -> None:
    infer = f"/v2/models/{MODEL}/infer"
    with serving(running) as (client, _):
        for change, wrong in BROKEN:
            record = {**RECORD, **change}
            line = ["" if value is None else str(value) for value in record.values()]
            stream = io.BytesIO()
            pl.DataFrame([record]).write_ipc_stream(stream)
            ways: list[tuple[str, str, bytes]] = [
                ("/predict", "application/json", body(record)),
                ("/predict", "application/json", body([record])),
                ("/predict", "text/csv", f"{','.join(record)}\n{','.join(line)}\n".encode()),
                ("/predict", ARROW, stream.getvalue()),
                ("/invocations", "application/json", body({"dataframe_records": [record]})),
                ("/invocations", "application/json", body({"instances": [record]})),
                ("/invocations", "application/json",
                 body({"inputs": {name: [value] for name, value in record.items()}})),
                ("/invocations", "application/json",
                 body({"dataframe_split": {"columns": [*record], "data": [[*record.values()]]}})),
                (infer, "application/json", body(tensors(record))),
            ]  # fmt: skip
            for path, media, sent in ways:
                status, answer = client.send("POST", path, sent, **{"content-type": media})
                found = [
                    (one["where"].removeprefix("[0]."), one["what"]) for one in answer["problems"]
                ]
                assert (status, sorted(found)) == (422, wrong), (path, media, change, answer)


def before(firm: Firm) -> int:
    """Decisions of rehearsals, which every firm has from the start."""
    return sum(one["environment"] != "prod" for one in decisions(firm).values())


def test_a_stub_answers_from_a_project_that_has_no_model(planned: Firm) -> None:
    with stub(planned, ".") as client:
        _, ready = client.send("GET", "/ready")
        _, document = client.send("GET", "/openapi.json")
        operation = document["paths"][f"/v1/models/{MODEL}/predict"]["post"]
        content = operation["requestBody"]["content"]
        example = content["application/json"]["examples"]["one"]["value"]
        first, again = client.predict(example), client.predict(example)
        csv = content["text/csv"]["example"].encode()
        _, (third,) = client.send("POST", "/predict", csv, **{"content-type": "text/csv"})
        status, refused = client.predict({**example, "origin": "EWX"})
    assert (ready["stub"], ready["release"]) == (True, f"{MODEL}:stub")
    assert first[0] == 200
    assert first[1]["stub"] is True
    assert first[1]["probability"] == again[1]["probability"] == third["probability"]
    assert (status, refused["problems"][0]["where"]) == (422, "origin")
    assert decisions(planned) == {}


def test_a_stub_needs_no_workspace_and_says_what_it_can_t_use(running: Firm) -> None:
    contract = running.project / "contracts" / "flights.yaml"
    assert "leave the model out" in running.run("serve", MODEL, "--stub", contract, code=2)
    broken = running.project / "broken.yaml"
    broken.write_text(contract.read_text().replace("logicalType: integer", "logicalType: whole"))
    assert "whole" in running.run("serve", "--stub", broken, code=2)
    said = running.run("serve", "--stub", contract, "--host", "0.0.0.0", code=4)  # noqa: S104
    assert "TAXIWAY_API_KEY" in said


@contextmanager
def stub(firm: Firm, path: str) -> Iterator[Client]:
    port = free_port()
    server = firm.start("serve", "--stub", path, "--port", port)
    try:
        deadline = time.monotonic() + 30
        while not listening(port):
            assert server.poll() is None, server.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        with closing(Client(port)) as client:
            yield client
    finally:
        server.terminate()
        try:
            server.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            server.kill()
            raise


def listening(port: int) -> bool:
    with closing(Client(port)) as client:
        try:
            return client.send("GET", "/live")[0] == 200
        except (OSError, http.client.HTTPException):
            return False
