"""What repairs earn as a page and as bars in a terminal: each gain with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from taxiway.core.interval import Interval
from taxiway.data.page.document import document, table
from taxiway.data.page.drawing import percent
from taxiway.data.worth.earn import Gain, Worth

WIDTH, LEFT, ROW = 720, 260, 26
CELLS = 41
LONGEST = 34
"""Characters of a label."""


def called(one: Gain) -> str:
    """A defect by its kind and its column."""
    name = f"{one.defect}: {one.column}" if one.column else one.defect
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"


def bars(gains: Sequence[Gain]) -> list[str]:
    """Each gain as a line of text: `o` where it is, `-` over its interval, `|` where nothing is.

    >>> from taxiway.core.interval import Interval
    >>> (line,) = bars(
    ...     [Gain("units", "", 0.1, "", "repaired", Interval(0.5, 0.25, 0.75), "worth it")]
    ... )
    >>> line
    'units  |            --------------o-------------'
    """
    if not gains:
        return []
    low, high = _range(gains)
    width = max(len(called(one)) for one in gains)

    def at(value: float) -> int:
        return round((value - low) / (high - low) * (CELLS - 1))

    lines = []
    for one in gains:
        cells = [" "] * CELLS
        cells[at(0.0)] = "|"
        first, last = at(one.gain.low), at(one.gain.high)
        cells[first : last + 1] = "-" * (last + 1 - first)
        cells[at(one.gain.value)] = "o"
        lines.append(f"{called(one):{width}}  {''.join(cells)}")
    return lines


def page(found: Worth, source: str) -> str:
    """One page that opens offline; it holds no value of a row."""
    worthy = [one for one in found.gains if one.verdict == "worth it"]
    first = (
        f"Repair first: {called(worthy[0])}. It earns {span(worthy[0].gain)} of {found.metric}."
        if worthy
        else "No repair is shown to earn anything."
    )
    columns = ["defect", "rate", f"gain in {found.metric}", "95 %"]
    if found.currency:
        columns.append(f"{found.currency} per {found.per}")
    rows = [
        [
            called(one),
            percent(one.rate),
            f"{one.gain.value:+.4f}",
            f"{one.gain.low:+.4f} to {one.gain.high:+.4f}",
            *([span(one.value)] if found.currency and one.value else []),
            one.verdict,
            one.how,
            one.says,
        ]
        for one in found.gains
    ]
    return document(
        f"What repairs earn: {source}",
        f"<h1>What repairs earn</h1><p class='soft'>{escape(source)}, {found.rows:,} rows;"
        f" {escape(found.metric)} as it is: {found.score:.4f}</p>",
        f"<p class='verdict{' bad' if worthy else ''}'>{escape(first)}</p>",
        f"<h2>Gain in {escape(found.metric)}</h2>" + _drawing(found) if found.gains else "",
        table("", [*columns, "verdict", "how", "found"], rows, numbers=len(columns) - 1),
    )


def span(of: Interval) -> str:
    """A figure with its interval."""
    return f"{of.value:+.4f} ({of.low:+.4f} to {of.high:+.4f})"


def _range(gains: Sequence[Gain]) -> tuple[float, float]:
    low = min(0.0, *(one.gain.low for one in gains), *(one.gain.value for one in gains))
    high = max(0.0, *(one.gain.high for one in gains), *(one.gain.value for one in gains))
    return low, max(high, low + 1e-9)


def _drawing(found: Worth) -> str:
    low, high = _range(found.gains)
    height = ROW * len(found.gains) + 22

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - 20) * (value - low) / (high - low)

    drawn = [f'<path class="axis" d="M{x(0):.1f} 0V{height - 18}"/>']
    for at, one in enumerate(found.gains):
        y = at * ROW + ROW / 2
        left, right = sorted((x(0), x(one.gain.value)))
        drawn.append(
            f'<text class="tick" x="{LEFT - 8}" y="{y + 4}" text-anchor="end">'
            f"{escape(called(one))}</text>"
            f'<rect class="one" x="{left:.1f}" y="{y - 7}" width="{right - left:.1f}" height="14"/>'
            f'<path class="outline" d="M{x(one.gain.low):.1f} {y}H{x(one.gain.high):.1f}"/>'
        )
    for value, anchor in ((low, "start"), (high, "end")):
        drawn.append(
            f'<text class="tick" x="{x(value):.1f}" y="{height - 4}" text-anchor="{anchor}">'
            f"{value:+.3f}</text>"
        )
    label = escape(f"Gain in {found.metric} by repair, with intervals", quote=True)
    return (
        f'<svg role="img" aria-label="{label}" width="{WIDTH}" height="{height}"'
        f' viewBox="0 0 {WIDTH} {height}">{"".join(drawn)}</svg>'
    )
