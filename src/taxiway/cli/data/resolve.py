"""`taxiway data resolve`: a person's signature for what becomes of a finding."""

from __future__ import annotations

from pathlib import Path

import click

from taxiway.cli import options, screen
from taxiway.core.errors import InputError


@click.command()
@click.argument("finding", metavar="FINDING")
@click.option("--accept", is_flag=True, help="Do what is proposed whenever the data are loaded.")
@click.option("--reject", is_flag=True, help="It is no finding: both mean what they should.")
@click.option(
    "--map",
    "steps",
    multiple=True,
    metavar="STEP",
    help="Do this instead: scale=, plus=, null=, rename=, hours=, recode:OLD=NEW,...",
)
@click.option("--reason", required=True, help="What was looked at, and what follows.")
@options.project
@options.acting
@options.as_json
@options.dry_run
def resolve(
    finding: str,
    *,
    accept: bool,
    reject: bool,
    steps: tuple[str, ...],
    reason: str,
    project: Path | None,
    actor: str | None,
    as_json: bool,
    dry_run: bool,
) -> None:
    """Sign what becomes of FINDING, which `taxiway data reconcile` found.

    A mapping that is signed is done to the rows whenever `taxiway data snapshot` loads them, and
    stands in the snapshot's lineage. The signature is void once the finding, or what one of the
    tables is said to hold, changes.

    \b
    Example: taxiway data resolve 3fa9c1d2 --accept --reason "miles, says the airline" \\
        --as flights-owner
    """
    from taxiway.bootstrap import Workspace

    chosen = [name for name, is_so in _decisions(accept, reject, steps) if is_so]
    if len(chosen) != 1:
        raise InputError(
            f"Say one of --accept, --reject and --map; {len(chosen)} were given.",
            todo="See `taxiway data resolve --help`.",
        )
    with Workspace.open(actor=actor) as workspace:
        signed = workspace.data_resolve(
            finding,
            decision=chosen[0],
            steps=steps,
            reason=reason,
            project=project,
            dry_run=dry_run,
        )
    if as_json:
        screen.show_json({"dry_run": dry_run, "resolution": signed})
        return
    if dry_run:
        screen.say("Nothing was written. This would be signed:")
    done = {"accept": "accepted", "map": "mapped otherwise", "reject": "rejected"}[signed.decision]
    screen.say(f"Finding {signed.finding} is {done} by {signed.person}: {signed.says}")
    if signed.mapping:
        from taxiway.data.mapping import mapping_from

        mapping = mapping_from(signed.mapping)
        when = "From the next snapshot on" if mapping.changes else "Written down"
        screen.say(f"{when}: {mapping.says}.")


def _decisions(accept: bool, reject: bool, steps: tuple[str, ...]) -> list[tuple[str, bool]]:
    return [("accept", accept), ("reject", reject), ("map", bool(steps))]
