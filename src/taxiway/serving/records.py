"""Records from outside: JSON values held against the contract, every problem said at once.

The rules are those of `taxiway.data.rules`, for one record at a time and for JSON's types; a law
test holds the two against each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar

from taxiway.core.contract import Column, Contract
from taxiway.core.digest import utc_text
from taxiway.core.errors import InputError, Problem, close_match, shortened
from taxiway.serving.values import EXPECTED, READ, Absent, Read, absence, found_text

MOST_RECORDS = 10_000
MOST_PROBLEMS = 100
"""Problems that are looked for in one request; half of them are shown. To find the words for one
takes a hundred times as long as to read a good value."""
SHORT = 100
"""Characters up to which a text is held against a pattern by Python's engine."""

PLAIN_PATTERN = re.compile(
    r"\^?(?:[A-Za-z0-9_ @/:;,.*?|)-]|\+|\((?!\?)|\(\?:|\{\d+(?:,\d*)?\}|\[[A-Za-z0-9_ -]+\])*\$?"
)
"""Patterns that mean the same to Python's regular expressions and to those of polars."""
POSSESSIVE = re.compile(r"[*+?}]\+")
"""To Python a quantifier of its own since 3.11, to polars a repetition."""
REPEATED = re.compile(r"\)[*+{]")
"""A group that repeats can keep Python's engine busy for ever; that of polars takes one pass."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """A limit of a column: what breaks it, and the words for that."""

    limit: str
    """What the contract calls it."""
    broken: Callable[[Any], bool]
    what: str
    expected: str


@dataclass(frozen=True, slots=True)
class _Reader:
    """How the records of one contract are read, made once for all of its requests.

    Nearly every value of nearly every request is good: `good` only asks whether all is well, and
    `problems` looks for words after it was not.
    """

    contract: Contract
    names: frozenset[str]
    columns: Sequence[tuple[str, bool, Read, tuple[Callable[[Any], bool], ...], Absent | None]]
    """(name, nullable, read, what breaks a limit, what stands for no value), ready for the loop."""
    rules: Mapping[str, Sequence[_Rule]]
    absent: Mapping[str, Absent]
    """Of the columns that have sentinels: what stands for no value."""

    def good(self, given: Any) -> dict[str, Any] | None:
        """The plain record, or None if something is wrong with it."""
        if not isinstance(given, dict) or not given.keys() <= self.names:
            return None
        record = {}
        for name, nullable, read, limits, absent in self.columns:
            value = given.get(name)
            if absent is not None and absent(value):
                value = None
            if value is not None:
                value = read(value)
                if value is None:
                    return None
                for broken in limits:
                    if broken(value):
                        return None
            elif not nullable:
                return None
            record[name] = value
        return record

    def problems(self, given: Any, place: str) -> Iterator[Problem]:
        """Everything that is wrong with a record."""
        if not isinstance(given, dict):
            yield Problem(
                "is no record", found_text(given), "an object of columns", place or "body"
            )
            return
        yield from self._unknown(given.keys() - self.names, place)
        for column in self.contract.columns:
            yield from self._wrong(column, given.get(column.name), place)

    def _wrong(self, column: Column, value: Any, place: str) -> Iterator[Problem]:
        where, expected = _where(place, column.name), EXPECTED[column.type]
        absent = self.absent.get(column.name)
        if value is None or (absent is not None and absent(value)):
            if not column.nullable:
                yield Problem("is missing", None, expected, where)
            return
        plain = READ[column.type](value)
        if plain is None:
            yield Problem("is of another type", _shown(column, found_text(value)), expected, where)
            return
        for rule in self.rules[column.name]:
            if rule.broken(plain):
                yield Problem(rule.what, _shown(column, shortened(plain)), rule.expected, where)

    def _unknown(self, names: Iterable[str], place: str) -> Iterator[Problem]:
        known = self.contract.names
        for name in names:
            match = close_match(name, known)
            hint = f"Did you mean {match!r}?" if match else f"It takes: {', '.join(known)}."
            where = _where(place, name)
            yield Problem("is no input of this model", where=where, todo=hint)


MOST_CONTRACTS = 64

Made = TypeVar("Made")


def once(make: Callable[[Contract], Made]) -> Callable[[Contract], Made]:
    """Makes something of a contract once, and finds it by identity: to hash a contract takes as
    long as to read a record. The contract is held, so that no other one can have its identity."""
    known: dict[int, tuple[Contract, Made]] = {}

    def found(contract: Contract) -> Made:
        if (made := known.get(id(contract))) is None:
            if len(known) >= MOST_CONTRACTS:
                known.clear()
            made = known[id(contract)] = contract, make(contract)
        return made[1]

    return found


@once
def reader_of(contract: Contract) -> _Reader:
    """The reader of a contract."""
    rules = {column.name: tuple(_rules(column)) for column in contract.columns}
    absent = {one.name: absence(one) for one in contract.columns if one.sentinels}
    columns = tuple(
        (
            one.name,
            one.nullable,
            READ[one.type],
            tuple(rule.broken for rule in rules[one.name]),
            absent.get(one.name),
        )
        for one in contract.columns
    )
    return _Reader(contract, frozenset(contract.names), columns, rules, absent)


def read_records(body: Any, contract: Contract) -> list[dict[str, Any]]:
    """Plain records from decoded JSON: one record, or a list of them.

    Raises `InputError` with the problems of all records, as long as they are few.
    """
    several = isinstance(body, list)
    given: Sequence[Any] = body if several else [body]
    if not given:
        raise InputError("There is no record in the list.")
    require_few(len(given))
    reader = reader_of(contract)
    records = [reader.good(one) for one in given]
    good = [one for one in records if one is not None]
    if len(good) == len(given):
        return good
    raise _refusal(given, [reader] * len(given), records, several=several)


@dataclass(frozen=True, slots=True)
class Places:
    """Which records of a request are looked at, if not all of them."""

    numbers: Sequence[int]
    of: int


def read_under(
    given: Sequence[Any], contracts: Sequence[Contract], places: Places
) -> list[dict[str, Any]]:
    """The same for records of a request each of which has a contract of its own."""
    readers = [reader_of(contract) for contract in contracts]
    records = [reader.good(one) for reader, one in zip(readers, given, strict=True)]
    good = [one for one in records if one is not None]
    if len(good) == len(given):
        return good
    raise _refusal(given, readers, records, several=places.of > 1, places=places)


def _refusal(
    given: Sequence[Any],
    readers: Sequence[_Reader],
    records: Sequence[Any],
    *,
    several: bool,
    places: Places | None = None,
) -> InputError:
    """Everything that is wrong with the records that could not be read."""
    all_of_it = places is None or len(given) == places.of
    numbers = range(len(given)) if places is None else places.numbers
    whole = f"{len(given)} records" if all_of_it else f"{len(given)} records of a part"
    every = (
        problem
        for at, one, reader, record in zip(numbers, given, readers, records, strict=True)
        if record is None
        for problem in reader.problems(one, f"[{at}]" if several else "")
    )
    problems = list(islice(every, MOST_PROBLEMS))
    more = "" if next(every, None) is None else "more than "
    return InputError(
        f"{records.count(None)} of {whole} can't be used: {more}{len(problems)}"
        " problems. Nothing was decided.",
        problems,
    )


def require_few(records: int) -> None:
    """Raises `InputError` for more records than one request may hold."""
    if records > MOST_RECORDS:
        raise InputError(
            f"There are {records:,} records; one request takes at most {MOST_RECORDS:,}.",
            todo="Send them in parts, or use `taxiway score`.",
        )


def _where(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


_Words = tuple[Callable[[Any], bool], str, str]
"""(what breaks a limit, what is said then, what is expected)."""


def _shown(column: Column, found: str) -> str:
    return "(personal)" if column.personal else found


def _rules(column: Column) -> Iterator[_Rule]:
    # Each is made by a function of its own, which holds its limit.
    for name, rule in RULES.items():
        limit = getattr(column, name)
        if limit is not None and limit != ():
            yield _Rule(name, *rule(limit, column.type))


def _at_least(limit: Any, type_: str) -> _Words:
    least = _limit(type_, limit)
    return (lambda value: value < least, "is too small", f"at least {limit}")


def _at_most(limit: Any, type_: str) -> _Words:
    most = _limit(type_, limit)
    return (lambda value: value > most, "is too large", f"at most {limit}")


def _one_of(values: Any, _: str) -> _Words:
    allowed = frozenset(values)
    expected = f"one of {shortened(', '.join(map(str, values)))}"
    return (lambda value: value not in allowed, "is not an allowed value", expected)


def _matching(pattern: Any, _: str) -> _Words:
    matches = _matcher(pattern)
    return (lambda value: not matches(value), "does not match its pattern", pattern)


def _no_shorter(length: Any, _: str) -> _Words:
    expected = f"at least {length} characters"
    return (lambda value: len(value) < length, "is too short", expected)


def _no_longer(length: Any, _: str) -> _Words:
    expected = f"at most {length} characters"
    return (lambda value: len(value) > length, "is too long", expected)


RULES: Mapping[str, Callable[[Any, str], _Words]] = {
    "minimum": _at_least,
    "maximum": _at_most,
    "values": _one_of,
    "pattern": _matching,
    "minimum_length": _no_shorter,
    "maximum_length": _no_longer,
}
"""Limit of a column -> its rule, from (limit, type of the column)."""


def _limit(type_: str, limit: float | str) -> Any:
    """A limit in the form in which values are logged, in which times sort as they follow."""
    if type_ == "timestamp":
        at = datetime.fromisoformat(str(limit))
        return utc_text(at if at.tzinfo else at.replace(tzinfo=UTC))
    return limit


def _matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a text holds a pattern, by the engine that also judges batches.

    Python's engine is twenty times as quick for one text, and differs in what classes such as `\\d`
    hold and in `$`, which for Python also stands before a last line end. Patterns of plain
    characters, classes, groups and counts mean the same to both. But Python's tries every way to
    match, and what it takes grows with a power of the length: long texts are for the other one.
    """

    def contains(value: str) -> bool:
        import polars as pl

        return bool(pl.Series([value]).str.contains(pattern)[0])

    if not PLAIN_PATTERN.fullmatch(pattern) or POSSESSIVE.search(pattern):
        return contains
    if REPEATED.search(pattern):
        return contains
    ends = pattern.endswith("$")
    found = re.compile(pattern[:-1] + r"\Z" if ends else pattern).search
    return lambda value: found(value) is not None if len(value) <= SHORT else contains(value)
