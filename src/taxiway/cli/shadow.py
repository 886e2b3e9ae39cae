"""`taxiway shadow`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from taxiway.cli import options, screen
from taxiway.cli.days import FIRST_DAY, LAST_DAY

if TYPE_CHECKING:
    from taxiway.serving.compared import Compared


NAMES = {"probability": "probabilities", "prediction": "predictions"}


@click.command()
@click.argument("environment", type=options.ENVIRONMENT)
@options.model
@click.option("--from", "start", type=FIRST_DAY, help="The first day when they happened, in UTC.")
@click.option("--to", "end", type=LAST_DAY, help="The last day when they happened, in UTC.")
@options.as_json
def shadow(
    *,
    environment: str,
    model: str | None,
    start: datetime | None,
    end: datetime | None,
    as_json: bool,
) -> None:
    """Compare the challenger in shadow with the champion, on the keys that both decided.

    The challenger is the one of now, or the last one. What it would have changed is evidence for
    those who sign; it says nothing about who is right, which outcomes do.

    \b
    Example: taxiway shadow prod --model flight-delays --from 2027-03-01
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open() as workspace:
        found = workspace.shadow(environment, model=model, start=start, end=end)
    if as_json:
        screen.show_json(found)
        return
    if found.agreement is None:
        screen.say(
            f"{found.challenger} has decided on no key yet that {found.champion} decided, too."
        )
        return
    screen.table(
        ["what", f"{found.champion} (champion)", f"{found.challenger} (challenger)"],
        _rows(found),
        title=f"{found.model} in {found.environment}: {found.pairs:,} keys that both decided",
    )
    share, low, high = found.agreement
    screen.say(
        f"They agree on {share:.2%} of the keys ({low:.2%} to {high:.2%}). Their"
        f" {NAMES[found.score]} are {found.mean_difference:.4f} apart on average,"
        f" {found.largest_difference:.4f} at most."
    )


def _rows(found: Compared) -> list[list[str]]:
    mean = [f"mean {found.score}", f"{found.champion_mean:.4f}", f"{found.challenger_mean:.4f}"]
    if found.score == "prediction":
        return [mean]
    return [
        ["yes", f"{found.champion_yes:,}", f"{found.challenger_yes:,}"],
        ["yes, where the other says no", f"{found.only_champion:,}", f"{found.only_challenger:,}"],
        mean,
    ]
