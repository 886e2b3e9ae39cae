"""Whether a window's inputs and answers still look like those that the release was trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from taxiway.core.artefact import Frame
from taxiway.core.operation import Monitoring
from taxiway.monitoring.statistics import adjusted, compare
from taxiway.monitoring.windows import Window

SAME = "same"
DRIFTED = "drifted"
INSUFFICIENT = "insufficient data"

ColumnProfile = Mapping[str, Any]
CountLike = Callable[[ColumnProfile, Any], Sequence[int]]
"""(profile of a column, its values now) -> how many of them fall into each bin of its `counts`."""


def drift(
    profile: Mapping[str, Any],
    inputs: Frame,
    scores: Any,
    *,
    window: Window,
    count_like: CountLike,
    settings: Monitoring,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """`found` and `required` of the DRIFT evidence of one release in one window.

    `profile` is the reference profile that travels with the release; `inputs` are the window's
    columns to look at and `scores` its answers (a polars frame and series, in the contract's
    types). A column has drifted if the effect is at least the charter's and the p-value, adjusted
    for all columns and the output together, is below its false discovery rate. Below the minimum of
    rows nothing is said about any column.
    """
    references = {column["name"]: column for column in profile["columns"]}
    frame: Any = inputs
    pairs = [
        (references[name], frame[name])
        for name in inputs.columns
        # Times have no counts: they move on by themselves.
        if name in references and references[name]["counts"]
    ]
    pairs.append((profile["output"], scores))
    insufficient = inputs.height < settings.minimum_rows
    if insufficient:
        measured: list[tuple[float | None, float | None]] = [(None, None)] * len(pairs)
        verdicts = [INSUFFICIENT] * len(pairs)
    else:
        compared = [compare(known["counts"], count_like(known, now)) for known, now in pairs]
        p_values = adjusted([p_value for _, p_value in compared])
        measured = [(effect, p) for (effect, _), p in zip(compared, p_values, strict=True)]
        verdicts = [
            DRIFTED
            if effect >= settings.drift_effect and p < settings.false_discovery_rate
            else SAME
            for (effect, _), p in zip(compared, p_values, strict=True)
        ]
    *columns, output = [
        {"name": reference["name"], "effect": effect, "p_value": p_value, "verdict": verdict}
        for (reference, _), (effect, p_value), verdict in zip(
            pairs, measured, verdicts, strict=True
        )
    ]
    found = {
        **window.as_found(),
        "columns": columns,
        "output": output,
        "drifted": [column["name"] for column in columns if column["verdict"] == DRIFTED],
        "insufficient": insufficient,
    }
    required = {
        "effect": settings.drift_effect,
        "false_discovery_rate": settings.false_discovery_rate,
        "minimum_rows": settings.minimum_rows,
    }
    return found, required
