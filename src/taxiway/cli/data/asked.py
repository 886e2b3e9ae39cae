"""What the commands of `taxiway data` are asked about."""

from __future__ import annotations

from pathlib import Path

import click

source = click.argument(
    "source", type=click.Path(path_type=Path), required=False, metavar="[SOURCE]"
)
