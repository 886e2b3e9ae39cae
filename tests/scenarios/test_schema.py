"""The document of a real server is what the server does, for whatever can be made of it."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import schemathesis
import schemathesis.checks
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok

from .conftest import MODEL, RECORD, Firm
from .test_endpoint import Client, decisions, serving
from .test_protocols import ARROW, output, tensors

EXAMPLES = settings(
    max_examples=8,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
NATIVE, INFER = f"/v1/models/{MODEL}/predict", f"/v2/models/{MODEL}/infer"


@schemathesis.serializer(ARROW)
def as_it_is(_: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def test_whatever_is_made_of_the_document_is_answered_as_it_says(running: Firm) -> None:
    """Good and bad requests to every operation: no 5xx, and only what is documented.

    One check is left out: a schema can't say all that a contract does, such as the earliest time,
    or what makes a CSV. The tests below ask whether good records are taken.
    """
    left_out = [schemathesis.checks.positive_data_acceptance]
    answered: Counter[tuple[str, int]] = Counter()
    with serving(running) as (client, _):
        document = schemathesis.openapi.from_url(f"http://127.0.0.1:{client.port}/openapi.json")
        found = [one.ok() for one in document.get_all_operations() if isinstance(one, Ok)]
        for operation in found:
            takes = operation.method == "post" or "{" in operation.path
            modes = [GenerationMode.POSITIVE, *([GenerationMode.NEGATIVE] if takes else [])]
            for mode in modes:

                @seed(1)
                @EXAMPLES
                @given(case=operation.as_strategy(generation_mode=mode))
                def asked(case: Case[Any]) -> None:
                    response = case.call()
                    answered[case.operation.path, response.status_code] += 1
                    assert response.status_code < 500
                    case.validate_response(response, excluded_checks=left_out)

                asked()
        assert client.predict(RECORD)[0] == 200
    assert len({one.label for one in found}) == len(found) == 23  # all but the document itself
    statuses = {status for _, status in answered}
    assert statuses >= {200, 400, 404, 422}
    assert {path for path, status in answered if status == 200} >= {"/live", "/metrics", "/v2"}


def test_every_example_of_the_document_is_taken_and_answered_in_its_form(running: Firm) -> None:
    with serving(running) as (client, _):
        _, document = client.send("GET", "/openapi.json")
        taken: list[str] = []
        for path, operations in document["paths"].items():
            body = operations.get("post", {}).get("requestBody", {}).get("content", {})
            for media, content in body.items():
                shown = [one["value"] for one in content.get("examples", {}).values()]
                for example in [*shown, *([content["example"]] if "example" in content else [])]:
                    sent = example if isinstance(example, str) else json.dumps(example)
                    where = path.replace("{version}", "1")
                    headers = {"content-type": media}
                    status, answer = client.send("POST", where, sent.encode(), **headers)
                    assert status == 200, (path, media, answer)
                    form = operations["post"]["responses"]["200"]["content"]["application/json"]
                    likely = form.get("example") or form["examples"]["one"]["value"]
                    if isinstance(likely, dict) and isinstance(answer, dict):
                        assert likely.keys() <= answer.keys()
                    taken.append(f"{path} {media}")
    assert len(taken) == 3 * 3 + 5 + 2


def values(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that a documented property takes."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if "null" in kinds:
        return st.none() | values({**schema, "type": kinds[0]})
    if schema.get("format") == "date-time":
        earliest = datetime.fromisoformat(schema.get("x-minimum", "1900-01-01")).replace(tzinfo=UTC)
        latest = datetime.fromisoformat(schema.get("x-maximum", "2200-01-01")).replace(tzinfo=UTC)
        times = st.datetimes(
            earliest.replace(tzinfo=None), latest.replace(tzinfo=None), timezones=st.just(UTC)
        )
        return times.map(datetime.isoformat)
    if kinds == ["integer"]:
        return st.integers(schema["minimum"], schema["maximum"])
    if kinds == ["string"]:
        return st.from_regex(schema["pattern"], fullmatch=True)
    raise NotImplementedError(schema)


BAD: list[Any] = [
    None, True, "", "text", "NaN", "\x00", "\ufffe", " 7", [], [1], {}, {"a": 1}, -1, 0.5, 1e-320,
    1e308, 10**18, 2**63, -(2**63) - 1, 2**64, "2013-02-30T00:00:00Z", "9999-12-31T23:59:59Z",
    "2013-03-01T10:00:00", "x" * 5_000,
]  # fmt: skip


def problems(answer: Any) -> list[tuple[Any, ...]]:
    """What is wrong, without the place of the record in a list."""
    return [
        (one["what"], one.get("where", "").removeprefix("[0]."), one.get("found"))
        for one in answer["problems"]
    ]


def test_good_records_are_answered_alike_and_bad_ones_refused_alike(running: Firm) -> None:
    """Records that hold the contract, and records with one thing wrong, through three protocols."""

    def ask(client: Client, record: Any) -> list[tuple[int, Any]]:
        ways: list[tuple[str, Any]] = [
            (NATIVE, record),
            (NATIVE, [record]),
            ("/invocations", {"dataframe_records": [record]}),
            ("/invocations", {"inputs": {name: [value] for name, value in record.items()}}),
            (INFER, tensors(record)),
        ]
        return [client.send("POST", path, json.dumps(body).encode()) for path, body in ways]

    before = len(decisions(running))
    good: list[Any] = []
    with serving(running) as (client, _):
        _, document = client.send("GET", "/openapi.json")
        schema = document["components"]["schemas"]["Record"]
        properties = schema["properties"]
        records = st.fixed_dictionaries({name: values(one) for name, one in properties.items()})

        @seed(1)
        @settings(EXAMPLES, max_examples=40)
        @given(record=records)
        def taken(record: Any) -> None:
            answers = ask(client, record)
            assert [status for status, _ in answers] == [200] * len(answers), (record, answers)
            assert len({output(answer)[:2] for _, answer in answers}) == 1
            good.append((record, output(answers[0][1])[:2]))

        taken()
        status, together = client.send(
            "POST", NATIVE, json.dumps([record for record, _ in good]).encode()
        )
        assert status == 200
        assert [output([one])[:2] for one in together] == [expected for _, expected in good]

        @seed(1)
        @settings(EXAMPLES, max_examples=120)
        @given(
            record=records, name=st.sampled_from([*properties, "unknown"]), bad=st.sampled_from(BAD)
        )
        def refused(record: Any, name: str, bad: Any) -> None:
            answers = ask(client, {**record, name: bad})
            statuses = {status for status, _ in answers}
            assert statuses in ({200}, {422}), (name, bad, answers)
            if statuses == {422} and not isinstance(bad, list):
                told = [problems(answer) for _, answer in answers[:4]]
                assert all(one == told[0] for one in told), (name, bad, told)

        refused()
        for text in ("NaN", "-Infinity", "1e400", "1" * 5_000, '"\\ud800"', "01", "+1", "0x1"):
            sent = json.dumps(RECORD).replace("277", text).encode()
            for path in (NATIVE, INFER, "/invocations"):
                assert client.send("POST", path, sent)[0] == 400, (path, text)
    assert len(decisions(running)) >= before + 6 * len(good)
