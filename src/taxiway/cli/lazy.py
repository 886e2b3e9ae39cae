"""Groups whose commands are imported when they are called, and listed without importing any."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

import click

from taxiway.core.errors import MissingError


class Lazy(click.Group):
    """A group over a table: command -> the module in `package` that holds it, its short help."""

    def __init__(
        self,
        *args: Any,
        table: Mapping[str, tuple[str, str]],
        package: str,
        noun: str = "command",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._table = table
        self._package = package
        self._noun = noun

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._table:
            return None
        module = importlib.import_module(f"{self._package}.{self._table[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self._table and not args[0].startswith("-"):
            raise MissingError.named(
                self._noun, args[0], self._table, todo=f"See `{ctx.command_path} --help`."
            )
        return super().resolve_command(ctx, args)

    def short_helps(self) -> Iterator[tuple[str, str]]:
        """Each command with its short help."""
        return ((name, short) for name, (_, short) in self._table.items())

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self.short_helps()))
