"""Units that people know, by the factor and the offset between them."""

from __future__ import annotations

KNOWN = {
    1.609344: ("kilometres", "miles"),
    0.3048: ("metres", "feet"),
    2.54: ("centimetres", "inches"),
    25.4: ("millimetres", "inches"),
    0.9144: ("metres", "yards"),
    1.852: ("kilometres", "nautical miles"),
    0.45359237: ("kilograms", "pounds"),
    28.349523125: ("grams", "ounces"),
    3.785411784: ("litres", "US gallons"),
    4.54609: ("litres", "imperial gallons"),
    4.184: ("joules", "calories"),
    0.0689476: ("bar", "psi"),
    6.894757: ("kilopascals", "psi"),
    33.863886: ("hectopascals", "inches of mercury"),
    1.333224: ("hectopascals", "millimetres of mercury"),
    0.514444: ("metres a second", "knots"),
    0.44704: ("metres a second", "miles an hour"),
    0.868976: ("knots", "miles an hour"),
    3.6: ("kilometres an hour", "metres a second"),
    2.589988: ("square kilometres", "square miles"),
    0.40468564: ("hectares", "acres"),
    0.09290304: ("square metres", "square feet"),
    0.0174532925: ("radians", "degrees"),
    745.699872: ("watts", "horsepower"),
    60.0: ("seconds", "minutes"),
    3600.0: ("seconds", "hours"),
    24.0: ("hours", "days"),
    1440.0: ("minutes", "days"),
    86400.0: ("seconds", "days"),
    7.0: ("days", "weeks"),
    12.0: ("months", "years"),
    365.25: ("days", "years"),
    1024.0: ("", ""),
    1048576.0: ("", ""),
}
"""Factor -> what x and y may be, if x is so many times y."""


TENS = tuple(10.0**power for power in range(-9, 10) if power)


SCALES = {
    (1.8, 32.0): "degrees Fahrenheit and Celsius",
    (5 / 9, -160 / 9): "degrees Celsius and Fahrenheit",
    (1.0, 273.15): "kelvin and degrees Celsius",
    (1.0, -273.15): "degrees Celsius and kelvin",
    (1.8, -459.67): "degrees Fahrenheit and kelvin",
    (5 / 9, 255.372222): "kelvin and degrees Fahrenheit",
    (-1.0, 1.0): "a share and its complement",
    (-1.0, 100.0): "a percentage and its complement",
}
"""(factor, offset) with x = factor * y + offset -> what they may be."""
