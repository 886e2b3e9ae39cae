"""Many rows decided as columns: the answers of `path.answer` and `deciding`, without a record each.

A batch has no caller who waits for one row, so nothing of it needs to be a Python object. Each
column is made at once, in the same words as the endpoint's: inputs and output as JSON text, keys as
canonical JSON. That both ways say the same is held by tests, to the bit.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
import polars as pl

from taxiway.core.artefact import Artefact
from taxiway.core.decision import Decision, record_key
from taxiway.serving.deciding import Decider
from taxiway.serving.path import answer, score
from taxiway.serving.reasons import MOST, effects

Plain = Callable[[pl.DataFrame], pl.DataFrame]
"""Rows with times and dates as text, as plain records have them."""

text = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
"""JSON text as the columns of a batch have it."""
_PYTHON_FLOATS = (
    (r"^(-?)0\.0000([1-9])$", "${1}${2}e-05"),
    (r"^(-?)0\.0000([1-9])(\d+)$", "${1}${2}.${3}e-05"),
    (r"e([+-])(\d)$", "e${1}0${2}"),
)
"""Where polars writes a float in other words than Python: what is read from the log again is
written by Python, and has to look the same."""
_TEXTS = ("inputs", "output", "withheld")
_EXACT_KEYS = (pl.String(), pl.Int64(), pl.Boolean())
"""Types that polars writes as canonical JSON does; a float of a key is written by Python."""


def decided(decider: Decider, ids: pl.Series, frame: pl.DataFrame, plain: Plain) -> pl.DataFrame:
    """Decisions with these ids on a frame of validated rows, which are not logged yet.

    The columns are the fields of a decision, with `inputs` as a struct (as JSON text where rules of
    oversight looked at each record), `output` and `withheld` as JSON text, and what stands in the
    output: what the model's kind says, such as `prediction`, and `reasons` and `review` as JSON
    text.
    """
    if decider.artefact.oversight is not None:  # its rules look at one record after the other
        return _one_by_one(decider, ids, frame)
    began = time.perf_counter()
    artefact = decider.artefact
    contract = artefact.inputs
    records = plain(frame)
    answers = answered(artefact, frame, plain)
    event = pl.col(contract.event_time).cast(pl.Datetime("us", "UTC"))
    return answers.with_columns(
        ids.alias("id"),
        pl.lit(artefact.model).alias("model"),
        pl.lit(artefact.release).alias("release"),
        pl.lit(artefact.digest).alias("release_digest"),
        pl.lit(decider.environment).alias("environment"),
        pl.lit(decider.channel).alias("channel"),
        _keys(records, contract.key).alias("key"),
        frame.select(event.alias("happened_at")).to_series(),
        pl.lit(decider.now()).cast(pl.Datetime("us", "UTC")).alias("at"),
        records.select(pl.struct(pl.all()).alias("inputs")).to_series(),
        pl.lit(int((time.perf_counter() - began) * 1e6)).cast(pl.Int64).alias("latency_us"),
        pl.lit("[]").alias("withheld"),
    )


def answered(artefact: Artefact, frame: pl.DataFrame, plain: Plain) -> pl.DataFrame:
    """The answers to a frame of validated rows, before oversight: what the model's kind says, and
    `reasons`, `review` and `output` as JSON text."""
    scores = score(artefact, frame)
    reasons = _reasons(artefact, frame, scores, plain)
    said = pl.DataFrame(artefact.kind.says(scores, artefact.threshold))
    answers = said.with_columns(reasons.alias("reasons"), pl.lit("[]").alias("review"))
    head = said.select(pl.struct(pl.all()).struct.json_encode())
    output = pl.select(
        pl.concat_str(
            head.to_series().str.head(-1), pl.lit(',"reasons":'), reasons, pl.lit("}")
        ).alias("output")
    )
    return answers.hstack(output)


def _one_by_one(decider: Decider, ids: pl.Series, frame: pl.DataFrame) -> pl.DataFrame:
    """The same, with a record for each row."""
    began = time.perf_counter()
    numbered = replace(decider, new_id=iter(ids.to_list()).__next__)
    outputs = answer(decider.artefact, frame)
    made = numbered.decisions(decider.artefact.plain(frame), outputs, began=began)
    names = [field.name for field in fields(Decision) if field.name not in _TEXTS]
    time_of = pl.col("happened_at", "at").cast(pl.Datetime("us", "UTC"))
    return pl.DataFrame(
        {
            **{name: [getattr(one, name) for one in made] for name in names},
            **{name: [text(getattr(one, name)) for one in made] for name in _TEXTS},
            **{name: [one.output[name] for one in made] for name in decider.artefact.kind.output},
            "reasons": [text(one.output["reasons"]) for one in made],
            "review": [text(one.because) for one in made],
        }
    ).with_columns(time_of)


def _json(records: pl.DataFrame, name: str) -> pl.Series:
    """Each row as a JSON object."""
    return records.select(pl.struct(pl.all()).struct.json_encode().alias(name)).to_series()


def _keys(records: pl.DataFrame, key: Sequence[str]) -> pl.Series:
    """`record_key` of each row."""
    columns = records.select(sorted(key))
    plain = all(c.dtype in _EXACT_KEYS and not c.null_count() for c in columns)
    if plain and key:
        return _json(columns, "key")
    return pl.Series("key", [record_key(row, key) for row in columns.to_dicts()], pl.String())


def _reasons(artefact: Artefact, frame: pl.DataFrame, scores: Any, plain: Plain) -> pl.Series:
    """The reasons of each row as JSON text, a rank after the other."""
    made = effects(artefact, frame, scores, score)
    rows, names = made.rows, artefact.input_names
    if not len(rows):
        return pl.Series("reasons", ["[]"]).new_from_index(0, frame.height)
    # Stable, so that of two effects of one size the first column's is the first, as it is alone.
    order = np.argsort(-made.strength, axis=1, kind="stable")[:, :MOST]
    values = plain(frame[rows.tolist()].select(names))
    spoken = [_values(values, name, artefact.reference[name]) for name in names]
    each = np.arange(len(rows))
    ranks = []
    for rank in range(order.shape[1]):
        chosen = order[:, rank]
        speaks = made.strength[each, chosen] > 0
        effect = _values_of(pl.Series(made.moved[each, chosen]))
        parts = []
        for place, begun in enumerate(spoken):
            at = np.flatnonzero(speaks & (chosen == place))
            if len(at):
                said = pl.select(pl.concat_str(begun.gather(at), effect.gather(at), pl.lit("}")))
                parts.append(said.to_series().alias("said").to_frame().with_columns(at=pl.lit(at)))
        ranks.append(_scattered(parts, len(rows)))
    lists = pl.select(
        pl.concat_str(
            pl.lit("["), pl.concat_str(*ranks, separator=",", ignore_nulls=True), pl.lit("]")
        )
    ).to_series()
    return (
        _scattered([pl.DataFrame({"said": lists, "at": rows})], frame.height)
        .fill_null("[]")
        .alias("reasons")
    )


def _values(values: pl.DataFrame, name: str, typical: Any) -> pl.Series:
    """All of a reason that speaks of a column but its effect, for each row."""
    begin = f'{{"column":{json.dumps(name, ensure_ascii=False)},"value":'
    end = f',"typical":{json.dumps(typical, ensure_ascii=False)},"effect":'
    value = _values_of(values.get_column(name))
    return pl.select(pl.concat_str(pl.lit(begin), value, pl.lit(end))).to_series()


def _values_of(column: pl.Series) -> pl.Series:
    """Each value as JSON."""
    whole = pl.select(pl.struct(column.alias("v")).struct.json_encode()).to_series()
    said = whole.str.slice(len('{"v":')).str.head(-1)
    if column.dtype == pl.Float64:
        for written, python in _PYTHON_FLOATS:
            said = said.str.replace(written, python)
    return said


def _scattered(parts: list[pl.DataFrame], rows: int) -> pl.Series:
    """What is said at some places, as a column; null where nothing is."""
    column = pl.Series("said", [None], dtype=pl.String()).new_from_index(0, rows)
    if not parts:
        return column
    whole = pl.concat([part.select("said", pl.col("at").cast(pl.UInt32)) for part in parts])
    places = pl.DataFrame({"at": pl.int_range(rows, dtype=pl.UInt32, eager=True)})
    return places.join(whole, on="at", how="left", maintain_order="left").get_column("said")
