"""Command lines as people type them, parsed by the real verbs and never run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click
import pytest

from taxiway.cli import taxiway
from taxiway.core.errors import TaxiwayError

BETWEEN = {"&&", "||", ";", "|", "&"}
REDIRECTION = {">", ">>", "<"}
FILLED_IN = re.compile(r"…|\$|\bDAY\b")
"""A value that somebody, or the shell, fills in."""


def written(words: Sequence[str]) -> list[str]:
    """The words without the dots that stand for what is left out; as a value they stay."""
    left_out = {"…", "..."}
    return [
        word
        for before, word in zip(["", *words], words, strict=False)
        if word not in left_out or before.startswith("--")
    ]


@dataclass(frozen=True, slots=True)
class Parser:
    """Reads command lines, and says what is wrong with one."""

    def words(self, line: str) -> Iterator[list[str]]:
        """The words after `taxiway` of every call in a line of the shell."""
        lexer = shlex.shlex(line, posix=True, punctuation_chars="&|;<>")
        lexer.whitespace_split = True
        lexer.commenters = "#"
        call: list[str] = []
        skip = False
        for word in [*lexer, ";"]:
            if word in BETWEEN:
                if call[:1] == ["taxiway"]:
                    yield call[1:]
                call = []
            elif word in REDIRECTION:
                skip = True
            elif skip:
                skip = False
            else:
                call.append(word)

    def contexts(self, words: Sequence[str]) -> list[click.Context]:
        """What the words call, from `taxiway` down to the last subcommand."""
        found = [taxiway.make_context("taxiway", list(words))]
        while isinstance(group := found[-1].command, click.Group):
            left = [*found[-1]._protected_args, *found[-1].args]
            name, command, rest = group.resolve_command(found[-1], left)
            assert command is not None
            found.append(command.make_context(name, rest, parent=found[-1]))
        return found

    def problem(self, words: Sequence[str], *, whole: bool = True) -> str | None:
        """Why the words can't be called; None if they can.

        `whole=False` is for prose, where a verb stands for itself and arguments are left out.
        """
        try:
            self.contexts(written(words))
        except click.exceptions.Exit:
            return None  # --help and --version
        except (click.MissingParameter, click.exceptions.NoArgsIsHelpError) as error:
            return error.format_message() if whole else None
        except click.BadParameter as error:
            return None if FILLED_IN.search(" ".join(words)) else error.format_message()
        except click.ClickException as error:
            return error.format_message()
        except TaxiwayError as error:
            return str(error)
        return None


@pytest.fixture
def parser(monkeypatch: pytest.MonkeyPatch) -> Parser:
    """The parser; files that a command line names don't have to be there."""
    monkeypatch.setattr(click.Path, "convert", lambda _self, value, _param, _context: value)
    return Parser()
