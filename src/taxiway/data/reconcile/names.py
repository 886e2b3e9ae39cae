"""How much two names of columns have in common: a hint, and never more than that."""

from __future__ import annotations

import re
from functools import cache

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W\d_]+")
PERSONAL = frozenset(
    {
        "name",
        "firstname",
        "lastname",
        "surname",
        "forename",
        "mail",
        "email",
        "phone",
        "mobile",
        "fax",
        "iban",
        "bic",
        "ssn",
        "passport",
        "tax",
        "birth",
        "birthday",
        "dob",
        "address",
        "street",
        "account",
        "card",
        "user",
        "username",
        "login",
        "ip",
        "person",
        "patient",
        "employee",
        "nom",
        "vorname",
        "nachname",
        "geburtsdatum",
        "telefon",
        "strasse",
        "adresse",
        "plate",
    }
)
"""Words in the name of a column of which no value is shown."""


@cache
def words(name: str) -> frozenset[str]:
    """The words of a name, in small letters.

    >>> sorted(words("schedDepTime_utc"))
    ['dep', 'sched', 'time', 'utc']
    """
    return frozenset(word.lower() for word in _WORDS.findall(name)) or frozenset({name})


@cache
def plain(name: str) -> str:
    """A name without what people write differently.

    >>> plain("Dep_Time ") == plain("depTime")
    True
    """
    return "".join(c for c in name.casefold() if c.isalnum()) or name


def alike(left: str, right: str) -> float:
    """From 0 to 1."""
    if plain(left) == plain(right):
        return 1.0
    ours, others = words(left), words(right)
    shared = {one for one in ours if any(_begins(one, other) for other in others)}
    return len(shared) / max(len(ours), len(others))


def _begins(one: str, other: str) -> bool:
    """Whether two words are the same, or one is the other cut short."""
    short, long = sorted((one, other), key=len)
    return one == other or (len(short) >= 3 and long.startswith(short))


def is_personal(name: str) -> bool:
    """Whether a column is called like one that tells of a person.

    >>> is_personal("customer_email"), is_personal("distance")
    (True, False)
    """
    return bool(words(name) & PERSONAL)
