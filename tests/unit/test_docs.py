"""What people read is true: commands can be called, links lead somewhere, Python calls exist."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from taxiway import Workspace

from .conftest import Parser

ROOT = Path(__file__).parents[2]
PAGES = {
    str(page.relative_to(ROOT)): page
    for page in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
}
FENCE = re.compile(r"(?ms)^ *```(\w*)\n(.*?)^ *```$")
INLINE = re.compile(r"`(taxiway [^`]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")

SAYS_WHAT_PEOPLE_WRITE = {"docs/reference/charter.md"}
"""Its examples are values of a charter: text that people write, with a command in it or not."""


def blocks(text: str, *kinds: str) -> list[str]:
    """The fenced blocks of a page in these languages."""
    return [body for kind, body in FENCE.findall(text) if kind in kinds]


def prose(text: str) -> str:
    return FENCE.sub("", text)


def typed(block: str) -> Iterator[str]:
    """What somebody types in a block of a console: after `$ `, to where the shell has all of it."""
    line = ""
    for text in block.splitlines():
        if not line and not text.startswith("$ "):
            continue
        line += f"{text}\n" if line else f"{text.removeprefix('$ ')}\n"
        try:
            shlex.split(line, comments=True)
        except ValueError:
            continue  # a quotation goes on in the next line
        if not line.endswith("\\\n"):
            yield line.replace("\\\n", " ").rstrip("\n")
            line = ""
    assert not line, f"this does not end: {line}"


def problems(page: str, parser: Parser) -> Iterator[str]:
    text = PAGES[page].read_text("utf-8")
    for block in blocks(text, "console", "bash", "sh"):
        for line in typed(block):
            for words in parser.words(line):
                if problem := parser.problem(words):
                    yield f"{line}: {problem}"
    if page not in SAYS_WHAT_PEOPLE_WRITE:
        for line in INLINE.findall(prose(text)):
            for words in parser.words(" ".join(line.split())):
                if problem := parser.problem(words, whole=False):
                    yield f"`{line}`: {problem}"


@pytest.mark.parametrize("page", PAGES)
def test_every_command_line_can_be_called(page: str, parser: Parser) -> None:
    assert list(problems(page, parser)) == []


@pytest.mark.parametrize(
    "line",
    [
        "chek churn:1",
        "check churn:1 --environment prod",
        "ledger shw",
        "promote churn:1 --to production",
        "status churn and more",
        "handoff accept",
        "people",
    ],
)
def test_a_command_line_that_can_not_be_called_is_found(line: str, parser: Parser) -> None:
    assert parser.problem(shlex.split(line))


def test_every_call_in_a_line_is_found(parser: Parser) -> None:
    line = 'cd churn && taxiway plan --json > "a b"; X=1 | taxiway status  # taxiway nothing'
    assert list(parser.words(line)) == [["plan", "--json"], ["status"]]
    block = "$ taxiway sign CH-01 churn:1 \\\n    --reason 'two\nlines'\nsaid\n$ taxiway plan"
    assert [list(parser.words(line)) for line in typed(block)] == [
        [["sign", "CH-01", "churn:1", "--reason", "two\nlines"]],
        [["plan"]],
    ]


# Links


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found: set[str] = set()
    for heading in re.findall(r"(?m)^#+ (.+)$", prose(page.read_text("utf-8"))):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", words).strip().replace(" ", "-")
        again = sum(
            anchor == slug or re.fullmatch(rf"{slug}-\d+", anchor) is not None for anchor in found
        )
        found.add(f"{slug}-{again}" if again else slug)
    return found


def dead_links(page: Path) -> Iterator[str]:
    text = re.sub(r"`[^`]*`", "", prose(page.read_text("utf-8")))
    for link in LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue  # another site
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists():
            yield f"{link}: there is no such file"
        elif anchor and anchor not in anchors(target):
            yield f"{link}: there is no such heading"


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    assert list(dead_links(PAGES[page])) == []


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# There: `it` is\n\n## Twice\n\n## Twice\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](there.md#there-it-is) [b](there.md#twice-1) [c](https://example.org) [d](gone.md)"
        " [e](there.md#gone) [f](#gone) `[g](gone.md)`\n"
    )
    assert [line.partition(":")[0] for line in dead_links(page)] == [
        "gone.md",
        "there.md#gone",
        "#gone",
    ]


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    left = [ROOT / "README.md"]
    while left:
        page = left.pop()
        seen.add(page)
        for link in LINK.findall(prose(page.read_text("utf-8"))):
            target = (page.parent / link.partition("#")[0]).resolve()
            found = sorted(target.glob("*.md")) if target.is_dir() else [target]
            left += [one for one in found if one.suffix == ".md" and one not in {*seen, *left}]
    assert {page for page in PAGES.values() if page.is_relative_to(ROOT / "docs")} <= seen


# Python


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    """The calls of `Workspace` and of what it opened."""
    opened = {"Workspace", "taxiway.Workspace"}
    for node in ast.walk(tree):
        if isinstance(node, ast.withitem) and node.optional_vars is not None:
            opened.add(ast.unparse(node.optional_vars))
    made = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    for call in made:
        if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) in opened:
            yield call


def test_the_python_of_the_readme_calls_what_exists() -> None:
    found = blocks(PAGES["README.md"].read_text("utf-8"), "python")
    assert found
    called = [call for block in found for call in calls(ast.parse(block))]
    assert called
    for call in called:
        assert isinstance(call.func, ast.Attribute)
        method = inspect.getattr_static(Workspace, call.func.attr)
        function = getattr(method, "__func__", method)
        named = {word.arg: None for word in call.keywords if word.arg}
        inspect.signature(function).bind(None, *call.args, **named)
