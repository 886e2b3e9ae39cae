"""Rows: records of one contract that were read together, side by side with their JSON text.

A server has thousands of them a second. A dictionary for each is made only for whoever asks for
one: rules of oversight, a canary, a log that withholds columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, overload


@dataclass(frozen=True, slots=True)
class Rows(Sequence[dict[str, Any]]):
    """Plain records, each of which holds all columns.

    >>> rows = Rows(("id", "region"), [(7, "north"), (8, None)], ['{"id":7,...}', '{"id":8,...}'])
    >>> rows[1]
    {'id': 8, 'region': None}
    >>> rows.column("id")
    [7, 8]
    """

    names: tuple[str, ...]
    values: Sequence[tuple[Any, ...]]
    """Of each record, in the order of the names."""
    texts: Sequence[str]
    """Each record as JSON, as it is logged."""

    def column(self, name: str) -> list[Any]:
        """The values of a column."""
        at = self.names.index(name)
        return [one[at] for one in self.values]

    def columns(self) -> dict[str, Sequence[Any]]:
        """The values of each column."""
        return dict(zip(self.names, zip(*self.values, strict=True), strict=True))

    def __len__(self) -> int:
        return len(self.values)

    @overload
    def __getitem__(self, at: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, at: slice) -> Rows: ...
    def __getitem__(self, at: int | slice) -> dict[str, Any] | Rows:
        if isinstance(at, slice):
            return Rows(self.names, self.values[at], self.texts[at])
        return dict(zip(self.names, self.values[at], strict=True))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (dict(zip(self.names, one, strict=True)) for one in self.values)


def joined(parts: Sequence[Rows]) -> Rows:
    """Rows of one contract, one part after the other."""
    if len(parts) == 1:
        return parts[0]
    return Rows(
        parts[0].names,
        list(chain.from_iterable(part.values for part in parts)),
        list(chain.from_iterable(part.texts for part in parts)),
    )
