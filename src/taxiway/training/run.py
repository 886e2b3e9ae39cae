"""A run: from a snapshot and the user's code to a candidate with its evidence.

The run is written down when it starts and when it ends. Whatever stops it, the record says what
there was: a run that failed says why, and one that was killed stays `started`. A release appears
in the same transaction as all of its evidence, or not at all.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from taxiway.core import evidence as kinds
from taxiway.core.artefact import Packaged, Parts
from taxiway.core.errors import TaxiwayError
from taxiway.core.evidence import Evidence, Observation
from taxiway.core.facts import Developed, Release, Run
from taxiway.core.ports import Actor, Desk
from taxiway.training.environment import Environment, environment
from taxiway.training.fit import Fitted, Order, fit
from taxiway.training.judgement import code_evidence, explanations, judgement, rerun
from taxiway.training.parts import Profile, parts_of

Step = Callable[[str], None]
"""Told the name of each step as it begins."""


@dataclass(frozen=True, slots=True)
class Hands:
    """What a run needs from the other steps, handed in."""

    package: Callable[[Parts, Actor], Packaged]
    """Compiles, stores and signs the artefact."""
    plan: Callable[[str], Evidence]
    """The plan that a release is made under, as evidence about it."""
    profile: Profile
    likeness: Callable[[Callable[[pl.DataFrame], pl.DataFrame], pl.DataFrame], Observation | None]
    """Training features against what production sends; None without such a sample."""
    examined: Callable[[Order, Fitted], Sequence[Observation]]
    """What the data step finds in the rows and features: leaks, personal data, bias."""


def train(desk: Desk, order: Order, hands: Hands, *, step: Step = lambda _: None) -> Release:
    """Trains, gathers the evidence, packages, and writes down the release.

    Raises `InputError` for what the user's code or data make impossible; the run is then recorded
    as failed, and no release exists.
    """
    author = desk.acting("developer", to="train a model")
    surroundings = environment()
    run = Run(
        id=desk.new_id(),
        model=order.charter.name,
        snapshot=order.snapshot.id,
        code_digest=order.code.digest,
        environment_digest=surroundings.digest,
        seed=order.charter.training.seed,
        parameters={},
        state="started",
        by=author.name,
        started_at=desk.now(),
    )
    with desk.change("run.started", run.id, model=run.model) as change:
        change.add(run)
        if not desk.record.find(Developed, model=run.model, person=author.name):
            change.add(Developed(f"{run.model}/{author.name}", run.model, author.name, desk.now()))
    try:
        return _finish(desk, author, order, hands, run=run, surroundings=surroundings, step=step)
    except BaseException as error:
        why = str(error) if isinstance(error, TaxiwayError) else type(error).__name__
        ended = dataclasses.replace(
            run, state="failed", finished_at=desk.now(), error=why[:2000] or "interrupted"
        )
        with desk.change("run.failed", run.id, model=run.model) as change:
            change.replace(run, ended)
        raise


def _finish(
    desk: Desk,
    author: Actor,
    order: Order,
    hands: Hands,
    *,
    run: Run,
    surroundings: Environment,
    step: Step,
) -> Release:
    step("fit")
    candidate = fit(order)
    step("evaluate")
    observations = [
        code_evidence(order),
        *judgement(order, candidate),
    ]
    step("examine the data")
    observations += hands.examined(order, candidate)
    step("rerun")
    observations.append(rerun(order, candidate))
    step("compare with production")
    like = hands.likeness(candidate.functions.features, candidate.split.train)
    if like is not None:
        observations.append(like)
    step("package")
    packaged = hands.package(parts_of(order, candidate, hands.profile, surroundings), author)
    observations.append(packaged.parity)
    observations.append(explanations(order, candidate, packaged.golden))

    # Of two runs that end at once the database refuses the second one's number.
    number = 1 + max((r.number for r in desk.record.find(Release, model=run.model)), default=0)
    release = Release(
        id=f"{run.model}:{number}",
        model=run.model,
        number=number,
        digest=packaged.digest,
        run=run.id,
        snapshot=order.snapshot.id,
        data_digest=order.snapshot.data_digest,
        charter_digest=order.charter.digest,
        contract_digest=order.contract.digest,
        author=author.name,
        signature=packaged.signature,
        at=desk.now(),
    )
    digests = {
        "model": packaged.digest,
        "snapshot": order.snapshot.id,
        "code": order.code.digest,
        "environment": surroundings.digest,
    }
    metrics = next(found for kind, _, found, _ in observations if kind == kinds.METRICS)
    ended = dataclasses.replace(
        run,
        state="finished",
        finished_at=desk.now(),
        parameters=metrics["parameters"],
        metrics=metrics["model"],
        release=release.id,
    )
    step("record")
    with desk.change("release.created", release.id, model=run.model) as change:
        change.add(release)
        change.replace(run, ended)
        change.add(hands.plan(release.id))
        for kind, examined, found, required in observations:
            change.add(
                kinds.observed(
                    kind,
                    id=desk.new_id(),
                    subject=release.id,
                    model=run.model,
                    examined=examined,
                    found=found,
                    required=required,
                    digests=digests,
                    at=desk.now(),
                    by=author.name,
                )
            )
        change.digest = packaged.digest
        change.details = {"run": run.id, "snapshot": order.snapshot.id, "metrics": metrics["model"]}
    return release
