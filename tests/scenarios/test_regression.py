"""A model whose answer is a number, on real flights: from its charter to a watched window."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest
from sklearn.metrics import root_mean_squared_error

from .conftest import DATA, DEVELOPER, ENGINEER, MODEL, OWNER, PEOPLE, RECORD, Firm
from .test_endpoint import serving
from .test_protocols import ARROW, CSV, arrow, body, tensors

ONE = f"{MODEL}:1"
CHANGED = {
    "kind: classification": "kind: regression",
    "per_decision:\n    true_positive: 30\n    false_positive: -10": (
        "per_answer:\n    right: 2\n    each_unit_off: -0.05"
    ),
    "name: late\n  definition: arr_delay > 15": "name: minutes_late\n  definition: arr_delay",
    "bar: {metric: roc_auc, at_least: 0.62}": "bar: {metric: rmse, at_most: 60}",
    "maximum_gap: 0.12": "maximum_gap: 60",
    "reason_codes: adverse": "reason_codes: all",
    "maximum_drop: 0.04": "maximum_drop: 1",
    "oversight:\n": "oversight:\n  review: [{name: long, when: prediction > 10}]\n",
}
"""What a charter says of a number that it said of a yes or no."""


@pytest.fixture
def firm(_planned: Firm, tmp_path: Path) -> Firm:
    made = Firm(tmp_path)
    made.run("init", tmp_path)
    for name, role in PEOPLE.items():
        made.run("people", "add", name, "--role", role, by=None if name == OWNER else OWNER)
    shutil.copytree(_planned.project, made.project)
    charter = made.project / "taxiway.yaml"
    text = charter.read_text()
    for before, after in CHANGED.items():
        assert before in text
        text = text.replace(before, after)
    charter.write_text(text)
    model = made.project / "model.py"
    model.write_text(
        model.read_text()
        .replace("HistGradientBoostingClassifier", "HistGradientBoostingRegressor")
        .replace("max_iter=200", "max_iter=20")
    )
    made.commit("Minutes instead of a yes")
    return made


def number(answered: object) -> float:
    """The prediction of the one record, whatever the protocol."""
    if isinstance(answered, dict) and "outputs" in answered:
        found = {one["name"]: one for one in answered["outputs"]}
        assert "probability" not in found
        assert found["prediction"]["datatype"] == "FP64"
        return float(found["prediction"]["data"][0])
    if isinstance(answered, dict) and "predictions" in answered:
        answered = answered["predictions"]
    one = answered[0] if isinstance(answered, list) else answered
    assert isinstance(one, dict)
    assert "probability" not in one
    assert one["reasons"]
    return float(one["prediction"])


def test_a_number_from_its_charter_to_a_watched_window(firm: Firm) -> None:
    charter = firm.project / "taxiway.yaml"
    complete = charter.read_text()
    charter.write_text(complete.replace("target: both", "target: both\n  threshold: 0.5"))
    assert "not cut into yes and no" in firm.run("plan", by=OWNER, code=1)
    charter.write_text(complete)

    firm.run("plan", by=OWNER)
    firm.take_snapshot()
    trained = firm.ask("train", by=DEVELOPER)
    metrics = trained["metrics"]
    assert set(metrics["model"]) == {"mae", "rmse", "r2", "mape"}
    assert metrics["model"]["rmse"]["value"] < metrics["trivial"]["rmse"]["value"]
    flown = firm.ask("check", ONE, "--for", "prod", code=1)
    verdicts = {verdict["check"]: verdict for verdict in flown["verdicts"]}
    assert verdicts["CH-05"]["status"] == "waiting for a signature"
    assert verdicts["DV-02"]["status"] == verdicts["DV-03"]["status"] == "passed"
    assert verdicts["DV-04"]["found"].startswith("rmse ")
    firm.run("promote", ONE, "--to", "dev", by=ENGINEER)

    named, infer = f"/v1/models/{MODEL}/predict", f"/v2/models/{MODEL}/infer"
    split = {"columns": list(RECORD), "data": [list(RECORD.values())]}
    ways: list[tuple[str, str, bytes]] = [
        ("/predict", "application/json", body(RECORD)),
        ("/predict", "text/csv", CSV),
        (named, ARROW, arrow()),
        ("/invocations", "application/json", body({"dataframe_split": split})),
        (infer, "application/json", body(tensors(RECORD))),
    ]
    with serving(firm, "--env", "dev") as (client, _):
        answers = []
        for path, media, sent in ways:
            status, answered = client.send("POST", path, sent, **{"content-type": media})
            assert status == 200, (path, answered)
            answers.append(number(answered))
        asked = {**tensors(RECORD), "outputs": [{"name": "probability"}]}
        assert client.send("POST", infer, body(asked))[0] == 422
        document = client.send("GET", "/openapi.json")[1]
    assert len(set(answers)) == 1
    schemas = document["components"]["schemas"]
    assert schemas["Decision.regression"]["properties"]["prediction"] == {"type": "number"}
    assert len(firm.logged("http")) == len(ways)

    only = ("--months", "3-3", "--days", "1-7")
    schedule = firm.data("schedule-03.parquet", *only, "--schedule")
    outcomes = firm.data("outcomes-03.parquet", *only, "--outcomes")
    scores = firm.project / "scores.parquet"
    scored = firm.ask("score", schedule, scores, "--env", "dev")
    table = pl.read_parquet(scores)
    assert (scored["rows"], scored["positive"]) == (table.height, None)
    assert "probability" not in table.columns
    assert table["prediction"].dtype == pl.Float64
    cases = table.filter(pl.col("review") != "[]")
    assert 0 < cases.height < table.height
    assert cases["prediction"].min() > 10  # type: ignore[operator]
    replayed = firm.ask("replay", "--model", MODEL, "--env", "dev", *SPAN)
    assert (replayed["equal"], replayed["different"]) == (table.height + len(ways), 0)
    question = "SELECT count(predicted) AS n, count(prediction) AS yes_or_no FROM decisions"
    assert firm.ask("decisions", "sql", question)["rows"] == [
        {"n": table.height + len(ways), "yes_or_no": 0}
    ]

    firm.run("outcomes", "add", outcomes, by=DATA)
    watched = firm.ask("watch", "--env", "dev", "--as-of", "2013-04-03", code=1)
    found = {e["kind"]: e["found"] for e in watched["windows"][0]["evidence"]}
    labels = pl.read_parquet(outcomes).select(*KEY, "arr_delay").drop_nulls("arr_delay")
    happened = pl.col("time_hour").str.to_datetime("%+", time_unit="us", time_zone="UTC")
    both = table.select(*KEY, "prediction").with_columns(happened).join(labels, on=KEY)
    both = both.unique(KEY, keep="last")
    performance, worth = found["monitoring.performance"], found["monitoring.value"]
    assert performance["metric"] == "rmse"
    expected = root_mean_squared_error(both["arr_delay"], both["prediction"])
    assert abs(performance["value"] - expected) < 0.5  # the endpoint's decisions are in it, too
    assert worth["counts"]["answers"] == performance["outcomes"]
    off = worth["counts"]["units_off"]
    assert abs(worth["realised"] - (2 * performance["outcomes"] - 0.05 * off)) < 1e-6
    assert found["monitoring.drift"]["output"]["name"] == "prediction"


KEY = ["time_hour", "carrier", "flight"]
SPAN = ("--from", "2013-03-01", "--to", "2013-03-31")
