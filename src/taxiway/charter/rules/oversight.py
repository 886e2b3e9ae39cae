"""Which answers a person decides on: conditions that can be asked when the model answers."""

from __future__ import annotations

import math
from collections.abc import Iterator

from taxiway.charter.remark import Remark, advice, error
from taxiway.charter.rules.watching import WINDOW_DAYS
from taxiway.core.charter import Risk
from taxiway.core.condition import read_condition
from taxiway.core.contract import Contract
from taxiway.core.decision import SAMPLE
from taxiway.core.errors import InputError
from taxiway.core.kind import KINDS
from taxiway.core.operation import Deployment, Monitoring, Oversight

FEW = 30
"""Cases a month from which a rate of agreement says anything."""


def conditions(oversight: Oversight, contract: Contract, kind: str) -> Iterator[Remark]:
    """Each rule is a condition over the output and what is known by then."""
    said = KINDS[kind].output
    types = {**{column.name: column.type for column in contract.columns}, **said}
    for at, rule in enumerate(oversight.review):
        place = ("oversight", "review", str(at), "when")
        try:
            condition = read_condition(rule.when, types)
        except InputError as refused:
            yield from (Remark("error", problem, place=place) for problem in refused.problems)
            continue
        for name in condition.columns:
            if name not in said and not contract.is_known(name):
                yield error(
                    ".".join(place),
                    f"{name} is not known when the model has to answer",
                    found=f"known at {contract.known_at(name)}",
                    expected=f"at {contract.decision_at} or before",
                )
        if not condition.columns:
            what = "it names neither a column nor the output, and so says the same of every answer"
            yield error(".".join(place), what, found=rule.when)


def names(oversight: Oversight) -> Iterator[Remark]:
    """A case says by their names which rules made it one."""
    for at, rule in enumerate(oversight.review):
        place = f"oversight.review.{at}.name"
        if rule.name in [earlier.name for earlier in oversight.review[:at]]:
            yield error(place, f"there is a rule named {rule.name} already")
        if rule.name == SAMPLE:
            what = f"cases by chance are called {SAMPLE} already"
            yield error(place, what, todo="Call the rule something else.")


def own_output(oversight: Oversight, contract: Contract, kind: str) -> Iterator[Remark]:
    """The output's names mean the output."""
    taken = [name for name in KINDS[kind].output if name in contract.names]
    if oversight.review and taken:
        what = f"the contract has columns named as the output is: {', '.join(taken)}"
        yield error("oversight.review", what, todo="Rename them in the contract.")


def enough_to_compare(oversight: Oversight, risk: Risk) -> Iterator[Remark]:
    """What people say of a handful of cases by chance says little of all answers."""
    expected = risk.decisions_per_month * oversight.sample
    if 0 < expected < FEW:
        what = f"a sample of {oversight.sample:g} is about {expected:.0f} cases a month"
        todo = f"From about {FEW} on, how often people agree with the model says something."
        yield advice("oversight.sample", what, todo=todo)


def kept_until_settled(
    oversight: Oversight, monitoring: Monitoring, deployment: Deployment
) -> Iterator[Remark]:
    """A decision is still there when its case is settled, and its window is looked at."""
    if not oversight.reviewed:
        return
    amount, unit = int(oversight.answer_within[:-1]), oversight.answer_within[-1]
    days = amount if unit == "d" else math.ceil(amount / 24)
    needed = days + WINDOW_DAYS[monitoring.window]
    if deployment.retention_days < needed:
        yield error(
            "deployment.retention_days",
            "decisions are gone before people have to have decided their cases",
            found=f"{deployment.retention_days} days",
            expected=f"at least {needed} days: the window and `oversight.answer_within`",
        )


RULES = (conditions, names, own_output, enough_to_compare, kept_until_settled)
