"""Options that many verbs share, so that they are called the same everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

as_json = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document, for machines."
)
acting = click.option(
    "--as",
    "actor",
    metavar="NAME",
    envvar="TAXIWAY_ACTOR",
    help="Who acts (default: TAXIWAY_ACTOR, or the only key here).",
)
project = click.option(
    "--project",
    "-C",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="The project's folder (default: the nearest one with a taxiway.yaml).",
)
dry_run = click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
model = click.option("--model", help="The model (default: the project's, or the only one).")

ENVIRONMENT = click.Choice(["dev", "qa", "prod"])


def environment_option(
    name: str = "--env", *, default: str | None = "prod", help: str = "The environment."
) -> Callable[[Command], Command]:
    """The option that names an environment; without a default, `help` says what none means."""
    return click.option(
        name,
        "environment",
        type=ENVIRONMENT,
        default=default,
        show_default=default is not None,
        help=help,
    )


environment = environment_option("--for")
serving_environment = environment_option()
