"""Personal data are told by check digits and words, and what only looks like them is not."""

from __future__ import annotations

import random
from collections.abc import Callable

import polars as pl
import pytest
from stdnum import iban, luhn
from stdnum.de import idnr
from stdnum.gb import nhs
from stdnum.nl import bsn
from stdnum.pl import pesel

from taxiway.core.contract import Column, Contract
from taxiway.data.privacy.names import PROTECTED, named, words_of
from taxiway.data.privacy.personal import SURE, privacy

ROWS = 300
DRAW = random.Random(5)


def digits(count: int) -> str:
    return DRAW.choice("123456789") + "".join(DRAW.choice("0123456789") for _ in range(count - 1))


def valid(length: int, is_valid: Callable[[str], bool]) -> Callable[[], str]:
    def draw() -> str:
        return next(text for _ in iter(int, 1) if is_valid(text := digits(length)))

    return draw


def account() -> str:
    plain = "DE00" + digits(18)
    return "DE" + iban.calc_check_digits(plain) + plain[4:]


def card() -> str:
    plain = "4" + digits(14)
    return plain + luhn.calc_check_digit(plain)


def spaced(draw: Callable[[], str]) -> Callable[[], str]:
    def blank() -> str:
        text = draw()
        return " ".join(text[at : at + 4] for at in range(0, len(text), 4))

    return blank


def person() -> str:
    day, number = (
        f"{DRAW.randrange(50, 99)}{DRAW.randrange(1, 13):02}{DRAW.randrange(1, 29):02}",
        digits(4),
    )
    return day + number + pesel.calc_check_digit(day + number)


HELD = {
    "bank account (IBAN)": (account, spaced(account)),
    "card number": (card, spaced(card)),
    "national id (NL)": (valid(9, bsn.is_valid),),
    "national id (PL)": (person,),
    "national id (GB)": (valid(10, nhs.is_valid),),
    "national id (DE)": (valid(11, idnr.is_valid),),
    "email": (lambda: f"{digits(5)}@example.org",),
    "phone": (
        lambda: f"+44 20 7946 {digits(4)}",
        lambda: f"({DRAW.randrange(201, 989)}) 555-{digits(4)}",
        lambda: f"{DRAW.randrange(201, 989)}-{DRAW.randrange(200, 999)}-{digits(4)}",
        lambda: f"06 {digits(2)} {digits(2)} {digits(2)} {digits(2)}",
        lambda: f"0{DRAW.randrange(151, 179)}/{digits(7)}",
    ),
    "ip address": (lambda: f"10.{digits(2)}.{digits(1)}.{digits(2)}",),
    "national insurance number (GB)": (lambda: f"AB {digits(2)} {digits(2)} {digits(2)} C",),
    "social security number (US)": (lambda: f"{DRAW.randrange(100, 599)}-{digits(2)}-{digits(4)}",),
}


@pytest.mark.parametrize(
    ("kind", "draw"), [(kind, draw) for kind, draws in HELD.items() for draw in draws]
)
def test_values_say_what_they_are(kind: str, draw: Callable[[], str]) -> None:
    (found,) = privacy(pl.DataFrame({"x": [draw() for _ in range(ROWS)]})).personal
    assert (found.kind, found.confidence, found.how) == (kind, SURE, "values")


def test_numbers_say_it_too_without_the_zeros_in_front() -> None:
    short = valid(9, lambda text: bsn.is_valid(f"0{text[1:]}"))
    numbers = [int(short()[1:]) for _ in range(ROWS // 2)]
    numbers += [int(valid(9, bsn.is_valid)()) for _ in range(ROWS // 2)]
    (found,) = privacy(pl.DataFrame({"x": numbers})).personal
    assert found.kind == "national id (NL)"


@pytest.mark.parametrize("length", [8, 9, 10, 11, 12, 13, 16])
def test_random_numbers_are_nobodys(length: int) -> None:
    texts = [digits(length) for _ in range(ROWS)]
    frame = pl.DataFrame({"x": texts, "y": [int(text) for text in texts]})
    assert privacy(frame).personal == ()


@pytest.mark.parametrize(
    "values",
    [
        [f"1.2.3.{n % 3}" for n in range(ROWS)],  # versions
        [1_577_836_800_000 + 977 * n for n in range(ROWS)],  # milliseconds
        [f"A{n:06}" for n in range(ROWS)],
        [1_700_000_000 + 9_973 * n for n in range(ROWS)],  # seconds, which begin as days do
        [f"{digits(3)}-{digits(2)}-{digits(4)}" for _ in range(ROWS)],  # parts
        [f"{digits(3)}-{digits(3)}-{digits(4)}" for _ in range(ROWS)],
        [f"{digits(1)}.{digits(1)}.{digits(2)}.{digits(3)}" for _ in range(ROWS)],  # builds
        [f"0.{digits(15)}" for _ in range(ROWS)],
        [f"{n % 24:02}:{n % 60:02}" for n in range(ROWS)],
        ["@here see 4.2"] * ROWS,
        [None] * ROWS,
        [True, False] * (ROWS // 2),
        [0.1 * n for n in range(ROWS)],
    ],
)
def test_what_only_looks_like_it_is_left_alone(values: list[object]) -> None:
    assert privacy(pl.DataFrame({"x": values}, strict=False)).personal == ()


def test_texts_are_looked_into() -> None:
    notes = [
        f"please write to {digits(4)}@example.org" if n % 20 == 0 else "nothing to be said of it"
        for n in range(ROWS)
    ]
    (found,) = privacy(pl.DataFrame({"note": notes})).personal
    assert (found.kind, found.how, found.rows) == ("email", "inside its texts", ROWS // 20)


def test_numbers_with_check_digits_are_found_in_texts() -> None:
    notes = [f"the caller, {person()}, asks about order {digits(11)}" for _ in range(ROWS // 2)]
    orders = [f"nobody called about order {digits(11)}" for _ in range(ROWS)]
    kinds = [
        [one.kind for one in privacy(pl.DataFrame({"note": texts})).personal]
        for texts in ([note.split(", asks")[0] for note in notes], orders)
    ]
    assert kinds == [["national id (PL)"], []]


def test_a_number_that_a_table_of_places_does_not_know_ends_in_no_error() -> None:
    odd = pl.DataFrame({"x": [f"99{digits(16)}" for _ in range(ROWS)]})
    ids = pl.DataFrame({"x": [710_000_190_001_010_000 + n for n in range(ROWS)]})
    assert (privacy(odd).personal, privacy(ids).personal) == ((), ())


def test_a_name_is_contradicted_by_small_numbers() -> None:
    frame = pl.DataFrame(
        {
            "pan_day": [n % 90 for n in range(ROWS)],
            "ip": [0.5 * n for n in range(ROWS)],
            "driver_license": [float(n % 2) for n in range(ROWS)],
        }
    )
    assert privacy(frame).personal == ()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("first_name", "person name"),
        ("CustomerLastName", "person name"),
        ("date-of-birth", "birth date"),
        ("Geburtsdatum", "birth date"),
        ("home ZIP code", "postal code"),
        ("passport_number", "national id"),
        ("email", "email"),
        ("product_name", None),
        ("shipping", None),
        ("zipped", None),
        ("expanded", None),
        ("description", None),
        ("phonetic", None),
        ("pane", None),
    ],
)
def test_names_are_read_as_words(name: str, kind: str | None) -> None:
    assert named(name) == kind


@pytest.mark.parametrize(
    ("name", "attribute"),
    [("Gender", "sex"), ("age_years", "age"), ("page", None), ("mileage", None), ("race", "race"),
     ("traces", None), ("maritalStatus", "marital status"), ("agency", None)],
)  # fmt: skip
def test_protected_attributes_are_read_as_words(name: str, attribute: str | None) -> None:
    assert named(name, PROTECTED) == attribute


def test_every_word_of_the_tables_finds_itself() -> None:
    for phrase in (p for phrases in PROTECTED.values() for p in phrases):
        assert named(phrase.replace(" ", "_"), PROTECTED), phrase
    assert words_of("customerID2") == ["customer", "id", "2"]


def test_a_flag_that_something_was_sent_is_not_the_thing() -> None:
    frame = pl.DataFrame({"email": [True, False] * 50, "phone": [0, 1] * 50})
    assert privacy(frame).personal == ()


def test_marked_columns_are_no_news() -> None:
    contract = Contract(
        id="t", version="1", description="", table="t",
        columns=(Column("x", "string", personal=True), Column("sex", "string", protected=True)),
        moments=("now",), decision_at="now", event_time="x",
    )  # fmt: skip
    frame = pl.DataFrame({"x": [account() for _ in range(ROWS)], "sex": ["f", "m"] * (ROWS // 2)})
    found = privacy(frame, contract)
    assert found.unmarked == ()
    assert found.protected == (("sex", "sex", True),)
    assert len(privacy(frame).unmarked) == 1


def test_rows_that_stand_alone_are_counted() -> None:
    frame = pl.DataFrame(
        {
            "zip": ["10115"] * 8 + ["10117"] * 2,
            "birth_date": ["1980-01-01"] * 6 + ["1981-05-05"] * 2 + ["1990-01-01", "1991-01-01"],
            "sex": ["f", "m"] * 5,
        }
    )
    found = privacy(frame)
    assert set(found.quasi_identifiers) == {"zip", "birth_date", "sex"}
    # By hand: 3 and 3 of 1980 (fewer than five each), one each of the other four.
    assert (found.unique_rows, found.small_rows) == (4, 10)


def test_no_value_is_in_what_was_found() -> None:
    secrets = [account() for _ in range(ROWS)]
    frame = pl.DataFrame({"x": secrets, "email": [f"{one}@example.org" for one in secrets]})
    said = str(privacy(frame).found())
    assert not any(secret in said for secret in secrets)
