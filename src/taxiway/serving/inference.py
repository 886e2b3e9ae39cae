"""The Open Inference Protocol, version 2: one tensor for each column, over REST.

https://github.com/kserve/open-inference-protocol. A null in `data` says that there is no value,
which the protocol itself has no word for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from taxiway.core.artefact import Artefact
from taxiway.core.contract import Contract
from taxiway.core.decision import Decision
from taxiway.core.errors import InputError, Problem, shortened
from taxiway.core.kind import Kind, kind_of
from taxiway.serving.records import MOST_PROBLEMS, MOST_RECORDS
from taxiway.serving.values import found_text

_WHOLE = tuple(f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64))
_FLOAT = ("FP64", "FP32", "FP16")
DATATYPES: Mapping[str, tuple[str, ...]] = {
    "string": ("BYTES",),
    "date": ("BYTES",),
    "timestamp": ("BYTES",),
    "boolean": ("BOOL",),
    "integer": ("INT64", *(name for name in _WHOLE if name != "INT64")),
    "number": (*_FLOAT, *_WHOLE),
}
"""Contract type -> datatypes that a tensor of it may say; the first one is what is announced."""


def outputs_of(kind: Kind) -> dict[str, str]:
    """Output tensor -> its datatype. `review` names the rules for which a person decides the case
    that `decision` names; it is empty where the answer stands."""
    said = {name: DATATYPES[of][0] for name, of in kind.output.items()}
    return {**said, "decision": "BYTES", "review": "BYTES"}


def metadata(artefact: Artefact, releases: Sequence[str]) -> dict[str, Any]:
    """What `GET /v2/models/NAME` says of a model; `releases` are those that answer now."""
    return {
        "name": artefact.model,
        "versions": list(releases),
        "platform": "taxiway",
        "inputs": [
            {"name": column.name, "datatype": DATATYPES[column.type][0], "shape": [-1]}
            for column in artefact.inputs.columns
        ],
        "outputs": [
            {"name": name, "datatype": datatype, "shape": [-1]}
            for name, datatype in outputs_of(artefact.kind).items()
        ],
    }


def records(content: Any, contract: Contract) -> list[dict[str, Any]]:
    """Records from tensors. Raises `InputError` with everything that is wrong with their form."""
    tensors = content.get("inputs") if isinstance(content, dict) else None
    if not isinstance(tensors, list) or not tensors:
        raise InputError(
            "The body has no inputs.",
            [Problem("is of another form", found_text(tensors), "a list of tensors", "inputs")],
        )
    types = {column.name: column.type for column in contract.columns}
    problems: list[Problem] = []
    columns: dict[str, list[Any]] = {}
    for at, tensor in enumerate(tensors):
        if len(problems) >= MOST_PROBLEMS:
            break
        name = tensor.get("name") if isinstance(tensor, dict) else None
        if not isinstance(name, str):
            problems.append(Problem("has no name", found_text(tensor), where=f"inputs[{at}]"))
        elif name in columns:
            problems.append(Problem("is there twice", where=f"inputs[{at}]", found=name))
        else:
            values = _values(tensor, types.get(name), f"inputs[{at}]", problems)
            columns[name] = values
    lengths = {len(values) for values in columns.values()}
    if not problems and len(lengths) != 1:
        found = ", ".join(f"{name} {len(values)}" for name, values in columns.items())
        problems.append(Problem("are of different lengths", found, "one length", "inputs"))
    if problems:
        raise InputError("The tensors can't be used. Nothing was decided.", problems)
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _values(
    tensor: Mapping[str, Any], type: str | None, where: str, problems: list[Problem]
) -> list[Any]:
    """The values of a tensor; what is wrong with its form goes to `problems`."""
    datatype, shape, data = tensor.get("datatype"), tensor.get("shape"), tensor.get("data")
    # A column that is no input is refused as such, by its name, when the records are read.
    taken = DATATYPES[type] if type else tuple(chain.from_iterable(DATATYPES.values()))
    if datatype not in taken:
        expected = f"one of {', '.join(dict.fromkeys(taken))}"
        problems.append(Problem("is of another datatype", shortened(datatype, 60), expected, where))
    if not isinstance(data, list):
        todo = "Binary tensors are not taken: send `data` as JSON."
        problems.append(Problem("has no data", found_text(data), "a list", where, todo))
        return []
    flat = list(chain.from_iterable(one if isinstance(one, list) else [one] for one in data))
    if not _is_column(shape, len(flat)):
        expected = f"[{len(flat)}] or [{len(flat)}, 1], for {len(flat)} values"
        problems.append(Problem("is of another shape", shortened(shape, 60), expected, where))
    if len(flat) > MOST_RECORDS:
        expected = f"at most {MOST_RECORDS:,}"
        problems.append(Problem("has too many values", f"{len(flat):,}", expected, where))
    return flat


def _is_column(shape: Any, values: int) -> bool:
    """Whether a shape is that of one column of so many values: [n] or [n, 1]."""
    # By type: to Python, true is 1 as well.
    whole = isinstance(shape, list) and all(type(one) is int for one in shape)
    return whole and shape in ([values], [values, 1])


def wanted(content: Mapping[str, Any], kind: Kind) -> list[str]:
    """Names of the outputs that are asked for. Raises `InputError` for one that is not there."""
    known = outputs_of(kind)
    asked = content.get("outputs") or [{"name": name} for name in known]
    if not isinstance(asked, list) or not all(isinstance(one, dict) for one in asked):
        raise InputError("outputs is no list of objects with a name.")
    names = [shortened(one.get("name")) for one in asked]
    for name in names:
        if name not in known:
            raise InputError(f"There is no output {name}; there are {', '.join(known)}.")
    return names


def show(content: Mapping[str, Any], decisions: Sequence[Decision]) -> dict[str, Any]:
    """Decisions as output tensors."""
    kind = kind_of(decisions[0].output)
    values = {
        **{name: [one.output[name] for one in decisions] for name in kind.output},
        "decision": [one.id for one in decisions],
        "review": [", ".join(one.because) for one in decisions],
    }
    datatypes = outputs_of(kind)
    shape = [len(decisions)]
    said = {"id": content["id"]} if isinstance(content.get("id"), str) else {}
    return {
        **said,
        "model_name": decisions[0].model,
        "model_version": decisions[0].release,
        "outputs": [
            {"name": name, "datatype": datatypes[name], "shape": shape, "data": values[name]}
            for name in wanted(content, kind)
        ],
    }
