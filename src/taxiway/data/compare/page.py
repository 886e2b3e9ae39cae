"""A comparison as a page: the verdict, what to ask for, and each column in a picture."""

from __future__ import annotations

from html import escape

from taxiway.data.compare.columns import DIFFERENT, Compared
from taxiway.data.compare.comparison import Comparison
from taxiway.data.compare.words import asks, column_sentence, sentences
from taxiway.data.page.document import Markup, document, link, table
from taxiway.data.page.drawing import histogram, percent, values
from taxiway.data.survey.summary import picture

MOST_PICTURES = 300


def page(of: Comparison) -> str:
    """The page of a comparison. Aggregates only, and no value of a hidden column."""
    first, *more = sentences(of)
    bad = " bad" if of.different else ""
    columns = sorted(of.columns, key=lambda c: (c.verdict != DIFFERENT, -_worst(c)))
    asked = asks(of)
    sides = (
        f'<p class="soft"><span class="key one"></span>training: {escape(of.training.name)}'
        f'<span class="key two"></span>production: {escape(of.production.name)}</p>'
    )
    return document(
        f"{of.training.name} and {of.production.name}: is the sandbox like production?",
        f"<h1>Is the sandbox like production?</h1>{sides}",
        f'<p class="verdict{bad}">{escape(first)}</p>',
        _list(more),
        f"<h2>Ask the data team</h2>{_list(asked)}" if asked else "",
        "<h2>Columns</h2>",
        _overview(of, columns),
        "<h2>Both sides</h2>",
        sides,
        '<div class="cards">',
        *_times(of),
        *(_card(of, at, column) for at, column in enumerate(columns[:MOST_PICTURES])),
        "</div>",
        *(f'<p class="soft">{escape(note)}</p>' for note in of.notes),
    )


def _list(said: list[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(one)}</li>' for one in said)}</ul>" if said else ""


def _worst(column: Compared) -> float:
    return max((t.effect / t.limit for t in column.tests), default=0.0)


def _overview(of: Comparison, columns: list[Compared]) -> str:
    rows = []
    for at, column in enumerate(columns):
        sides = (of.training.columns.get(column.name), of.production.columns.get(column.name))
        shares = [percent(s.nulls / max(1, s.rows)) if s else "-" for s in sides]
        found = column.found()
        rows.append(
            [
                link(f"c{at}", column.name or "(no name)") if at < MOST_PICTURES else column.name,
                found["effect"],
                _chance(found["p_value"]),
                column.measures.get("mean_shift"),
                column.measures.get("wasserstein"),
                column.measures.get("population_stability"),
                "" if set(shares) <= {"0%", "0.0%"} else " → ".join(shares),
                Markup(f'<span class="bad">{DIFFERENT}</span>')
                if column.verdict == DIFFERENT
                else column.verdict,
                column.note or "; ".join(column.only_production[:2]),
            ]
        )
    return table(
        f"A column is different from an effect of {of.limits.effect:g} on, a shift of the mean by"
        f" {of.limits.mean_shift:g} standard deviations, or {of.limits.missing:.0%} more or fewer"
        f" missing values, where that is not chance (adjusted p at most"
        f" {of.limits.false_discovery_rate:g}).",
        ["column", "effect", "p", "mean shift", "Wasserstein", "PSI", "missing", "verdict",
         "only in production"],
        rows,
        numbers=6,
    )  # fmt: skip


def _chance(p_value: float | None) -> str:
    if p_value is None:
        return ""
    return "<0.0001" if p_value < 0.0001 else f"{p_value:.4f}"


def _times(of: Comparison) -> list[str]:
    cards = []
    for times in of.times:
        if times.name in of.hidden:
            continue
        drawn = _drawn(of, times.name)
        cards.append(
            f"<details open><summary>{escape(times.name)}"
            ' <span class="soft">when rows happened</span></summary>'
            f'<div class="inside">{drawn}</div></details>'
        )
    return cards


def _card(of: Comparison, at: int, column: Compared) -> str:
    name = column.name or "(no name)"
    different = column.verdict == DIFFERENT
    said = escape(column_sentence(of, column)) if different else escape(column.note)
    open_ = " open" if different else ""
    mark = f'<span class="{"bad" if different else "soft"}">{column.verdict}</span>'
    inside = f"<p>{said}</p>" if said else ""
    if column.name in of.hidden:
        inside += f'<p class="soft">Values are not shown: {escape(of.hidden[column.name])}.</p>'
    else:
        inside += _drawn(of, column.name)
    if column.only_training and column.name not in of.hidden:
        inside += f'<p class="soft">Only in training: {escape("; ".join(column.only_training))}</p>'
    return (
        f'<details id="c{at}"{open_}><summary>{escape(name)} {mark}</summary>'
        f'<div class="inside">{inside}</div></details>'
    )


def _drawn(of: Comparison, name: str) -> str:
    both = [s.columns.get(name) for s in (of.training, of.production)]
    columns = [c for c in both if c is not None]
    if len(columns) < 2 or columns[0].kind != columns[1].kind:
        return '<p class="soft">There is nothing to draw over each other.</p>'
    shape = picture(columns, [of.training.sample, of.production.sample])
    if shape is None:
        return '<p class="soft">There is nothing to draw.</p>'
    label = f"{name} in training and in production"
    if shape.named:
        return values(label, shape.labels, shape.shares[0], shape.shares[1])
    return histogram(label, shape.labels, shape.shares[0], shape.shares[1])
