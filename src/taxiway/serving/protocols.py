"""Protocols: the ways in which clients ask, as thin shells over the one prediction path.

Each says how JSON data become records, and how decisions become an answer. The same record gets the
same answer through all of them. CSV and Arrow bodies are tables in every protocol that takes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from taxiway.core.contract import Contract
from taxiway.core.decided import Decided
from taxiway.core.decision import Decision
from taxiway.core.digest import utc_text
from taxiway.core.errors import InputError, Problem, close_match, shortened
from taxiway.core.kind import Kind
from taxiway.serving import inference
from taxiway.serving.bodies import ARROW, CSV, JSON, Body, said_twice
from taxiway.serving.deciding import STUB
from taxiway.serving.records import read_records, require_few
from taxiway.serving.values import found_text

ALL = (JSON, CSV, ARROW)


@dataclass(frozen=True, slots=True)
class Protocol:
    """A way of asking."""

    media: tuple[str, ...]
    """What bodies may be; the first one, if they don't say what they are."""
    records: Callable[[Any, Contract], Any]
    """JSON data -> one record, or a list of them."""
    show: Callable[[Body, Sequence[Decision]], Any]
    asks: Callable[[Any, Kind], object] = lambda _, kind: kind
    """Told JSON data and the kind of model that answers; raises `InputError` if more is asked for
    than it says."""
    typed: bool = False
    """Whether JSON data are the records as they stand, which can be read by their types."""

    def read(self, body: Body, contract: Contract) -> list[dict[str, Any]]:
        """Validated records. Raises `InputError` with everything that is wrong."""
        given = self.records(body.content, contract) if body.media == JSON else body.table(contract)
        return read_records(given, contract)


def shown(decision: Decision) -> dict[str, Any]:
    """A decision as it is answered."""
    answered = {
        "decision": decision.id,
        "release": decision.release,
        **decision.output,
        "at": _moment(decision.at),
    }
    if decision.because:
        answered["review"] = {"case": decision.id, **decision.output["review"]}
    return {**answered, "stub": True} if decision.channel == STUB else answered


# What was decided together was answered at one moment.
_moment = lru_cache(maxsize=16)(utc_text)


def _as_it_is(content: Any, _: Contract) -> Any:
    return content


def shown_all(decisions: Sequence[Decision]) -> list[Any]:
    """Decisions as they are answered. JSON text that is there already is put in as it is."""
    if not isinstance(decisions, Decided) or decisions.channel == STUB:
        return [shown(one) for one in decisions]
    begin, at = b'{"decision":"', b',"at":"%b"}' % _moment(decisions.at).encode()
    then = b'","release":%b,' % msgspec.json.encode(decisions.release)
    return [
        shown(decisions[place])
        if "review" in output
        else msgspec.Raw(b"".join((begin, made.encode(), then, text[1:-1].encode(), at)))
        for place, (made, text, output) in enumerate(
            zip(decisions.ids, decisions.texts, decisions.outputs, strict=True)
        )
    ]


def _show_native(body: Body, decisions: Sequence[Decision]) -> Any:
    several = shown_all(decisions)
    return several[0] if body.media == JSON and isinstance(body.content, dict) else several


def _split(content: Any) -> Any:
    """MLflow's `dataframe_split`: {columns, data}, and an index that says nothing here."""
    if not isinstance(content, dict) or not isinstance(content.get("columns"), list):
        raise _other("dataframe_split", content, "an object of columns and data")
    columns, data = content["columns"], content.get("data")
    if not isinstance(data, list) or not all(isinstance(name, str) for name in columns):
        raise _other("dataframe_split", content, "names in columns, a list of rows in data")
    require_few(len(data))
    if twice := said_twice(columns):
        raise InputError(f"dataframe_split has columns twice: {shortened(', '.join(twice))}.")
    wrong = [
        Problem(
            "is no row of these columns", found_text(row), f"a list of {len(columns)}", f"[{at}]"
        )
        for at, row in enumerate(data)
        if not isinstance(row, list) or len(row) != len(columns)
    ]
    if wrong:
        raise InputError("dataframe_split has rows of another width than its columns.", wrong)
    return [dict(zip(columns, row, strict=True)) for row in data]


def _several(name: str) -> Callable[[Any], Any]:
    def listed(content: Any) -> Any:
        if isinstance(content, list) and all(isinstance(one, dict) for one in content):
            return content
        raise _other(name, content, "a list of records, each an object that names its columns")

    return listed


def _inputs(content: Any) -> Any:
    """MLflow's and TensorFlow Serving's `inputs`: columns of values, or records."""
    if isinstance(content, list):
        return _several("inputs")(content)
    lists = isinstance(content, dict) and all(isinstance(one, list) for one in content.values())
    if not lists or len({len(one) for one in content.values()}) != 1:
        raise _other("inputs", content, "an object of columns, lists of one length")
    require_few(len(next(iter(content.values()))))
    return [dict(zip(content, row, strict=True)) for row in zip(*content.values(), strict=True)]


INVOCATION: Mapping[str, Callable[[Any], Any]] = {
    "dataframe_split": _split,
    "dataframe_records": _several("dataframe_records"),
    "instances": _several("instances"),
    "inputs": _inputs,
}
"""How a body of MLflow's scoring protocol names its form -> how it is read."""
IGNORED = {"params", "signature_name"}


def _invocation(content: Any, _: Contract) -> Any:
    expected = f"an object with one of {', '.join(INVOCATION)}"
    if not isinstance(content, dict):
        raise _other("body", content, expected)
    if content.get("params"):
        raise InputError("This model takes no params.", todo="Leave them out, or empty.")
    names = sorted(content.keys() - IGNORED)
    if len(names) != 1 or names[0] not in INVOCATION:
        match = close_match(names[0], INVOCATION) if names else None
        raise InputError(
            f"The body is {expected}; found {shortened(', '.join(names)) or 'none of them'}.",
            todo=f"Did you mean {match!r}?" if match else None,
        )
    return INVOCATION[names[0]](content[names[0]])


def _other(where: str, found: Any, expected: str) -> InputError:
    problem = Problem("is of another form", found_text(found), expected, where)
    return InputError(f"{where} is not in the form that this protocol has.", [problem])


def _show_invocation(_: Body, decisions: Sequence[Decision]) -> Any:
    return {"predictions": shown_all(decisions)}


def _show_inference(body: Body, decisions: Sequence[Decision]) -> Any:
    return inference.show(body.content, decisions)


NATIVE = Protocol(ALL, _as_it_is, _show_native, typed=True)
PROTOCOLS: Mapping[str, Protocol] = {
    "/predict": NATIVE,
    "/v1/models/NAME/predict": NATIVE,
    "/invocations": Protocol(ALL, _invocation, _show_invocation),
    "/v2/models/NAME/infer": Protocol(
        (JSON,), inference.records, _show_inference, inference.wanted
    ),
}
"""Path -> the protocol that is spoken there."""
