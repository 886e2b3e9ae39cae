"""What a column's name says about persons: words of several languages, matched as whole words."""

from __future__ import annotations

import re
from collections.abc import Mapping

NAMES: Mapping[str, tuple[str, ...]] = {
    "person name": (
        "first name", "last name", "full name", "surname", "forename", "given name", "family name",
        "middle name", "maiden name", "firstname", "lastname", "fullname", "customer name",
        "user name", "client name", "patient name", "employee name", "holder name", "cardholder",
        "contact name",
        "vorname", "nachname", "prenom", "prénom", "nom de famille", "apellido", "apellidos",
        "cognome", "achternaam", "voornaam", "imie", "nazwisko",
    ),
    "email": ("email", "e mail", "mail address", "correo", "courriel"),
    "phone": (
        "phone", "telephone", "tel", "mobile", "cell phone", "phone number", "telefon", "telefono",
        "fax", "msisdn", "handynummer",
    ),
    "address": (
        "street", "address", "address line", "house number", "strasse", "straße", "hausnummer",
        "adresse", "direccion", "indirizzo", "rue", "anschrift",
    ),
    "postal code": (
        "zip", "zip code", "zipcode", "postcode", "postal code", "plz", "code postal",
        "postleitzahl",
    ),
    "birth date": (
        "birth date", "birthdate", "date of birth", "dob", "birthday", "birth day", "year of birth",
        "birth year", "geburtsdatum", "geburtstag", "date de naissance", "fecha de nacimiento",
    ),
    "national id": (
        "ssn", "social security", "social security number", "national id", "nino", "nhs number",
        "tax id", "tin", "passport", "passport number", "driving licence", "driver license",
        "license number", "steuer id", "sozialversicherungsnummer", "dni", "nif", "nie", "cpf",
        "aadhaar", "bsn", "pesel", "personnummer", "codice fiscale", "identity number",
    ),
    "bank account": ("iban", "bank account", "account holder", "kontonummer", "bban", "sort code"),
    "card": ("card number", "credit card", "creditcard", "pan", "cvv", "cvc", "cc number"),
    "ip address": ("ip", "ip address", "ip addr", "client ip", "remote addr"),
    "location": ("gps", "latitude longitude", "geolocation", "home location"),
    "device": ("imei", "mac address", "device id", "advertising id", "idfa"),
}  # fmt: skip
"""Kind -> words that name it. Several words stand side by side in that order."""

PROTECTED: Mapping[str, tuple[str, ...]] = {
    "sex": ("sex", "gender", "geschlecht", "sexe", "sexo", "female", "male", "is female"),
    "age": ("age", "alter", "age group", "age band", "birth year", "year of birth", "dob",
            "date of birth", "birthdate"),
    "race": ("race", "ethnicity", "ethnic", "ethnic group", "hispanic", "hispan", "latino",
             "latina", "afam", "african american", "skin color",
             "black", "white", "asian"),
    "religion": ("religion", "faith", "denomination", "konfession"),
    "nationality": ("nationality", "citizenship", "country of birth", "foreign worker",
                    "immigrant", "staatsangehoerigkeit", "place of birth", "birth country"),
    "disability": ("disability", "disabled", "handicap", "behinderung"),
    "marital status": ("marital status", "marital", "married", "marriage", "familienstand",
                       "civil status", "personal status", "single", "spouse"),
    "caste": ("caste",),
    "veteran": ("veteran", "military service"),
    "pregnancy": ("pregnant", "pregnancy", "maternity"),
    "orientation": ("sexual orientation", "orientation"),
    "politics": ("political", "party membership", "trade union", "union member"),
    "health": ("diagnosis", "health status", "illness", "disease"),
}  # fmt: skip
"""Attribute that the law protects -> words that name it (Directive 2000/43/EC, 2000/78/EC and
2004/113/EC; US Equal Credit Opportunity Act, 15 U.S.C. 1691)."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+", re.UNICODE)


def words_of(name: str) -> list[str]:
    """A column's name as words, from any way of joining them.

    >>> words_of("customerBirthDate"), words_of("Home_ZIP-code")
    (['customer', 'birth', 'date'], ['home', 'zip', 'code'])
    """
    return [word.lower() for word in _WORD.findall(name)]


def named(name: str, table: Mapping[str, tuple[str, ...]] = NAMES) -> str | None:
    """The kind that a column's name speaks of, by the longest of its words; None if none.

    >>> named("date_of_birth"), named("product_name"), named("shipping")
    ('birth date', None, None)
    """
    own = " ".join(words_of(name))
    best = ""
    kind = None
    for one, phrases in table.items():
        for phrase in phrases:
            if len(phrase) > len(best) and f" {phrase} " in f" {own} ":
                best, kind = phrase, one
    return kind
