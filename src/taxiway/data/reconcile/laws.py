"""Laws between numbers of two columns: a factor, an offset, a logarithm, a power.

`law_of(x, y)` looks for the simplest law by which x follows from y on nearly all matched rows. A
row is explained if the law misses it by no more than the rounding of either column. Fits are
medians over rows or pairs of rows, so that a third of wrong rows doesn't move them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from taxiway.data.reconcile.digits import steps_of
from taxiway.data.reconcile.forms import Floats
from taxiway.data.reconcile.ranks import rank_correlation
from taxiway.data.reconcile.units import KNOWN, SCALES, TENS
from taxiway.data.reconcile.views import Flags

EXPLAINED = 0.95
FEWEST = 12
"""Rows below which nothing is concluded."""
MONOTONE = 0.8
"""Rank correlation below which no law explains nearly all rows."""
CLOSE = 2e-6
"""Relative miss that is no miss."""
NEARLY_ALL = 0.99
"""Share of rows that a law which people know explains, so that no other one is looked for."""
NEARER = 0.7
"""How far a law may be from rows, of what another one is, for that to be the better one."""

POWERS: dict[str, tuple[Callable[[Floats], Floats], Callable[[Floats], Floats]]] = {
    "log": (np.log, lambda y: 1 / y),
    "exp": (np.exp, np.exp),
    "log1p": (np.log1p, lambda y: 1 / (1 + y)),
    "expm1": (np.expm1, np.exp),
    "inverse": (lambda y: 1 / y, lambda y: -1 / y**2),
    "logit": (lambda y: np.log(y / (1 - y)), lambda y: 1 / (y * (1 - y))),
    "sigmoid": (lambda y: 1 / (1 + np.exp(-y)), lambda y: np.exp(-y) / (1 + np.exp(-y)) ** 2),
    "square": (np.square, lambda y: 2 * y),
    "sqrt": (np.sqrt, lambda y: 0.5 / np.sqrt(y)),
}
"""Function of y -> itself and how steep it is."""
WITHIN: dict[str, Callable[[Floats], Flags]] = {
    "log": lambda y: y > 0,
    "log1p": lambda y: y > -1,
    "inverse": lambda y: y != 0,
    "logit": lambda y: (y > 0) & (y < 1),
    "sigmoid": lambda y: np.abs(y) < 300,
    "sqrt": lambda y: y >= 0,
    "exp": lambda y: np.abs(y) < 300,
    "expm1": lambda y: np.abs(y) < 300,
}


@dataclass(frozen=True, slots=True)
class Law:
    """x = factor * function(y) + offset."""

    factor: float
    offset: float
    function: str
    """Empty, or a name of `POWERS`."""
    explained: float
    spread: float
    """How far rows are from the law, relative to x: the median miss."""
    rows: int
    noisy: bool = False
    """Whether rows follow it only about."""

    @property
    def is_identity(self) -> bool:
        return not self.function and self.factor == 1 and self.offset == 0

    @property
    def is_plain(self) -> bool:
        """Whether it is one that people know."""
        whole = self.factor.is_integer() or (1 / self.factor).is_integer()
        return not self.function and (bool(said(self)) or (not self.offset and whole))

    def of(self, y: Floats) -> Floats:
        with np.errstate(all="ignore"):
            return self.factor * (POWERS[self.function][0](y) if self.function else y) + self.offset


def law_of(x: Floats, y: Floats) -> Law | None:
    """The simplest law by which x follows from y on nearly all rows where both are numbers.

    None if there is none, or too little to tell: few rows, or fewer than three values.
    """
    with np.errstate(all="ignore"):
        both = np.isfinite(x) & np.isfinite(y)
        x, y = x[both], y[both]
        if len(x) < FEWEST or min(len(np.unique(x)), len(np.unique(y))) < 3:
            return None
        steps = (steps_of(x), steps_of(y))
        telling = _telling(x, y)
        best: Law | None = None
        fitting: Law | None = None
        for function in ("scale", "", *POWERS):
            law = _scaled(x, y, steps) if function == "scale" else _shifted(x, y, steps, function)
            if function == "scale" and abs(rank_correlation(x, y)) < MONOTONE:
                return law if law and law.explained < EXPLAINED else fitting
            if law and law.explained >= EXPLAINED and _tells(law, x, y, steps, telling):
                if law.explained >= NEARLY_ALL and law.is_plain:
                    return law
                fitting = law if fitting is None or _is_closer(law, fitting) else fitting
            best = _better(best, law)
        return fitting or (best if best and best.explained < EXPLAINED else None)


def _is_closer(law: Law, than: Law) -> bool:
    """Whether a less simple law is the right one: a narrow range looks straight, and its rounding
    hides by how much it is not."""
    if law.explained < than.explained - 0.002:
        return False
    nearer = than.spread > CLOSE and law.spread < 0.3 * than.spread
    return nearer or law.explained > than.explained + 0.005


def _telling(x: Floats, y: Floats) -> Flags:
    """Rows that are not just the most frequent value on both sides."""
    frequent = []
    for side in (x, y):
        values, counts = np.unique(side, return_counts=True)
        frequent.append(side == values[counts.argmax()])
    telling: Flags = ~(frequent[0] & frequent[1])
    return telling


def _tells(law: Law, x: Floats, y: Floats, steps: tuple[Floats, Floats], telling: Flags) -> bool:
    """Whether a law holds where there is something to explain, too."""
    if telling.sum() < 3:
        return False
    miss = np.abs(x - law.of(y))[telling]
    allowed = np.minimum(_allowed(x, y, steps, law.factor, law.function), 0.4 * _scale(x))[telling]
    allowed = np.maximum(allowed, CLOSE * np.abs(x[telling]) + 1e-12)
    return float((miss <= allowed).mean()) >= 0.9


def _better(best: Law | None, law: Law | None) -> Law | None:
    if law is None or (best is not None and best.explained >= law.explained):
        return best
    return law


def _scaled(x: Floats, y: Floats, steps: tuple[Floats, Floats]) -> Law | None:
    """x = factor * y."""
    some = (x != 0) & (y != 0)
    if some.sum() < FEWEST or len(np.unique(y[some])) < 3:
        return None
    # Large values tell a factor better than small ones, which are rounded more.
    large = np.abs(y) >= np.median(np.abs(y[some]))
    factor = float(np.median(x[large & some] / y[large & some]))
    for _ in range(2):
        near = some & (np.abs(x - factor * y) <= _allowed(x, y, steps, factor, "") * 2)
        if near.sum() >= FEWEST:
            factor = float((x[near] * y[near]).sum() / (y[near] ** 2).sum())
    return _best_of(x, y, steps, [(nicer, 0.0) for nicer in (*_nice(factor), factor)], "")


def _shifted(x: Floats, y: Floats, steps: tuple[Floats, Floats], function: str = "") -> Law | None:
    """x = factor * function(y) + offset."""
    if function in WITHIN:
        inside = WITHIN[function](y)
        if inside.mean() < EXPLAINED or len(np.unique(y[inside])) < 3:
            return None
        outside = ~inside
    else:
        outside = np.zeros(len(y), np.bool_)
    h = POWERS[function][0](y) if function else y
    sound = ~outside & np.isfinite(h)
    if sound.sum() < FEWEST:
        return None
    fitted = _line(x[sound], h[sound])
    if fitted is None:
        return None
    factor, offset = fitted
    for _ in range(3):
        miss = np.abs(x - factor * h - offset)
        near = sound & (
            miss <= np.maximum(_allowed(x, y, steps, factor, function) * 2, np.median(miss[sound]))
        )
        if near.sum() < FEWEST or h[near].std() == 0:
            break
        factor, offset = _least_squares(x[near], h[near])
    step, spread = float(np.median(steps[0])), _scale(x)
    pairs = [(nice, _offset(x, h, sound, nice)) for nice in (*_nice(factor), factor)]
    nicer = [(f, nice) for f, o in pairs for nice in (*_nice_offsets(o, f, step, spread), o)] + [
        (factor, offset)
    ]
    return _best_of(x, y, steps, nicer, function)


def _offset(x: Floats, h: Floats, sound: Flags, factor: float) -> float:
    return float(np.median((x - factor * h)[sound]))


def _nice_offsets(offset: float, factor: float, step: float, spread: float) -> list[float]:
    found = [0.0] if abs(offset) <= max(step, 1e-3 * spread) else []
    found += [
        o
        for (f, o) in SCALES
        if abs(f - factor) < 1e-9 and abs(o - offset) <= max(step, 0.02 * abs(o))
    ]
    scale = max(step, 1e-9 * max(1.0, abs(offset)))
    found += [float(round(offset))] if abs(round(offset) - offset) <= scale else []
    return found + ([round(offset, 2)] if abs(round(offset, 2) - offset) <= scale / 2 else [])


def _line(x: Floats, h: Floats) -> tuple[float, float] | None:
    """Slope and offset as medians over pairs of rows that are far apart."""
    order = np.argsort(h, kind="stable")
    half = len(order) // 2
    slopes = []
    for apart in (half, len(order) // 3):
        low, high = order[: len(order) - apart], order[apart:]
        far = h[high] - h[low]
        slopes.append(((x[high] - x[low])[far > 0]) / far[far > 0])
    every = np.concatenate(slopes)
    every = every[np.isfinite(every)]
    if len(every) < FEWEST:
        return None
    slope = float(np.median(every))
    if slope == 0:
        return None
    return slope, float(np.median(x - slope * h))


def _least_squares(x: Floats, h: Floats) -> tuple[float, float]:
    middle, centre = float(x.mean()), float(h.mean())
    slope = float(((x - middle) * (h - centre)).sum() / ((h - centre) ** 2).sum())
    return slope, middle - slope * centre


def _nice(factor: float) -> list[float]:
    """Factors that people know, near one that was estimated."""
    known = [1.0, -1.0, *TENS, 1.8, 5 / 9]
    known += [sign * k for k in (*KNOWN, *(1 / k for k in KNOWN)) for sign in (1, -1)]
    whole = [float(round(factor))] if abs(factor) >= 2 else []
    part = [1 / round(1 / factor)] if 0 < abs(factor) <= 0.5 else []
    every = [*known, *(-ten for ten in TENS), *whole, *part]
    near = [k for k in every if abs(factor / k - 1) < 0.004]
    return sorted(set(near), key=lambda k: abs(factor / k - 1))


def _allowed(
    x: Floats, y: Floats, steps: tuple[Floats, Floats], factor: float, function: str
) -> Floats:
    """How far a row may be from a law: what the rounding of either side explains."""
    steep = np.abs(factor * (POWERS[function][1](y) if function else np.ones_like(y)))
    return 0.5001 * steps[0] + 0.5001 * steps[1] * steep + CLOSE * np.abs(x)


def _best_of(
    x: Floats,
    y: Floats,
    steps: tuple[Floats, Floats],
    candidates: list[tuple[float, float]],
    function: str,
) -> Law | None:
    """The law of the candidates that explains most rows; of equals, the first that is near."""
    spread = _scale(x)
    best: tuple[Law, float] | None = None
    for factor, offset in candidates:
        if not np.isfinite(factor) or not np.isfinite(offset) or factor == 0:
            continue
        law = Law(factor, offset, function, 0.0, 0.0, len(x))
        miss = np.abs(x - law.of(y))
        # The rounding counts only where it is small beside what there is to explain.
        allowed = np.minimum(_allowed(x, y, steps, factor, function), 0.4 * spread)
        allowed = np.maximum(allowed, CLOSE * np.abs(x) + 1e-12)
        explained = float((miss <= allowed).mean())
        size = np.maximum(np.abs(x), 1e-300)
        found = Law(factor, offset, function, explained, float(np.median(miss / size)), len(x))
        beyond = float(np.median(np.maximum(0.0, miss - CLOSE * np.abs(x))))
        if (
            best is None
            or explained > best[0].explained + 0.002
            or (
                # Rounding hides a wrong law as well as a right one, but the right one is nearer.
                explained > best[0].explained - 0.002 and beyond < NEARER * best[1]
            )
        ):
            best = found, beyond
    return best[0] if best else None


def _scale(x: Floats) -> float:
    low, high = np.quantile(x, [0.1, 0.9])
    return float(high - low) / 2.56 or float(x.std()) or 1.0


def about(x: Floats, y: Floats) -> Law | None:
    """A factor that rows follow only about, by the median of the ratios; None if they don't."""
    with np.errstate(all="ignore"):
        some = np.isfinite(x) & np.isfinite(y) & (x != 0) & (y != 0)
        if some.sum() < 20:
            return None
        x, y = x[some], y[some]
        if max((np.sign(x) == np.sign(y)).mean(), (np.sign(x) != np.sign(y)).mean()) < EXPLAINED:
            return None
        ratios = np.log(np.abs(x / y))
        middle = float(np.median(ratios))
        spread = 1.4826 * float(np.median(np.abs(ratios - middle)))
        if spread > 0.25:
            return None
        sign = 1.0 if (np.sign(x) == np.sign(y)).mean() >= EXPLAINED else -1.0
        factor = sign * float(np.exp(middle))
        close = float((np.abs(ratios - middle) <= 3 * spread + 1e-6).mean())
        nicer = [k for k in _nice(factor) if abs(np.log(abs(factor / k))) < spread]
        # Two narrow columns have a steady ratio, whatever they are; a power of ten tells more.
        ten = bool(nicer) and nicer[0] in TENS and spread < 0.05
        if abs(rank_correlation(x, y)) < (0.0 if ten else 0.7):
            return None
        return Law(nicer[0] if nicer else factor, 0.0, "", close, spread, len(x), noisy=True)


def said(law: Law) -> str:
    """What a law may be, in words; empty if nobody knows."""
    if law.function:
        return ""
    if law.offset == 0:
        for factor in (law.factor,):
            for known, (ours, others) in KNOWN.items():
                if ours and abs(factor / known - 1) < 1e-3:
                    return f"{ours} and {others}"
                if ours and abs(factor * known - 1) < 1e-3:
                    return f"{others} and {ours}"
        if abs(law.factor) in (100.0, 0.01):
            return "percent and fraction, or cents and whole units"
        if abs(law.factor) in (1000.0, 0.001):
            return "thousands and ones"
        return "the other sign" if law.factor == -1 else ""
    for (factor, offset), words in SCALES.items():
        if abs(law.factor / factor - 1) < 1e-3 and abs(law.offset - offset) <= 0.02 * abs(offset):
            return words
    return "" if law.factor != 1 else "another zero"
