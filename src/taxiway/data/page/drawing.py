"""Histograms as SVG: of one source, or of two over each other."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT, LEFT, BOTTOM = 420, 130, 4, 18
LONGEST = 26
"""Characters of a label."""


def histogram(
    label: str, ticks: Sequence[str], one: Sequence[float], two: Sequence[float] | None = None
) -> str:
    """Bars side by side without gaps: the second series is an outline over the first.

    `ticks` stand below the first bin, the middle and the last; heights are shares.
    """
    if not one:
        return ""
    most = max([*one, *(two or [])]) or 1.0
    step = (WIDTH - 2 * LEFT) / len(one)
    bars = "".join(
        f'<rect class="one" x="{LEFT + at * step:.1f}" y="{_y(share, most):.1f}"'
        f' width="{max(step - 1, 0.5):.1f}" height="{HEIGHT - _y(share, most):.1f}"/>'
        for at, share in enumerate(one)
        if share > 0
    )
    line = ""
    if two is not None:
        points = [f"M{LEFT} {HEIGHT}"]
        for at, share in enumerate(two):
            points.append(f"V{_y(share, most):.1f}H{LEFT + (at + 1) * step:.1f}")
        line = f'<path class="outline" d="{"".join(points)}V{HEIGHT}"/>'
    places = ((LEFT, "start"), (WIDTH / 2, "middle"), (WIDTH - LEFT, "end"))
    words = "".join(
        f'<text class="tick" x="{x:.0f}" y="{HEIGHT + 14}" text-anchor="{anchor}">'
        f"{escape(_short(tick))}</text>"
        for (x, anchor), tick in zip(places, ticks, strict=False)
    )
    axis = f'<path class="axis" d="M0 {HEIGHT}H{WIDTH}"/>'
    return _svg(label, WIDTH, HEIGHT + BOTTOM, bars + line + axis + words)


def values(
    label: str, names: Sequence[str], one: Sequence[float], two: Sequence[float] | None = None
) -> str:
    """A bar a value, one below the other; the second series is a thinner bar below the first."""
    if not names:
        return ""
    most = max([*one, *(two or [])]) or 1.0
    row, left, room = (24 if two is None else 30), 170, WIDTH - 170 - 52
    drawn = []
    for at, name in enumerate(names):
        y = at * row
        drawn.append(
            f'<text class="tick" x="{left - 8}" y="{y + 14}" text-anchor="end">'
            f"{escape(_short(name))}</text>"
        )
        sides = [("one", one[at], y + 3, 14)]
        if two is not None:
            sides = [("one", one[at], y + 3, 11), ("two", two[at], y + 15, 9)]
        for which, share, top, height in sides:
            wide = room * share / most
            drawn.append(
                f'<rect class="{which}" x="{left}" y="{top}" width="{wide:.1f}"'
                f' height="{height}"/><text class="tick" x="{left + wide + 5:.1f}"'
                f' y="{top + height - 1}">{percent(share)}</text>'
            )
    return _svg(label, WIDTH, len(names) * row + 4, "".join(drawn))


def percent(share: float) -> str:
    """A share, with as many digits as say something."""
    if 0 < share < 0.001:
        return "<0.1%"
    return f"{share:.1%}" if share < 0.1 else f"{share:.0%}"


def _y(share: float, most: float) -> float:
    return HEIGHT - (HEIGHT - 8) * share / most


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _svg(label: str, width: int, height: int, inside: str) -> str:
    return (
        f'<svg role="img" aria-label="{escape(label, quote=True)}" width="{width}"'
        f' height="{height}" viewBox="0 0 {width} {height}">{inside}</svg>'
    )
