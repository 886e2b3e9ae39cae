"""`taxiway deploy`: an endpoint in containers, and its decisions back home."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from taxiway.cli import options, screen

PARTS = ("docker", "kubernetes", "compose")


@click.group()
def deploy() -> None:
    """Run an endpoint in containers: render what it takes, collect what it decided.

    \b
    Example: taxiway deploy render flight-delays --env prod --to deploy/prod
    """


@deploy.command()
@click.argument("model", required=False)
@options.serving_environment
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    required=True,
    help="The folder to write: a new or empty one, or that of an earlier rendering.",
)
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(PARTS),
    help="Write this part and no other; may be given again.",
)
@click.option("--image", help="The image's name without a tag (default: MODEL-ENV).")
@click.option(
    "--port", type=int, default=8000, show_default=True, help="The port in the container."
)
@click.option("--workers", type=int, default=1, show_default=True, help="Processes in a pod.")
@click.option(
    "--replicas",
    type=(int, int),
    default=(2, 6),
    show_default=True,
    metavar="LEAST MOST",
    help="As few pods, and as many when they are busy.",
)
@click.option(
    "--spans-to",
    metavar="URL",
    help="Send a span for each request to this OTLP collector, such as http://collector:4318.",
)
@click.option(
    "--wheel",
    "wheels",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A wheel to install that no package index has; may be given again.",
)
@click.option("--overwrite", is_flag=True, help="Drop what was edited in an earlier rendering.")
@options.dry_run
@options.as_json
def render(
    *,
    model: str | None,
    environment: str,
    to: Path,
    only: tuple[str, ...],
    wheels: tuple[Path, ...],
    overwrite: bool,
    dry_run: bool,
    as_json: bool,
    **asked: Any,
) -> None:
    """Write what runs the champion of an environment in containers.

    The folder holds a Dockerfile with a bundle to copy: the release, verified, and the few facts
    that its server reads, so that it needs neither the workspace nor a database. Beside them are
    Kubernetes manifests and a compose file. What is pinned, limited and probed follows from the
    release, its charter and its rehearsal; the same release gives the same bytes. The decision log
    is on a volume of its own. No secret is written: the API key is a reference.

    \b
    Example: taxiway deploy render flight-delays --env prod --to deploy/prod
             taxiway deploy render --to deploy/prod --image registry.example/flight-delays --dry-run
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open() as workspace:
        made = workspace.deploy_render(
            to,
            model,
            environment,
            only=only,
            wheels=wheels,
            overwrite=overwrite,
            dry_run=dry_run,
            **asked,
        )
    if as_json:
        screen.show_json(made)
        return
    _show(made, dry_run=dry_run)


def _show(made: dict[str, Any], *, dry_run: bool) -> None:
    to, shown = made["to"], [name for name in made["files"] if not name.startswith("bundle/")]
    bundled = len(made["files"]) - len(shown)
    rows = [[name] for name in shown] + ([[f"bundle/ ({bundled} files)"]] if bundled else [])
    would = "Would write" if dry_run else "Wrote"
    screen.table(
        ["file"],
        rows,
        title=f"{would} {made['release']} in {made['environment']} into {to}:"
        f" {made['bytes'] / 1e6:,.1f} MB",
    )
    if dry_run:
        return
    if "docker" in made["parts"]:
        screen.say(f"Build:      docker build --tag {made['image']} {to}")
    if "kubernetes" in made["parts"]:
        name = made["secret"]
        screen.say(
            f"Key, once:  kubectl create secret generic {name} --from-literal=key=$TAXIWAY_API_KEY"
        )
        screen.say(f"Roll out:   kubectl apply --filename {to}/kubernetes")
    if "compose" in made["parts"]:
        screen.say(f"One host:   docker compose --file {to}/compose.yaml up --detach --build")


@deploy.command()
@click.argument(
    "folders",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
)
@options.model
@options.dry_run
@options.as_json
def collect(*, folders: tuple[Path, ...], model: str | None, dry_run: bool, as_json: bool) -> None:
    """Add what containers have logged to the workspace's decision log.

    FOLDERS are copies of the volumes that the containers keep their logs on, taken from a snapshot
    or while they stand still. What is there already is not added again, so it may be run as often
    as you like; then `taxiway watch`, `outcomes` and `replay` know these decisions.

    \b
    Example: taxiway deploy collect volumes/flight-delays-prod-0 volumes/flight-delays-prod-1
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open() as workspace, screen.progress("Collecting") as advance:
        found = workspace.deploy_collect(folders, model, dry_run=dry_run, on_decisions=advance)
    if as_json:
        screen.show_json(found)
        return
    rows = [
        [one["folder"], f"{one['decisions']:,}", f"{one['added']:,}"] for one in found["folders"]
    ]
    screen.table(["folder", "decisions", "would be added" if dry_run else "added"], rows)
