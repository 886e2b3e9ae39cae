"""Every error that taxiway raises on purpose, drawn as one tree with stable codes.

    TaxiwayError
    ├── InputError            TW-1  what a person gave is wrong: charter, contract, data, request
    ├── MissingError          TW-2  a thing that was named does not exist
    ├── RefusedError          TW-3  a rule says no: role, legal move, flight check
    ├── IntegrityError        TW-4  a digest, signature or chain does not hold
    ├── ConflictError         TW-5  somebody else changed it first
    ├── StoreError            TW-6  disk or database: full, read-only, away
    └── ExtraMissingError     TW-7  an optional part is not installed

A message says what, found against expected, where, and what to do next. An error carries all of its
problems at once, and its text stays bounded. The shells map codes to exit codes (`exit_code`) and
HTTP statuses; nothing else does.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SHOWN_PROBLEMS = 50
SHOWN_CHARACTERS = 200
SHOWN_IN_A_LINE = 1000


def shortened(value: object, limit: int = SHOWN_CHARACTERS) -> str:
    """The text of a value, cut to `limit` characters, so that no message grows with its input.

    >>> shortened("x" * 10, limit=4)
    'xxxx… (10 characters)'
    """
    text = str(value)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def close_match(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` most likely meant, or None.

    >>> close_match("ownrs", ["owners", "risk"])
    'owners'
    """
    if len(word) > SHOWN_CHARACTERS:  # it means none of them, and takes long to compare
        return None
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: what, found against expected, where, and what to do next."""

    what: str
    found: str | None = None
    expected: str | None = None
    where: str | None = None
    todo: str | None = None

    def __str__(self) -> str:
        what = shortened(self.what, SHOWN_IN_A_LINE)
        parts = [f"{shortened(self.where)}: {what}" if self.where else what]
        if self.expected is not None and self.found is not None:
            expected = shortened(self.expected, SHOWN_IN_A_LINE)
            parts.append(f"expected {expected}, found {shortened(self.found)}")
        elif self.expected is not None:
            parts.append(f"expected {shortened(self.expected, SHOWN_IN_A_LINE)}")
        elif self.found is not None:
            parts.append(f"found {shortened(self.found)}")
        text = "; ".join(parts)
        return f"{text}. {shortened(self.todo, SHOWN_IN_A_LINE)}" if self.todo else text


class TaxiwayError(Exception):
    """The root of the tree: a headline and the problems behind it."""

    code = "TW-0"
    exit_code = 1

    def __init__(
        self, headline: str, problems: Sequence[Problem] = (), *, todo: str | None = None
    ) -> None:
        self.headline = headline
        self.problems = tuple(problems)
        self.todo = todo
        super().__init__(headline)

    def __str__(self) -> str:
        lines = [shortened(self.headline, SHOWN_IN_A_LINE)]
        lines += [f"  - {problem}" for problem in self.problems[:SHOWN_PROBLEMS]]
        if len(self.problems) > SHOWN_PROBLEMS:
            lines.append(f"  … and {len(self.problems) - SHOWN_PROBLEMS} more")
        if self.todo:
            lines.append(shortened(self.todo, SHOWN_IN_A_LINE))
        return "\n".join(lines)


class InputError(TaxiwayError):
    """What a person gave is wrong: a charter, a contract, data, a request, an option."""

    code = "TW-1"
    exit_code = 2


class MissingError(TaxiwayError):
    """A thing that was named does not exist."""

    code = "TW-2"
    exit_code = 3

    @classmethod
    def named(
        cls, what: str, name: str, known: Iterable[str], *, todo: str | None = None
    ) -> MissingError:
        """The error for a name that is not there, with the close match or the known names."""
        names = list(known)
        match = close_match(name, names)
        if match:
            hint = f"Did you mean {match!r}?"
        elif names:
            hint = f"Known: {shortened(', '.join(names))}."
        else:
            hint = f"There is no {what} yet."
        return cls(f"No {what} named {shortened(name)!r}. {hint}", todo=todo)


class RefusedError(TaxiwayError):
    """A rule says no: a role, a legal move, a flight check that is not clear."""

    code = "TW-3"
    exit_code = 4


class IntegrityError(TaxiwayError):
    """A digest, a signature or the ledger's chain does not hold."""

    code = "TW-4"
    exit_code = 5


class ConflictError(TaxiwayError):
    """Somebody else changed it first; nothing was written."""

    code = "TW-5"
    exit_code = 6


class StoreError(TaxiwayError):
    """The disk or the database can't take it: full, read-only, locked, away."""

    code = "TW-6"
    exit_code = 7


class ExtraMissingError(TaxiwayError):
    """An optional part of taxiway is not installed; the message holds the install command."""

    code = "TW-7"
    exit_code = 8

    @classmethod
    def of(cls, extra: str, module: str) -> ExtraMissingError:
        return cls(
            f"This needs the package {module!r}, which is not installed.",
            todo=f"Install it with: pip install 'taxiway[{extra}]'",
        )
