"""Completing: a record that brings keys alone gets the features that its release was trained on.

They are looked up in the thread that decides, in the versions that the release pins and as of the
record's own time, as the join for training did. A record that brings any of them is taken as it is.
What was looked up is logged like what was sent, so that the decision can be made again.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from taxiway.core.contract import Contract
from taxiway.core.digest import utc_text
from taxiway.core.errors import InputError, StoreError
from taxiway.core.rows import Rows
from taxiway.serving.records import Places, read_under
from taxiway.serving.rows import moment, rows_of
from taxiway.serving.spent import Spent

Lookup = Callable[[Mapping[str, Any], datetime], Mapping[str, Any]]
"""(columns of who asks, as of when) -> the features. Raises `StoreError` if the store fails."""

Looked = Counter[tuple[str, str]]
"""(view, `found` or `nothing`) -> records."""

REST_SECONDS = 1.0
"""How long a store that failed is left alone: of all who need it meanwhile, nobody waits for it."""
OUTCOMES = ("found", "nothing")
TYPED: Mapping[str, Callable[[str], Any]] = {
    "timestamp": datetime.fromisoformat,
    "date": date.fromisoformat,
}
"""Types that a plain record holds as text -> what a key of that type is."""


class NotLookedUpError(StoreError):
    """Features can't be looked up now. Whoever brings his own is answered all the same."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """The features that a release reads of its set, and what they are looked up by."""

    parts: tuple[tuple[str, tuple[str, ...]], ...]
    """(name and version of a view, the features that it gives, as the set calls them). A view may
    be there twice, asked by other keys."""
    digests: Mapping[str, str]
    """Name and version -> digest."""
    keys: tuple[str, ...]
    time: str
    """The column that says as of when."""

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(name for _, columns in self.parts for name in columns)

    @property
    def views(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(view for view, _ in self.parts))


@dataclass(frozen=True, slots=True)
class Completing:
    """How the records of one release are completed; `completing` makes it."""

    pinned: Pinned
    takes: Contract
    """What a caller sends: all features or none of them, and what they are looked up by."""
    brings: Contract
    """What a record has to be that brings features: it need not say what they are looked up by."""
    needs: Contract
    """What a record has to be whose features were looked up."""
    typed: Mapping[str, Callable[[str], Any]]
    """Of the keys, those that a plain record holds as text -> what they are looked up as."""
    look_up: Lookup
    spent: Spent
    counts: Looked
    """Written by the one thread that decides."""

    def completed(self, rows: Rows, places: Places | None = None) -> Rows:
        """Rows that were read under `takes`, whole; `places` says which of a request they are.

        Raises `InputError` with everything that is wrong with whole rows, and `NotLookedUpError` if
        the store does not answer.
        """
        at = [rows.names.index(name) for name in self.pinned.features]
        bare = [all(values[one] is None for one in at) for values in rows.values]
        if True not in bare and self.brings == self.takes:
            return rows
        began = time.perf_counter()
        given = [
            {**record, **self._found(record)} if alone else record
            for record, alone in zip(rows, bare, strict=True)
        ]
        self.spent.looked_up += time.perf_counter() - began
        contracts = [self.needs if alone else self.brings for alone in bare]
        try:
            whole = read_under(given, contracts, places or Places(range(len(rows)), len(rows)))
        except InputError as error:
            raise InputError(error.headline, error.problems, todo=self._todo()) from None
        return rows_of(whole, self.takes)

    def blank(
        self, records: Sequence[dict[str, Any]], other: Completing | None
    ) -> Sequence[dict[str, Any]]:
        """Records without the features that another release has looked up in other versions."""
        if other is None or other.pinned.digests == self.pinned.digests:
            return records
        return [{**one, **dict.fromkeys(self.pinned.features)} for one in records]

    def _found(self, record: Mapping[str, Any]) -> dict[str, Any]:
        asked = {
            name: self.typed[name](value) if value is not None and name in self.typed else value
            for name in self.pinned.keys
            for value in [record[name]]
        }
        at = record[self.pinned.time]
        if at is None:  # as in training: nothing was known at no time
            return dict.fromkeys(self.pinned.features)
        try:
            found = self.look_up(asked, moment(at))
        except StoreError as error:
            raise NotLookedUpError(
                f"{error.headline} Nothing was decided.",
                todo=f"Send {', '.join(self.pinned.features)}, or try again.",
            ) from error
        for view, columns in self.pinned.parts:
            nothing = all(found[name] is None for name in columns)
            self.counts[view, OUTCOMES[nothing]] += 1
        return {name: _plain(value) for name, value in found.items()}

    def _todo(self) -> str:
        by = ", ".join((*self.pinned.keys, self.pinned.time))
        return (
            f"Send all of {', '.join(self.pinned.features)}, or none of them: then they are looked"
            f" up by {by}."
        )


def completing(
    pinned: Pinned,
    whole: Contract,
    inputs: Contract,
    look_up: Lookup,
    spent: Spent,
    counts: Looked | None = None,
) -> Completing:
    """`whole` is the contract of the release, `inputs` that of what it was measured to read.

    `counts` goes on from one release to the next, for those that one thread decides.
    """
    by = {*pinned.keys, pinned.time}
    needs = whole.only({*inputs.names, *by})
    brings = _optional(needs, by - set(inputs.names))
    takes = replace(
        _optional(brings, set(pinned.features)),
        description=f"{whole.description} A record without any of {', '.join(pinned.features)} gets"
        f" them from {', '.join(pinned.views)}, by {', '.join(pinned.keys)} and as of its"
        f" {pinned.time}.".strip(),
    )
    counts = Counter() if counts is None else counts
    # All of them from the start, those with nothing to count too.
    counts.update({(view, outcome): 0 for view in pinned.views for outcome in OUTCOMES})
    typed = {
        one.name: TYPED[one.type]
        for one in needs.columns
        if one.name in pinned.keys and one.type in TYPED
    }
    return Completing(pinned, takes, brings, needs, typed, resting(look_up), spent, counts)


def _optional(contract: Contract, names: set[str]) -> Contract:
    columns = (
        replace(one, nullable=True) if one.name in names else one for one in contract.columns
    )
    return replace(contract, columns=tuple(columns))


def resting(look_up: Lookup, clock: Callable[[], float] = time.monotonic) -> Lookup:
    """A look-up whose store, once it has failed, is left alone for a while.

    A store that hangs would hold up everybody behind it, one after the other.
    """
    failed: list[tuple[float, StoreError]] = []

    def look(given: Mapping[str, Any], at: datetime) -> Mapping[str, Any]:
        if failed and clock() < failed[0][0]:
            raise failed[0][1]
        try:
            found = look_up(given, at)
        except StoreError as error:
            failed[:] = [(clock() + REST_SECONDS, error)]
            raise
        failed.clear()
        return found

    return look


def _plain(value: Any) -> Any:
    """A feature as JSON data."""
    if isinstance(value, datetime):
        return utc_text(value)
    return value.isoformat() if isinstance(value, date) else value
