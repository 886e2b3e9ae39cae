"""A release that was verified and loaded: all that the prediction path needs, and nothing else.

`taxiway.release.artefact` makes it from the store after checking digests and signature;
`taxiway.serving` answers with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from taxiway.core.contract import Contract
from taxiway.core.evidence import Observation
from taxiway.core.kind import CLASSIFICATION, Kind

MANIFEST_PROTOCOL = 1
"""Raise it when the manifest's keys change their meaning; keep a reader and a golden file for the
old number."""


class Frame(Protocol):
    """A polars DataFrame, without the core importing polars."""

    @property
    def height(self) -> int:
        """Number of rows."""

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""


class FrameOf(Protocol):
    """Records as they are logged -> a frame of raw rows, one column a contract column."""

    def __call__(self, records: Sequence[Mapping[str, Any]], contract: Contract) -> Any: ...


@dataclass(frozen=True, slots=True)
class Overseen:
    """Which answers of a release a person decides on."""

    columns: tuple[str, ...]
    """What the rules read of a record."""
    because: Callable[[Mapping[str, Any], Mapping[str, Any]], Sequence[str]]
    """(record as it is logged, output) -> the rules that hold; empty: the answer stands."""


@dataclass(frozen=True, slots=True)
class Artefact:
    """A model, ready to answer.

    `features` maps a frame of raw input columns to the model's columns; `score` maps those to one
    number a row (a float64 array of shape (rows,)): the probability of the positive class, or the
    predicted number. `row_exact` says that a row's score has the same bits alone and in a batch;
    where it is False, rows are predicted one by one.
    """

    release: str
    digest: str
    model: str
    inputs: Contract
    """The contract of the columns that `features` was measured to read, of those that the rules of
    oversight read, and of the key and time."""
    input_names: tuple[str, ...]
    """The columns that `features` reads: those that reason codes speak of."""
    features: Callable[[Any], Any]
    score: Callable[[Any], Any]
    frame: Callable[[Sequence[Mapping[str, Any]]], Any]
    """Records as they are logged (JSON data) -> a frame of raw rows in the contract's types."""
    plain: Callable[[Any], list[dict[str, Any]]]
    """A frame of raw rows -> records as they are logged; the inverse of `frame`."""
    threshold: float | None
    """The score from which the answer is yes; None where it is a number."""
    reason_codes: str
    reference: Mapping[str, Any]
    """The typical value of each input in training, which reason codes compare with."""
    row_exact: bool
    golden: Sequence[Mapping[str, Any]]
    """Rows {inputs, output} that have to come out the same, wherever the model runs."""
    manifest: Mapping[str, Any]
    contributions: Callable[[Any], Any] | None = None
    """Frame of the model's columns -> what each input adds to the score, float64 of shape (rows,
    inputs); None where reasons compare with typical values instead."""
    oversight: Overseen | None = None
    kind: Kind = CLASSIFICATION


@dataclass(frozen=True, slots=True)
class Packaged:
    """A release as it was stored."""

    digest: str
    """Of the manifest."""
    signature: str
    golden: list[dict[str, Any]]
    parity: Observation
    """For the evidence PARITY."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a run hands to packaging: all that a release consists of, before it is a release."""

    model: str
    kind: str
    estimator: Any
    """Fitted; never stored as it is, only in a format whose loading can't run code."""
    code: Mapping[str, bytes]
    code_main: str
    features: Callable[[Any], Any]
    charter: bytes
    """The charter as canonical JSON."""
    contract: Contract
    input_names: tuple[str, ...]
    feature_names: tuple[str, ...]
    reasons_by: str
    """How the charter wants reasons to be measured."""
    sources: Mapping[str, tuple[str, ...]]
    """The model's column -> the inputs that it was measured to be made from."""
    target: str
    threshold: float | None
    reason_codes: str
    reference: Mapping[str, Any]
    profile: Mapping[str, Any]
    golden: Any
    """Frame of raw rows whose answers become the golden predictions."""
    training: Any
    """The model's columns of the rows it was trained on: contributions tell a row from those."""
    holdout: Any
    """The model's columns of the whole holdout: compiled engines are held against them."""
    maximum_difference: float
    lock: str
    bill_of_materials: Mapping[str, Any]
    snapshot: str
    seed: int
