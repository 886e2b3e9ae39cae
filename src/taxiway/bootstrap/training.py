"""Wires `train`: a run with its data, its code, and what the other steps do for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from taxiway.bootstrap import artefacts
from taxiway.bootstrap.data.examined import examined
from taxiway.bootstrap.data.joined import require_pinned
from taxiway.bootstrap.data.meaning import mapped_source
from taxiway.bootstrap.planning import register
from taxiway.core import evidence as kinds
from taxiway.core.digest import short
from taxiway.core.errors import InputError
from taxiway.core.evidence import Evidence, Observation
from taxiway.core.kind import KINDS

if TYPE_CHECKING:
    import polars as pl

    from taxiway.bootstrap.project import Project
    from taxiway.bootstrap.workspace import Workspace
    from taxiway.charter.plan import Plan
    from taxiway.core.facts import Release, Snapshot
    from taxiway.training.fit import Order
    from taxiway.training.run import Hands


def train(
    workspace: Workspace,
    project: Project,
    *,
    snapshot: str | None,
    dry_run: bool,
    step: Callable[[str], None],
) -> dict[str, Any]:
    """A release of the project on a snapshot, and what there is to say about it."""
    desk = workspace.desk
    desk.acting("developer", to="train a model")
    made = project.plan(workspace.people(), desk.now().date())
    made.require("training")
    taken = workspace.newest_snapshot(project.charter.name, snapshot)
    order = order_of(workspace, project, taken)
    if dry_run:
        return {"model": project.charter.name, "snapshot": taken.id, "dry_run": True}
    from taxiway.training.run import train as run

    register(workspace, project, made)
    release = run(desk, order, hands_of(workspace, project, made), step=step)
    return summary(workspace, release)


def summary(workspace: Workspace, release: Release) -> dict[str, Any]:
    """What a run found, for people and machines."""
    found = {e.kind: e for e in workspace.record.find(Evidence, subject=release.id)}
    metrics = found[kinds.METRICS]
    return {
        "model": release.model,
        "release": release.id,
        "digest": release.digest,
        "run": release.run,
        "snapshot": release.snapshot,
        "holdout_rows": metrics.examined,
        "metrics": metrics.found,
        "warnings": [
            f"features reads {late['column']}, which is known only at {late['known_at']}"
            for late in found[kinds.LEAKAGE].found["late"]
        ],
    }


def order_of(workspace: Workspace, project: Project, snapshot: Snapshot) -> Order:
    """What to train. Raises `InputError` if the contract changed since the snapshot."""
    from taxiway.charter.scaffold import template_of
    from taxiway.data.label import columns_of, label
    from taxiway.data.snapshot import read_snapshot
    from taxiway.training.code import commit_of, read_code
    from taxiway.training.fit import Order

    charter, contract = project.charter, project.contract
    if snapshot.contract_digest != contract.digest:
        raise InputError(
            f"The contract changed since snapshot {short(snapshot.id)} was taken.",
            todo="Take a new one: taxiway data snapshot",
        )
    if charter.data.features is not None:
        require_pinned(workspace, snapshot, charter.data.features)
    frame, of = read_snapshot(workspace.objects, snapshot), KINDS[charter.kind].label
    code = read_code(project.folder, charter.training.code)
    commit, dirty = commit_of(project.folder, code.files)
    template, version = template_of(project.folder) or ("", "")
    return Order(
        charter=charter,
        contract=contract,
        snapshot=snapshot,
        frame=frame,
        labels=label(frame, charter.target.definition, of),
        target_columns=columns_of(charter.target.definition, contract, of),
        code=code,
        origin={
            "commit": commit,
            "dirty": dirty,
            "template": template,
            "template_version": version,
        },
    )


def hands_of(workspace: Workspace, project: Project, made: Plan) -> Hands:
    """What the other steps do for a run."""
    from taxiway.training.run import Hands

    return Hands(
        plan=partial(_plan, workspace, project, made),
        package=partial(artefacts.package, workspace),
        profile=partial(_profile, project),
        likeness=partial(_likeness, workspace, project),
        examined=examined,
    )


def _plan(workspace: Workspace, project: Project, made: Plan, release: str) -> Evidence:
    """The plan that a release is made under, as evidence about it."""
    from taxiway.charter.inventory import answers_of_record
    from taxiway.charter.register import plan_evidence

    desk, charter = workspace.desk, project.charter
    return plan_evidence(
        charter,
        id=desk.new_id(),
        subject=release,
        at=desk.now(),
        by=desk.acting(to="train a model").name,
        problems=len(made.errors) + len(made.missing),
        answers=made.answers,
        known=answers_of_record(desk.record, charter.name, version=release),
    )


def _profile(project: Project, rows: pl.DataFrame, scores: Any) -> dict[str, Any]:
    import polars as pl

    from taxiway.data.profile import column_profile, profile

    output = column_profile(pl.Series(KINDS[project.charter.kind].score, scores), "number")
    return {**profile(rows, project.contract), "output": output}


def _likeness(
    workspace: Workspace,
    project: Project,
    features: Callable[[pl.DataFrame], pl.DataFrame],
    training: pl.DataFrame,
) -> Observation | None:
    from taxiway.data.checked import read_checked
    from taxiway.data.frame import frame_of
    from taxiway.data.likeness import likeness
    from taxiway.data.source import open_source
    from taxiway.monitoring.statistics import adjusted, compare

    charter, contract = project.charter, project.contract
    name = charter.data.production
    if name is None or not project.path(name).is_file():
        return None
    source, mapped = mapped_source(
        workspace, project, open_source(project.path(name)), read_as=contract
    )
    # What production sends: the columns that are known when the model has to answer. What the
    # features read besides is empty, as it would be at the endpoint.
    sent = contract.only(n for n in contract.names if n in source.columns and contract.is_known(n))
    checked = read_checked(source, sent, so="Nothing was compared with it.")
    production = frame_of([], contract).clear(checked.height).with_columns(checked)
    found, required = likeness(
        features(training),
        features(production),
        source=name,
        compare=compare,
        adjust=adjusted,
        effect=charter.monitoring.drift_effect,
        false_discovery_rate=charter.monitoring.false_discovery_rate,
        minimum_rows=charter.monitoring.minimum_rows,
    )
    if mapped:
        found["mapped"] = mapped
    return kinds.LIKENESS, production.height, found, required
