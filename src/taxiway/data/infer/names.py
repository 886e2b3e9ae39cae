"""What the name of a column says of it: its unit, whether it is a code, whose data it holds."""

from __future__ import annotations

import re

UNITS = {
    "km": "km", "kilometers": "km", "kilometres": "km", "mi": "mi", "miles": "mi", "meters": "m",
    "metres": "m", "cm": "cm", "mm": "mm", "ft": "ft", "feet": "ft", "inches": "in", "kg": "kg",
    "kgs": "kg", "grams": "g", "lb": "lb", "lbs": "lb", "oz": "oz", "celsius": "°C",
    "degc": "°C", "fahrenheit": "°F", "degf": "°F", "kelvin": "K", "pct": "%", "percent": "%",
    "percentage": "%", "eur": "EUR", "euro": "EUR", "euros": "EUR", "usd": "USD", "dollars": "USD",
    "gbp": "GBP", "chf": "CHF", "jpy": "JPY", "cents": "cents", "ms": "ms", "millis": "ms",
    "sec": "s", "secs": "s", "seconds": "s", "minutes": "min", "mins": "min", "hrs": "h",
    "hours": "h", "days": "d", "weeks": "weeks", "months": "months", "years": "years",
    "bps": "bps", "kwh": "kWh", "mwh": "MWh", "kw": "kW", "mw": "MW", "watts": "W", "volts": "V",
    "hpa": "hPa", "mbar": "mbar", "psi": "psi", "mph": "mph", "kmh": "km/h", "kph": "km/h",
    "knots": "kn", "latitude": "°", "longitude": "°", "lat": "°", "lon": "°", "lng": "°",
    "bytes": "B", "kb": "kB", "mb": "MB", "gb": "GB", "litres": "l", "liters": "l", "ml": "ml",
    "sqm": "m²", "sqft": "ft²", "ppm": "ppm",
}  # fmt: skip
"""Word in a name -> unit."""
ONLY_LAST = {"c": "°C", "f": "°F", "k": "K", "m": "m", "s": "s", "h": "h", "min": "min", "g": "g",
             "v": "V", "w": "W", "in": "in"}  # fmt: skip
"""Words that say a unit only at the end of a name of several."""
EXTREMES = frozenset(["max", "maximum", "avg", "average", "mean", "median", "std"])
WHOLE = {"age": "years"}

NATURAL = {
    "month": (1, 12), "day": (1, 31), "hour": (0, 24), "minute": (0, 60), "second": (0, 60),
    "weekday": (0, 7), "latitude": (-90, 90), "lat": (-90, 90), "longitude": (-180, 180),
    "lon": (-180, 180), "lng": (-180, 180), "pct": (0, 100), "percent": (0, 100),
    "percentage": (0, 100), "humidity": (0, 100), "humid": (0, 100), "age": (0, 130),
    "direction": (0, 360), "dir": (0, 360), "heading": (0, 360), "probability": (0, 1),
}  # fmt: skip
"""Last word of a name -> the limits that nature or the calendar sets."""

CODES = frozenset([
    "zip", "zipcode", "plz", "postal", "postcode", "phone", "tel", "telephone", "mobile", "fax",
    "fips", "icd", "naics", "sic", "nace", "ean", "isbn", "upc", "gtin", "sku", "iban", "bic",
    "swift", "isin", "cusip", "wkn", "ssn", "account", "accountno", "vin", "imei", "mcc",
])  # fmt: skip
"""Words of columns whose digits are no number, even where none begins with 0."""
IDENTIFIERS = frozenset([
    "id", "key", "uuid", "guid", "number", "no", "num", "nr", "code", "ref", "identifier",
])  # fmt: skip
EVENT = ("event", "timestamp", "time", "datetime", "date", "created", "at", "day", "ts", "when")


def words_of(name: str) -> list[str]:
    """The words of a name, however it is written.

    >>> words_of("tripDistance_km"), words_of("HTTPCode")
    (['trip', 'distance', 'km'], ['http', 'code'])
    """
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", name))
    return [word.lower() for word in re.split(r"[^0-9A-Za-zÀ-ÿ%]+", spaced) if word]


def unit_of(words: list[str], beside: frozenset[tuple[str, ...]] = frozenset()) -> str | None:
    """The unit that a name says, beside the words of the other columns' names.

    >>> unit_of(["trip", "distance", "km"]), unit_of(["m"]), unit_of(["length", "m"])
    ('km', None, 'm')
    >>> unit_of(["temp", "min"], frozenset([("temp", "max")]))
    """
    if len(words) == 1 and words[0] in WHOLE:
        return WHOLE[words[0]]
    found = [UNITS[word] for word in words if word in UNITS]
    if found:
        return found[-1]
    if len(words) < 2 or words[-1] not in ONLY_LAST:
        return None
    *first, last = words
    others = {one[-1] for one in beside if list(one[:-1]) == first} - {last}
    # `temp_min` beside `temp_max` is the least, `score_c` beside `score_a` the third.
    least = last == "min" and bool(others & EXTREMES)
    listed = len(last) == 1 and any(len(o) == 1 and o not in ONLY_LAST for o in others)
    return None if least or listed else ONLY_LAST[last]
