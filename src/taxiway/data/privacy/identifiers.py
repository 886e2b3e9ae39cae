"""Identifiers that check themselves: account, card and national numbers, by their check digits.

A checksum alone proves little: of random numbers of nine digits, one in eleven is a valid Dutch
BSN. So the values are held against numbers of the same shapes with random digits, and what is found
has to be valid far more often than those.
"""

from __future__ import annotations

import importlib
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from scipy import stats

SAMPLE = 1_000
"""Distinct values that are checked."""
FEWEST = 10
MOSTLY = 0.6
"""Share of the values that has to be valid."""
ODDS = 1e-6
"""Odds, at the rate of random numbers, below which validity is no chance."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """A numbering scheme: what values look like, and the module of `stdnum` that checks them."""

    kind: str
    module: str
    shape: str
    """A regular expression over the value without blanks, dots and dashes."""


SCHEMES: tuple[Scheme, ...] = (
    Scheme("bank account (IBAN)", "iban", r"[A-Z]{2}\d{2}[A-Z0-9]{10,30}"),
    Scheme("card number", "luhn", r"(?:3[0-9]|4[0-9]|5[0-9]|6[0-9]|2[2-7])\d{11,17}"),
    Scheme("national id (AT)", "at.vnr", r"\d{10}"),
    Scheme("national id (AU)", "au.tfn", r"\d{8,9}"),
    Scheme("national id (BE)", "be.nn", r"\d{11}"),
    Scheme("national id (BR)", "br.cpf", r"\d{11}"),
    Scheme("national id (CA)", "ca.sin", r"\d{9}"),
    Scheme("national id (CH)", "ch.ssn", r"756\d{10}"),
    Scheme("national id (CN)", "cn.ric", r"\d{17}[\dX]"),
    Scheme("national id (DE)", "de.idnr", r"\d{11}"),
    Scheme("national id (DK)", "dk.cpr", r"\d{10}"),
    Scheme("national id (ES)", "es.nif", r"[XYZKLM]?\d{7,8}[A-Z]"),
    Scheme("national id (FI)", "fi.hetu", r"\d{6}[A+-]?\d{3}[0-9A-Z]"),
    Scheme("national id (FR)", "fr.nir", r"[1-478]\d{5}[0-9AB]\d{6,8}"),
    Scheme("national id (GB)", "gb.nhs", r"\d{10}"),
    Scheme("national id (IE)", "ie.pps", r"\d{7}[A-W][A-IWTX]?"),
    Scheme("national id (IN)", "in_.aadhaar", r"[2-9]\d{11}"),
    Scheme("national id (IT)", "it.codicefiscale", r"[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]"),
    Scheme("national id (KR)", "kr.rrn", r"\d{13}"),
    Scheme("national id (MX)", "mx.curp", r"[A-Z]{4}\d{6}[A-Z]{6}[0-9A-Z]\d"),
    Scheme("national id (NL)", "nl.bsn", r"\d{8,9}"),
    Scheme("national id (NO)", "no.fodselsnummer", r"\d{11}"),
    Scheme("national id (PL)", "pl.pesel", r"\d{11}"),
    Scheme("national id (PT)", "pt.nif", r"\d{9}"),
    Scheme("national id (SE)", "se.personnummer", r"(?:\d{2})?\d{6}[-+]?\d{4}"),
    Scheme("national id (TR)", "tr.tckimlik", r"[1-9]\d{10}"),
    Scheme("national id (ZA)", "za.idnr", r"\d{13}"),
)

_JOINTS = re.compile(r"[\s./-]")


@dataclass(frozen=True, slots=True)
class Recognised:
    """A scheme whose check digits hold."""

    kind: str
    valid: float
    """Share of the values that are valid."""
    by_chance: float
    """Share of random values of the same shapes that are."""


def recognised(values: Sequence[str]) -> Recognised | None:
    """The scheme that distinct values follow; None if they follow none.

    >>> found = recognised(["GB33BUKB20201555555555", "DE89370400440532013000"] * 5)
    >>> found.kind, found.valid
    ('bank account (IBAN)', 1.0)
    """
    plain = [_JOINTS.sub("", value).upper() for value in values[:SAMPLE]]
    if len(plain) < FEWEST:
        return None
    best: Recognised | None = None
    for scheme in SCHEMES:
        of_shape = re.compile(scheme.shape)
        shaped = [at for at, value in enumerate(plain) if of_shape.fullmatch(value)]
        if len(shaped) < MOSTLY * len(plain):
            continue
        valid = _checker(scheme.module)
        hits = sum(valid(values[at]) for at in shaped)
        share = hits / len(plain)
        if share < MOSTLY:
            continue
        begin = _common([values[at] for at in shaped])
        control = sum(valid(_random_like(values[at], at, begin)) for at in shaped) / len(shaped)
        odds = stats.binomtest(hits, len(plain), min(max(control, 1e-3), 1.0), "greater").pvalue
        better = best is None or (share, -control) > (best.valid, -best.by_chance)
        if odds < ODDS and share >= 2 * control and better:
            best = Recognised(scheme.kind, share, control)
    return best


def _checker(module: str) -> Callable[[str], bool]:
    found: Callable[[str], bool] = importlib.import_module(f"stdnum.{module}").is_valid
    bare = module == "luhn"  # it has no form of its own, and takes digits only

    def valid(value: str) -> bool:
        try:
            return found(_JOINTS.sub("", value) if bare else value)
        except (LookupError, ValueError):  # of places and days that its tables don't have
            return False

    return valid


def _common(values: Sequence[str]) -> str:
    """What all values begin with."""
    pairs = zip(min(values), max(values), strict=False)
    return "".join(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _random_like(value: str, seed: int, begin: str) -> str:
    """A value of the same shape: each digit and capital another one, drawn by chance, but for what
    all values begin with. Seconds since 1970 all begin with 17, which is a day of any month."""
    draw = random.Random(f"{seed} {value}")  # noqa: S311 - a control, not a secret
    capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return begin + "".join(
        draw.choice("0123456789") if c.isdigit() else draw.choice(capitals) if c.isupper() else c
        for c in value[len(begin) :]
    )


INSIDE: Mapping[str, str] = {
    "email": r"[\w.+-]+@[\w-]+\.[\w.-]*[A-Za-z]{2,}",
    "phone": r"\+\d{1,3}[\s./-]?(?:\(?\d{1,4}\)?[\s./-]?){2,5}\d{2,4}"
    r"|\([2-9]\d{2}\) ?\d{3}-\d{4}\b|\b[2-9]\d{2}[-.][2-9]\d{2}[-.]\d{4}\b"
    r"|\b0\d(?:[ .]\d{2}){4}\b|\b0\d{2,4}/\d{5,8}\b",
    "ip address": r"\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b"
    r"|\b(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}\b",
    "bank account (IBAN)": r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b",
    "card number": r"\b(?:\d[ -]?){13,19}\b",
    "social security number (US)": r"\b(?:00[1-9]|0[1-9]\d|[1-578]\d{2}|6(?:[0-57-9]\d|6[0-57-9]))"
    r"-(?:0[1-9]|[1-9]\d)-(?:\d{3}[1-9]|\d{2}[1-9]0|\d[1-9]00|[1-9]000)\b",
    "national insurance number (GB)": r"\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?"
    r"(?:\d{2} ?){3}[A-D]\b",
}
"""Kind -> what it looks like where it stands, alone or inside a text."""

LIKE: Mapping[str, str] = {
    "phone": r"\b\d{3}[-.]\d{3}[-.]\d{4}\b",
    "ip address": r"\b\d+(?:\.\d+){3}\b",
    "social security number (US)": r"\b\d{3}-\d{2}-\d{4}\b",
    "national insurance number (GB)": r"\b[A-Z]{2} ?(?:\d{2} ?){3}[A-Z]\b",
}
"""Kind -> what other numbers look like that are written the same way, such as those of parts and
versions: some of them break the rules that all of the kind keep."""
RULES_HOLD = 0.97

TOKENS = r"\b[A-Z]{0,6}\d[\dA-Z]*(?:[./-]?[\dA-Z]+)*\b"
"""Words of a text that may be numbers with check digits."""

CHECKED = {"bank account (IBAN)": "iban", "card number": "luhn"}
"""Of those, what has check digits -> the module that knows them."""


def confirmed(kind: str, texts: Sequence[str]) -> int:
    """How many of some texts hold something of a kind whose check digits are right."""
    found = re.compile(INSIDE[kind])
    valid = _checker(CHECKED[kind])
    return sum(any(valid(match.group()) for match in found.finditer(text)) for text in texts)
