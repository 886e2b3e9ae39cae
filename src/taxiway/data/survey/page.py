"""A survey as a page: a table of all columns, then each with its picture. Aggregates only."""

from __future__ import annotations

from html import escape
from typing import Any

from taxiway.data.page.document import document, link, table
from taxiway.data.page.drawing import histogram, percent, values

MOST_PICTURES = 500


def page(source: str, rows: int, columns: list[dict[str, Any]], *, repeated: float | None) -> str:
    """The page of `summaries` of a source."""
    facts = f"{rows:,} rows, {len(columns):,} columns"
    if repeated:
        facts += f", {percent(repeated)} of the rows were there before"
    overview = table(
        "All columns; figures are aggregates, and values of personal columns are left out.",
        ["column", "missing", "distinct", "least", "middle", "most", "type", "holds"],
        [_line(at, column) for at, column in enumerate(columns)],
        numbers=5,
    )
    cards = [_card(at, column) for at, column in enumerate(columns[:MOST_PICTURES])]
    if len(columns) > MOST_PICTURES:
        cards.append(f'<p class="soft">Pictures of the first {MOST_PICTURES} columns.</p>')
    return document(
        f"{source}: what it holds",
        f'<h1>{escape(source)}</h1><p class="soft">{facts}.</p>',
        f"<h2>Columns</h2>{overview}",
        "<h2>Pictures</h2>",
        f'<div class="cards">{"".join(cards)}</div>',
    )


def _line(at: int, column: dict[str, Any]) -> list[object]:
    top = ", ".join(v["value"] for v in column.get("values", [])[:3])
    return [
        link(f"c{at}", column["name"] or "(no name)"),
        percent(column["nulls"] / max(1, column["rows"])) if column["nulls"] else "",
        column["distinct"],
        column.get("minimum"),
        column.get("quantiles", {}).get("0.5"),
        column.get("maximum"),
        column["type"],
        f"hidden: {column['hidden']}" if column["hidden"] else top or _span(column),
    ]


def _span(column: dict[str, Any]) -> str:
    if not column.get("first"):
        return ""
    return f"{column['first'][:10]} to {column['last'][:10]}"


def _card(at: int, column: dict[str, Any]) -> str:
    name = column["name"] or "(no name)"
    about = f'<span class="soft">{escape(column["type"])}</span>'
    head = f'<details id="c{at}" open><summary>{escape(name)} {about}</summary>'
    if column["hidden"]:
        why = escape(column["hidden"])
        return f'{head}<div class="inside"><p>Values are not shown: {why}.</p></div></details>'
    return f'{head}<div class="inside">{_drawn(name, column)}{_figures(column)}</div></details>'


def _drawn(name: str, column: dict[str, Any]) -> str:
    shape = column["histogram"]
    if not shape:
        return '<p class="soft">There is nothing to draw.</p>'
    labels, shares = shape["labels"], shape["shares"]
    said_of = f"How the values of {name} are spread"
    if len(labels) == len(shares):
        return values(said_of, labels, shares)
    return histogram(said_of, labels, shares)


def _figures(column: dict[str, Any]) -> str:
    """Figures in two lines: of the rows, and of where the values lie."""
    rows: list[tuple[str, object]] = [("missing", column["nulls"])]
    if column["not_finite"]:
        rows.append(("not finite", column["not_finite"]))
    if column["distinct"] is not None:
        rows.append(("distinct", column["distinct"]))
    rows += [(k, column[k]) for k in ("mean", "std", "first", "last") if column.get(k) is not None]
    quantiles = column.get("quantiles", {})
    lies: list[tuple[str, object]] = []
    if quantiles:
        shown = ("0.05", "0.25", "0.5", "0.75", "0.95")
        lies = [("least", column["minimum"]), *((f"{float(q):.0%}", quantiles[q]) for q in shown)]
        lies.append(("most", column["maximum"]))
    return "".join(
        table("", [name for name, _ in line], [[value for _, value in line]], heading=False)
        for line in (rows, lies)
        if line
    )
