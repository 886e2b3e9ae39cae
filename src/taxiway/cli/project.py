"""`taxiway init` and `taxiway new`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from taxiway.cli import options, screen


@click.command()
@click.argument("path", type=click.Path(path_type=Path, file_okay=False), default=".")
@options.dry_run
@options.as_json
def init(path: Path, dry_run: bool, as_json: bool) -> None:
    """Make a workspace: the folder where the record of all its projects lives.

    \b
    Example: taxiway init models
    """
    from taxiway.config import FILE, create_workspace
    from taxiway.core.errors import ConflictError

    if dry_run and (path / FILE).exists():
        raise ConflictError(f"{path.absolute()} is already a workspace.")
    root = path.absolute() if dry_run else create_workspace(path)
    if as_json:
        screen.show_json({"workspace": root, "made": not dry_run})
    elif dry_run:
        screen.say(f"Would make a workspace in {root}.")
    else:
        screen.say(f"Made a workspace in {root}.")
        screen.say("Next: taxiway people add NAME --role owner")


@click.command()
@click.argument("name")
@click.option("--template", default="classification", show_default=True, help="What to start from.")
@click.option("--defaults", is_flag=True, help="Ask nothing; `plan` says what is left to answer.")
@click.option(
    "--data", "answers", multiple=True, metavar="KEY=VALUE", help="An answer, in advance."
)
@options.dry_run
@options.as_json
def new(
    name: str,
    template: str,
    defaults: bool,
    answers: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Start a project from a template: charter, contract, model.py and its tests.

    Makes a workspace in the current folder if there is none in it or above it.

    \b
    Example: taxiway new churn --template classification --data business=churn-owner
    """
    from taxiway.bootstrap.extras import extras
    from taxiway.charter.scaffold import new_project

    given = {"name": name, **dict(_answer(text) for text in answers)}
    asks = not defaults and not as_json and sys.stdin.isatty() and sys.stdout.isatty()
    target = Path.cwd() / name
    with extras():
        files = new_project(target, template, given, defaults=not asks, dry_run=dry_run)
    workspace = _workspace(dry_run=dry_run)
    if as_json:
        screen.show_json(
            {
                "project": target,
                "files": files,
                "made": not dry_run,
                "workspace": workspace[0],
                "workspace_made": workspace[1],
            }
        )
        return
    screen.say(f"{'Would make' if dry_run else 'Made'} {name}/ from the template {template}:")
    for file in files:
        screen.say(f"  {file}")
    if workspace[1]:
        screen.say(f"{'Would make' if dry_run else 'Made'} a workspace in {workspace[0]}.")
    if not dry_run:
        screen.say(f"Next: cd {name} && taxiway plan")


def _answer(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        from taxiway.core.errors import InputError

        raise InputError(f"--data expects KEY=VALUE, found {text!r}.")
    return key.strip(), value


def _workspace(*, dry_run: bool) -> tuple[Path, bool]:
    """The workspace that holds the current folder, and whether it had to be made."""
    from taxiway.config import create_workspace, find_workspace
    from taxiway.core.errors import MissingError

    try:
        return find_workspace(), False
    except MissingError:
        here = Path.cwd()
        return (here if dry_run else create_workspace(here)), True
