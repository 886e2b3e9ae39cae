from __future__ import annotations

from typing import Any

from taxiway.monitoring.findings import drifted, missed, worse


def column(name: str, effect: float, verdict: str = "drifted") -> dict[str, Any]:
    return {"name": name, "effect": effect, "p_value": 0.0, "verdict": verdict}


def measured(metric: str, verdict: str) -> dict[str, Any]:
    return {
        "metric": metric,
        "value": 0.62,
        "low": 0.61,
        "high": 0.63,
        "reference": 0.72,
        "bar": 0.65,
        "fairness": [],
        "verdict": verdict,
    }


def test_the_strongest_drift_is_told_first_and_the_output_last() -> None:
    found = {
        "columns": [column("origin", 0.2), column("dest", 0.05, "same"), column("carrier", 0.4)],
        "output": column("probability", 0.3),
    }
    told = drifted(found)
    assert [(one.kind, one.subject) for one in told] == [
        ("drift", "carrier"),
        ("drift", "origin"),
        ("output", "probability"),
    ]
    assert {one.severity for one in told} == {"note"}
    assert told[0].what == "carrier drifted, effect 0.400"


def test_a_drop_says_from_where_and_how_much_was_allowed() -> None:
    [told] = worse(measured("roc_auc", "dropped"), {"maximum_drop": 0.05})
    assert told.what == (
        "roc_auc is 0.620 (0.610 to 0.630), on the holdout it was 0.720 and it may change for the"
        " worse by 0.050"
    )
    assert told.severity == "page"


def test_the_bar_of_a_loss_is_the_most_that_it_may_be() -> None:
    [told] = worse(measured("brier", "below bar"), {"maximum_drop": 0.05})
    assert told.what.endswith("the charter asks for at most 0.650")


def test_a_group_that_is_behind_is_a_page_of_its_own() -> None:
    group = {"column": "region", "value": "south", "metric": 0.5, "verdict": "behind"}
    found = measured("roc_auc", "ok") | {"fairness": [group, group | {"verdict": "ok"}]}
    [told] = worse(found, {"maximum_drop": 0.05})
    assert (told.subject, told.severity) == ("region=south", "page")
    assert told.what == "roc_auc for region=south is 0.500, for all 0.620"


def test_what_is_fine_or_unknown_is_no_finding() -> None:
    assert worse(measured("roc_auc", "ok"), {"maximum_drop": 0.05}) == []
    assert worse(measured("roc_auc", "insufficient data"), {"maximum_drop": 0.05}) == []
    assert missed({"verdict": "kept"}) == []
    assert missed({"verdict": "insufficient data"}) == []
