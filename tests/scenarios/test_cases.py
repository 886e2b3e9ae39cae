"""Cases on a real server: a person agrees with the answer, overrides it, or comes too late."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from taxiway.bootstrap import opened

from .conftest import DEVELOPER, ENGINEER, MODEL, OWNER, RECORD, VALIDATOR, Firm, _copy
from .test_endpoint import serving

ANN, BEN = "flights-ann", "flights-ben"
OVERSIGHT = """oversight:
  review:
    - {{name: borderline, when: {borderline}}}
    - {{name: far, when: "distance > 2000 AND NOT prediction"}}
  sample: 0.2
  answer_within: 1h
  on_timeout: {on_timeout}
"""


def with_oversight(firm: Firm, borderline: str, on_timeout: str = "escalate") -> None:
    path = firm.project / "taxiway.yaml"
    text = path.read_text()
    begin, end = text.index("oversight:\n"), text.index("monitoring:\n")
    own = [
        line
        for line in text[begin:end].splitlines()
        if line.startswith(("  who", "  how", "  stop"))
    ]
    section = OVERSIGHT.format(borderline=json.dumps(borderline), on_timeout=on_timeout)
    path.write_text(text[:begin] + section + "\n".join(own) + "\n\n" + text[end:])


@pytest.fixture(scope="module")
def overseen(_planned: Firm, tmp_path_factory: pytest.TempPathFactory) -> Firm:
    """Release 1 in dev, made under a charter with oversight, and two reviewers."""
    firm = _copy(_planned, tmp_path_factory.mktemp("overseen"))
    for name in (ANN, BEN):
        firm.run("people", "add", name, "--role", "reviewer", by=OWNER)
    with_oversight(firm, "probability BETWEEN 0.15 AND 0.35")
    firm.commit("Oversight")
    firm.run("plan", by=OWNER)
    firm.run("train", by=DEVELOPER)
    firm.run("promote", f"{MODEL}:1", "--to", "dev", by=ENGINEER)
    return firm


def records(count: int) -> list[dict[str, Any]]:
    carriers = ("EV", "UA", "DL", "AA", "B6")
    return [
        RECORD
        | {"flight": 100 + at, "carrier": carriers[at % 5], "sched_dep_time": 500 + 90 * (at % 18)}
        for at in range(count)
    ]


def case_of(answers: list[dict[str, Any]], rule: str, at: int = 0) -> dict[str, Any]:
    """An answer that a rule made a case."""
    found = [a for a in answers if rule in a.get("review", {}).get("because", ())]
    return found[at]


@pytest.fixture(scope="module")
def answers(overseen: Firm) -> list[dict[str, Any]]:
    """What the endpoint answered on a hundred records."""
    with serving(overseen, "--env", "dev") as (client, _):
        status, answered = client.predict(records(100))
        again, alone = client.predict(records(1)[0])
    assert (status, again) == (200, 200)
    assert alone["review"]["because"] == answered[0]["review"]["because"]
    found: list[dict[str, Any]] = answered
    return found


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Lets the clock of commands go ahead."""

    def go(ahead: timedelta) -> None:
        monkeypatch.setattr(opened, "utc_now", lambda: datetime.now(UTC) + ahead)

    return go


def state(firm: Firm, case: str) -> str:
    return str(firm.ask("cases", "show", case)["case"]["state"])


def test_answers_say_that_a_person_decides(answers: list[dict[str, Any]]) -> None:
    marked = {rule for a in answers for rule in a.get("review", {}).get("because", ())}
    assert marked >= {"borderline", "sample"}
    for a in answers:
        because = a.get("review", {}).get("because", [])
        assert ("borderline" in because) == (0.15 <= a["probability"] <= 0.35)
        if because:
            assert a["review"]["case"] == a["decision"]


def test_a_case_is_taken_overridden_and_listed(
    overseen: Firm, answers: list[dict[str, Any]]
) -> None:
    case = case_of(answers, "borderline")
    listed = overseen.ask("cases", "list", "--env", "dev", "--limit", 500)["cases"]
    assert case["decision"] in {one["case"]["id"] for one in listed}
    assert "open" in overseen.run("cases", "show", case["decision"])
    overseen.run("cases", "take", case["decision"], "--dry-run", by=ANN)
    assert state(overseen, case["decision"]) == "open"
    overseen.run("cases", "take", case["decision"], by=ANN)
    assert "taken by flights-ann" in overseen.run(
        "cases", "list", "--env", "dev", "--state", "taken"
    )
    other = "no" if case["prediction"] else "yes"
    said = overseen.run(
        "cases", "decide", case["decision"], other, "--reason", "it is clear", by=ANN
    )
    assert f"is overridden: the answer is {other}" in said
    decided = overseen.run("decisions", "--env", "dev", "--limit", 500)
    assert f"{other}, overridden by flights-ann" in decided
    found = overseen.ask("decisions", "--env", "dev", "--limit", 500)["decisions"]
    (one,) = (d for d in found if d["id"] == case["decision"])
    assert (one["answer"], one["output"]["prediction"]) == (other, case["prediction"])
    assert overseen.ask("replay", case["decision"])["equal"] is True
    overseen.run("ledger", "verify")


def test_what_can_t_be_done_to_a_case(overseen: Firm, answers: list[dict[str, Any]]) -> None:
    case, plain = case_of(answers, "borderline", 1), next(a for a in answers if "review" not in a)
    why = ["--reason", "it is clear"]
    assert "No decision 'nothing'" in overseen.run("cases", "show", "nothing", code=3)
    assert "is no case" in overseen.run("cases", "take", plain["decision"], by=ANN, code=3)
    said = overseen.run("cases", "take", case["decision"], by=VALIDATOR, code=4)
    assert "takes the role reviewer or owner" in said
    said = overseen.run("cases", "decide", case["decision"], "no", *why, by=ANN, code=4)
    assert f"Take it first: taxiway cases take {case['decision']}" in said
    overseen.run("cases", "take", case["decision"], by=ANN)
    assert "was taken by flights-ann" in overseen.run(
        "cases", "take", case["decision"], by=BEN, code=4
    )
    said = overseen.run("cases", "decide", case["decision"], "no", *why, by=BEN, code=4)
    assert "it takes flights-ann, who took it, or an owner" in said
    overseen.run("cases", "decide", case["decision"], "no", by=ANN, code=2)
    said = overseen.run("cases", "decide", case["decision"], "no", "--reason", " ", by=ANN, code=2)
    assert "needs a reason" in said
    overseen.run("cases", "decide", case["decision"], "no", *why, by=OWNER)
    said = overseen.run("cases", "decide", case["decision"], "yes", *why, by=OWNER, code=4)
    assert "it is settled" in said


def signed(firm: Firm, person: str, case: dict[str, Any], after: str, reason: str = "") -> str:
    """A move as docs/cases.md says that clients sign it, with nothing of ours."""
    action = {name: case[name] for name in ("case", "model", "release", "proposed")}
    action |= {"type": "taxiway/case/1", "before": case["state"], "after": after}
    action |= {"person": person, "reason": reason}
    text = json.dumps(action, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    pem = (firm.folder / "keys" / f"{person}.key.pem").read_bytes()
    key = serialization.load_pem_private_key(pem, None)
    assert isinstance(key, Ed25519PrivateKey)
    return base64.b64encode(key.sign(text.encode())).decode()


def test_people_elsewhere_take_and_decide(overseen: Firm, answers: list[dict[str, Any]]) -> None:
    it = case_of(answers, "borderline", 2)["decision"]
    plain = next(a for a in answers if "review" not in a)["decision"]
    pages = f"/v1/models/{MODEL}/cases"
    with serving(overseen, "--env", "dev") as (client, _):

        def post(path: str, **body: str) -> tuple[int, Any]:
            return client.send("POST", f"{pages}/{path}", json.dumps(body).encode())

        status, listed = client.send("GET", f"{pages}?state=open&limit=200")
        assert status == 200
        assert it in {one["case"] for one in listed["cases"]}
        status, case = client.send("GET", f"{pages}/{it}")
        assert (status, case["state"], case["answer"]) == (200, "open", None)
        assert not {"inputs", "reasons", "reason"} & case.keys()
        take = signed(overseen, ANN, case, "taken")
        assert post(f"{it}/take", person=BEN, signature=take)[0] == 403
        assert post(f"{it}/take", person="anybody", signature=take)[0] == 404
        assert post(f"{it}/take", person=ANN)[0] == 422
        assert post(f"{it}/take", person=VALIDATOR, signature=take)[0] == 403
        status, taken = post(f"{it}/take", person=ANN, signature=take)
        assert (status, taken["state"], taken["taken_by"]) == (200, "taken", ANN)
        assert taken["inputs"]["origin"] == "EWR"
        assert post(f"{it}/take", person=ANN, signature=take) == (200, taken)
        other = "no" if taken["proposed"] == "yes" else "yes"
        body = {"person": ANN, "answer": other, "reason": "it is clear"}
        mine = signed(overseen, ANN, taken, "overridden", "it is clear")
        assert post(f"{it}/decide", **body, signature=take)[0] == 403
        assert post(f"{it}/decide", **body | {"reason": "another"}, signature=mine)[0] == 403
        assert post(f"{it}/decide", **body | {"reason": ""}, signature=mine)[0] == 422
        status, decided = post(f"{it}/decide", **body, signature=mine)
        assert (status, decided["state"], decided["answer"]) == (200, "overridden", other)
        status, again = post(f"{it}/decide", **body, signature=mine)
        assert (status, again["code"]) == (403, "TW-3")
        assert "it is settled" in again["error"]
        assert client.send("GET", f"{pages}/{it}")[1]["answer"] == other
        for path, expected in (
            (f"{pages}/nothing", 404),
            (f"{pages}/{plain}", 404),
            (f"{pages}?state=opened", 422),
            (f"{pages}?limit=0", 422),
            (f"{pages}?page=2", 422),
            (f"/v1/models/another/cases/{it}", 404),
            (f"{pages}/{it}/undo", 404),
        ):
            assert client.send("GET", path)[0] == expected, path
        assert client.send("GET", f"{pages}/{it}/take")[0] == 405
    assert "overridden by flights-ann" in overseen.run("decisions", "--limit", 500)
    overseen.run("ledger", "verify")


def test_a_case_that_nobody_answers_escalates(
    overseen: Firm, answers: list[dict[str, Any]], later: Callable[[timedelta], None]
) -> None:
    case = case_of(answers, "sample")["decision"]
    overseen.run("cases", "take", case, by=BEN)
    assert "0 cases timed out" in overseen.run("cases", "expire", "--dry-run")
    later(timedelta(hours=2))
    said = overseen.run("cases", "decide", case, "yes", "--reason", "late", by=BEN, code=4)
    assert "which is escalated: it takes an owner" in said
    timed_out = overseen.ask("cases", "expire")["cases"]
    assert case in {one["id"] for one in timed_out}
    assert {one["state"] for one in timed_out} == {"escalated"}
    assert overseen.ask("cases", "expire")["cases"] == []
    overseen.run("cases", "decide", case, "yes", "--reason", "late", by=OWNER)
    said = overseen.run("status")
    assert "decide " in said
    assert "any owner" in said
    # The endpoint's decisions happened in March 2013, and none of their cases is open any more.
    watched = overseen.ask("watch", MODEL, "--env", "dev", code=1)
    (found,) = (one["found"] for one in watched["overseen"])
    listed = overseen.ask("cases", "list", "--env", "dev", "--state", "all", "--limit", 500)
    states = Counter(one["case"]["state"] for one in listed["cases"])
    assert found["cases"] == sum("review" in a for a in answers) + 1  # one was asked alone
    assert found["overridden"] == states["overridden"] >= 2
    assert (found["waiting"], found["late"]) == (states["escalated"], 1)
    assert found["verdict"] == "late"
    assert "in time" in overseen.run("status")
    assert overseen.ask("watch", MODEL, "--env", "dev", code=1)["overseen"] == []
    overseen.run("ledger", "verify")


def test_a_batch_marks_the_same_rows(overseen: Firm, answers: list[dict[str, Any]]) -> None:
    rows, out = overseen.folder / "rows.csv", overseen.folder / "out.parquet"
    pl.DataFrame(records(100)).write_csv(rows)
    overseen.run("score", rows, out, "--env", "dev")
    marked = [json.loads(text) for text in pl.read_parquet(out)["review"]]
    assert marked == [a.get("review", {}).get("because", []) for a in answers]
    span = ["--from", "2013-03-01", "--to", "2013-03-31"]
    again = overseen.ask("replay", "--model", MODEL, "--env", "dev", *span)
    assert (again["rows"], again["different"]) == (201, 0)
    exported = overseen.folder / "decisions.csv"
    overseen.run("decisions", "--env", "dev", "--out", exported)
    assert {"review", "answer"} <= set(pl.read_csv(exported).columns)


def test_a_rule_that_can_t_be_asked_is_refused_with_its_line(planned: Firm) -> None:
    with_oversight(planned, "probabilty > 0.5 AND orgin = 'JFK' AND arr_delay > 3")
    said = planned.run("plan", by=OWNER, code=1)
    lines = planned.project.joinpath("taxiway.yaml").read_text().splitlines()
    line = next(at for at, text in enumerate(lines, 1) if "borderline" in text)
    assert said.count(f"taxiway.yaml:{line}") == 2
    assert "Did you mean 'probability'?" in said
    assert "Did you mean 'origin'?" in said
