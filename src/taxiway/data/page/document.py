"""The frame of a page, and the tables in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from taxiway.core.errors import InputError

STYLE = """
:root { color-scheme: light dark; --ink: #1c2330; --soft: #5b6678; --line: #d9dee7; --page: #fff;
  --card: #f6f8fb; --one: #3565c4; --two: #d9730d; --bad: #b3261e; --good: #1d7a46; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf2; --soft: #9aa6b8; --line: #323b4a;
  --page: #12161d; --card: #1a202a; --one: #7aa5f5; --two: #f0a050; --bad: #ff8a80;
  --good: #6fd49b; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1.25rem 4rem; max-width: 78rem; background: var(--page);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .6rem; }
p { margin: .3rem 0; max-width: 60rem; } .soft { color: var(--soft); }
.verdict { font-size: 1.1rem; font-weight: 600; border-left: 5px solid var(--good);
  padding: .4rem .8rem; background: var(--card); } .verdict.bad { border-color: var(--bad); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding-bottom: .3rem; }
th, td { text-align: left; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: anywhere; } th { font-weight: 600; }
td.number, th.number { text-align: right; white-space: nowrap; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(34rem, 100%), 1fr));
  gap: .7rem; align-items: start; }
details { border: 1px solid var(--line); border-radius: 8px; background: var(--card);
  min-width: 0; }
summary { cursor: pointer; padding: .5rem .8rem; font-weight: 600; overflow-wrap: anywhere; }
summary .soft { font-weight: 400; } a { color: var(--one); }
a:focus-visible, summary:focus-visible { outline: 3px solid var(--one); outline-offset: 2px; }
.inside { padding: .2rem .8rem .8rem; } .inside table { font-size: .86rem; margin-top: .4rem; }
svg { max-width: 100%; height: auto; }
.one { fill: var(--one); } .two { fill: var(--two); } .axis { stroke: var(--line); }
.outline { fill: none; stroke: var(--two); stroke-width: 2; }
.tick { fill: var(--soft); font-size: 11px; }
.key { display: inline-block; width: .8em; height: .8em; border-radius: 2px;
  margin: 0 .3em 0 .8em; }
.key.one { background: var(--one); } .key.two { background: var(--two); }
.bad { color: var(--bad); } .verdict.bad { color: inherit; } ul { padding-left: 1.2rem; }
@media print { details { break-inside: avoid; } }
"""


def document(title: str, *parts: str) -> str:
    """A whole page."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        # Nothing is loaded and nothing runs, whatever a column is called.
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src'
        " 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body><main>\n"
        + "\n".join(parts)
        + "\n</main></body></html>\n"
    )


def table(
    caption: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    numbers: int = 0,
    heading: bool = True,
) -> str:
    """A table whose first column heads its rows, and whose next `numbers` columns are numbers.

    Without `heading`, no column heads the rows.
    """
    head = "".join(
        f'<th scope="col"{_class(at, numbers)}>{escape(name)}</th>'
        for at, name in enumerate(columns)
    )
    body = "".join(f"<tr>{_row(row, numbers, heading=heading)}</tr>" for row in rows)
    named = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="scroll"><table>{named}'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _row(row: Sequence[object], numbers: int, *, heading: bool) -> str:
    if not heading:
        return "".join(f"<td>{escape(said(cell))}</td>" for cell in row)
    first, *rest = row
    cells = "".join(
        f"<td{_class(at, numbers)}>{_shown(cell)}</td>" for at, cell in enumerate(rest, 1)
    )
    return f'<th scope="row">{_shown(first)}</th>{cells}'


def _shown(cell: object) -> str:
    return cell if isinstance(cell, Markup) else escape(said(cell))


def _class(at: int, numbers: int) -> str:
    return ' class="number"' if 1 <= at <= numbers else ""


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def link(to: str, text: str) -> Markup:
    """A link within the page."""
    return Markup(f'<a href="#{to}">{escape(text)}</a>')


def said(value: object) -> str:
    """A value as people read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def write_page(path: Path, text: str) -> None:
    """Writes a page whole or not at all."""
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise InputError(
            f"The page can't be written to {path}: {error.strerror}.",
            todo="Name a file in a folder that is there and can be written to.",
        ) from None
