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
environment = click.option(
    "--for",
    "environment",
    type=click.Choice(["dev", "qa", "prod"]),
    default="prod",
    show_default=True,
    help="The environment.",
)
serving_environment = click.option(
    "--env",
    "environment",
    type=click.Choice(["dev", "qa", "prod"]),
    default="prod",
    show_default=True,
    help="The environment.",
)
