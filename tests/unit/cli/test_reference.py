"""The page of the command line, and what it rests on: helps, examples, options, variables."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from taxiway.cli import EPILOG, VERBS, taxiway
from taxiway.cli.reference import OWN, VARIABLES, commands, examples, page
from taxiway.core.errors import TaxiwayError

if TYPE_CHECKING:
    from ..conftest import Parser

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "reference" / "cli.md"
SOURCE = ROOT / "src" / "taxiway"


def every_command() -> Iterator[tuple[str, click.Command]]:
    root = click.Context(taxiway)
    for verb in VERBS:
        command = taxiway.get_command(root, verb)
        assert command is not None
        yield from commands(command, f"taxiway {verb}")


EVERY = dict(every_command())
LEAVES = {name: one for name, one in EVERY.items() if not isinstance(one, click.Group)}

ONLY_SHOWS = {
    "taxiway schema",
    "taxiway people list",
    "taxiway alerts list",
    "taxiway consumers list",
    "taxiway data features list",
    "taxiway data features get",
    "taxiway data features plan",
    "taxiway data infer",  # without --out it shows; with it, it writes that file
    "taxiway data diff",
    "taxiway data check",
    "taxiway data show",
    "taxiway data list",
    "taxiway data lineage",
    "taxiway data get",
    "taxiway data verify",
    "taxiway data compare",
    "taxiway data reconcile",
    "taxiway data leaks",
    "taxiway data privacy",
    "taxiway data bias",
    "taxiway data benefit",
    "taxiway data synth",
    "taxiway data worth",
    "taxiway handoff list",
    "taxiway check",
    "taxiway deviate list",
    "taxiway replay",
    "taxiway decisions list",
    "taxiway decisions sql",
    "taxiway cases list",
    "taxiway cases show",
    "taxiway retrain list",
    "taxiway shadow",
    "taxiway status",
    "taxiway history",
    "taxiway ledger verify",
    "taxiway ledger show",
}
"""These change nothing, so that there is nothing to try dry."""

NO_DRY_RUN = {
    # It answers until it is ended. What it writes, its decisions, is asked for by its callers.
    "taxiway serve",
    # They are dry until --yes is said.
    "taxiway decisions expire",
    "taxiway decisions erase",
    "taxiway data gc",
}
NO_JSON = {
    # A JSON document is all that it prints.
    "taxiway schema",
    # It answers over HTTP, and what it prints is one line that says where.
    "taxiway serve",
}


def options_of(name: str) -> set[str]:
    return {word for param in EVERY[name].params for word in param.opts}


def test_the_committed_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == page(), "it is out of date: run `make docs`"


def test_the_page_has_every_command_in_the_order_of_a_models_life() -> None:
    headings = [line.split("`")[1] for line in page().splitlines() if re.match(r"###? `", line)]
    assert headings == list(EVERY)
    assert [name.split()[1] for name in headings if name.count(" ") == 1] == list(VERBS)


@pytest.mark.parametrize("name", EVERY)
def test_every_command_has_a_help_with_an_example_that_can_be_called(
    name: str, parser: Parser
) -> None:
    command = EVERY[name]
    assert command.help
    assert command.help.splitlines()[0].endswith((".", "?")), "the first line is a sentence"
    lines = examples(command)
    assert lines, f"`{name} --help` has no `Example:`"
    calls = list(parser.words(lines.replace("\\\n", " ").replace("\n", ";")))
    assert calls, lines
    for words in calls:
        assert parser.problem(words) is None, f"{words}: {parser.problem(words)}"
    called = {one.command for words in calls for one in parser.contexts(words)}
    assert command in called, f"the example of `{name}` calls something else"


@pytest.mark.parametrize("name", EVERY)
def test_every_option_has_a_help(name: str) -> None:
    options = [param for param in EVERY[name].params if isinstance(param, click.Option)]
    assert [option.opts for option in options if not option.help] == []


@pytest.mark.parametrize("name", LEAVES)
def test_what_changes_something_can_be_tried_dry(name: str) -> None:
    expected = name not in ONLY_SHOWS | NO_DRY_RUN
    assert ("--dry-run" in options_of(name)) is expected


@pytest.mark.parametrize("name", LEAVES)
def test_what_shows_something_shows_it_to_machines(name: str) -> None:
    assert ("--json" in options_of(name)) is (name not in NO_JSON)


def test_the_exceptions_are_commands() -> None:
    assert LEAVES.keys() >= ONLY_SHOWS | NO_DRY_RUN | NO_JSON


def test_every_exit_code_is_told() -> None:
    codes = {0, 1, 2, 130} | {error.exit_code for error in TaxiwayError.__subclasses__()}
    table = page().partition("## Exit codes")[2].partition("## ")[0]
    assert {int(code) for code in re.findall(r"(?m)^\| (\d+) \|", table)} == codes
    assert {int(code) for code in re.findall(r"\b\d+\b", EPILOG)} == codes


# Environment variables


def modules() -> dict[Path, ast.Module]:
    return {file: ast.parse(file.read_text("utf-8")) for file in SOURCE.rglob("*.py")}


def constants(tree: ast.AST) -> dict[str, set[str]]:
    """Name -> the text, or the texts, that it stands for."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant | ast.Tuple):
            parts = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            texts = {p.value for p in parts if isinstance(p, ast.Constant)}
            for target in node.targets:
                if isinstance(target, ast.Name) and all(isinstance(text, str) for text in texts):
                    found[target.id] = {str(text) for text in texts}
    return found


def bound(tree: ast.AST, known: dict[str, set[str]]) -> dict[str, set[str]]:
    """The names of a module's loops over such texts, which stand for them in this module only."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.comprehension | ast.For):
            # Over others, such as those that an object store's own library knows: none of ours.
            texts = known.get(node.iter.id, set()) if isinstance(node.iter, ast.Name) else set()
            found[ast.unparse(node.target)] = texts
    return found


def asked_for(tree: ast.AST) -> Iterator[ast.expr]:
    """The expressions that name an environment variable."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("environ"):
            yield node.slice
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if "environ." in called and called.rpartition(".")[2] in {"get", "setdefault", "pop"}:
                yield node.args[0]
            if called.endswith("getenv"):
                yield node.args[0]
            yield from (word.value for word in node.keywords if word.arg == "envvar")


def variables(tree: ast.AST, known: dict[str, set[str]]) -> set[str]:
    """The environment variables that a module asks for."""
    found: set[str] = set()
    for asked in asked_for(tree):
        if isinstance(asked, ast.Constant):
            found.add(str(asked.value))
        else:
            name = ast.unparse(asked)
            assert name in known, f"which environment variable is `{name}`?"
            found |= known[name]
    return found


def test_every_environment_variable_is_documented() -> None:
    trees = modules()
    everywhere = (pair for tree in trees.values() for pair in constants(tree).items())
    known = {name: texts for name, texts in everywhere if name.isupper()}
    found: set[str] = set()
    for tree in trees.values():
        own = known | constants(tree)
        found |= variables(tree, own | bound(tree, own))
    for file in SOURCE.rglob("*"):
        documents = file.name == "reference.py" and file.parent.name == "cli"
        if file.is_file() and file.suffix != ".pyc" and not documents:
            found |= set(re.findall(r"\b(?:_?TAXIWAY|OTEL)_[A-Z_]+\b", file.read_text("utf-8")))
    assert found == VARIABLES.keys() | OWN.keys(), "document it in taxiway.cli.reference"
    written = page()
    assert all(f"`{name}`" in written for name in found)


@pytest.mark.parametrize(
    "line",
    [
        'os.environ["SECRET"]',
        'os.environ.get("SECRET")',
        'os.getenv("SECRET")',
        'environ.setdefault("SECRET", "1")',
        'click.option("--secret", envvar="SECRET")',
        'HERE = "SECRET"\nos.environ.get(HERE)',
        'THEM = ("SECRET",)\n{name: os.environ.get(name) for name in THEM}',
    ],
)
def test_a_variable_is_found_however_it_is_asked_for(line: str) -> None:
    tree = ast.parse(line)
    own = constants(tree)
    assert variables(tree, own | bound(tree, own)) == {"SECRET"}


def test_a_variable_that_can_not_be_told_is_a_failure() -> None:
    with pytest.raises(AssertionError, match="which environment variable is `name`"):
        variables(ast.parse("os.environ[name]"), {})
