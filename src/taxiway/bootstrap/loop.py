"""Wires the loop: outcomes, windows, and a retraining from alert to decision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxiway.bootstrap import artefacts
from taxiway.bootstrap.data.meaning import mapped_source
from taxiway.bootstrap.flight import charter_of, contract_of
from taxiway.bootstrap.personal import withholding
from taxiway.bootstrap.planning import register
from taxiway.bootstrap.project import project_here
from taxiway.bootstrap.training import hands_of, order_of
from taxiway.core import evidence as kinds
from taxiway.core.charter import Charter
from taxiway.core.digest import utc_text
from taxiway.core.errors import RefusedError
from taxiway.core.evidence import Evidence
from taxiway.core.facts import Model, Proposal, Release
from taxiway.core.kind import KINDS

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from taxiway.bootstrap.workspace import Workspace
    from taxiway.monitoring.outcomes import Joined
    from taxiway.monitoring.watch import Watched
    from taxiway.retraining.comparison import Holdout
    from taxiway.training.fit import Order


def add_outcomes(workspace: Workspace, file: Path, model: str | None, *, dry_run: bool) -> Joined:
    """Joins a file of outcomes to the decisions of a model."""
    import polars as pl

    from taxiway.data.checked import read_checked
    from taxiway.data.label import label
    from taxiway.data.source import fingerprint, open_source
    from taxiway.monitoring.outcomes import add_outcomes as join
    from taxiway.monitoring.outcomes import require_key

    found = workspace.find_model(model)
    charter = charter_of(workspace, found)
    contract = contract_of(workspace, workspace.newest_release(found.id))
    source, mapped = mapped_source(
        workspace, project_here(None), open_source(file), model=found.id, read_as=contract
    )
    require_key(source.columns, contract)
    frame = read_checked(source, contract.only(source.columns), so="No outcome was added.")
    target = charter.target
    if target.name in source.columns and target.name not in contract.names:
        raw = pl.read_parquet(file) if source.format == "parquet" else pl.read_csv(file)
        frame = frame.with_columns(raw[target.name])
    withheld, kind = withholding(workspace, found, create=False), KINDS[found.kind]
    return join(
        workspace.desk,
        model=found.id,
        frame=frame,
        contract=contract,
        target=target.name,
        label=lambda rows: label(rows, target.definition, kind.label),
        kind=kind,
        source=file.name,
        digest=fingerprint(file).digest,
        as_logged=withheld.key if withheld else str,
        mapped=[one["says"] for one in mapped],
        dry_run=dry_run,
    )


def watch(
    workspace: Workspace,
    model: Model,
    environment: str,
    *,
    as_of: datetime | None,
    dry_run: bool,
) -> Watched:
    """Closes the windows that are due."""
    from taxiway.data.frame import frame_of
    from taxiway.data.profile import count_like
    from taxiway.monitoring.watch import watch as close
    from taxiway.training.metrics import interval

    charter = charter_of(workspace, model)
    watched = close(
        workspace.desk,
        model=model,
        charter=charter,
        environment=environment,
        frame_of=frame_of,
        count_like=count_like,
        measure=interval,
        as_of=as_of,
        dry_run=dry_run,
    )
    if not charter.oversight.reviewed:
        return watched
    overseen = _overseen(workspace, model, charter, environment, as_of=as_of, dry_run=dry_run)
    return replace(watched, overseen=overseen)


def _overseen(
    workspace: Workspace,
    model: Model,
    charter: Charter,
    environment: str,
    *,
    as_of: datetime | None,
    dry_run: bool,
) -> tuple[Evidence, ...]:
    """What people made of the cases of each window; what timed out is written down first."""
    from taxiway.governance.cases import expire, review_of, terms_of
    from taxiway.monitoring.oversight import oversee

    desk, terms = workspace.desk, terms_of(charter.oversight.model_dump())
    expire(desk, model.id, terms, dry_run=dry_run)
    return oversee(
        desk,
        model=model.id,
        charter=charter,
        environment=environment,
        stands=lambda decision, known: review_of(decision, known, terms, desk.now()),
        as_of=as_of,
        dry_run=dry_run,
    )


def retrain(
    workspace: Workspace,
    model: Model,
    environment: str,
    *,
    source: Path | None,
    progress: Callable[[str], None],
    dry_run: bool,
) -> dict[str, Any]:
    """One proposal from the open alerts; a challenger on the newest data; the comparison."""
    from taxiway.retraining.comparison import record_comparison
    from taxiway.retraining.proposal import propose

    desk = workspace.desk
    desk.acting("developer", to="train a challenger")
    charter = charter_of(workspace, model)
    asked = propose(desk, model=model.id, environment=environment, charter=charter, dry_run=dry_run)
    answer: dict[str, Any] = {
        "why": asked.why,
        "proposal": asked.proposal,
        "comparison": None,
        "dry_run": dry_run,
    }
    if asked.proposal is None or dry_run:
        return answer
    champion = workspace.find_release(asked.proposal.champion)
    challenger, order = _challenger(workspace, model, source=source, progress=progress)
    progress("compare")
    found, rows = _compare(workspace, charter, champion, challenger, order)
    proposal, evidence = record_comparison(
        desk,
        asked.proposal,
        found,
        rows=rows,
        minimum_gain=charter.retraining.minimum_gain,
    )
    return {**answer, "proposal": proposal, "comparison": evidence}


def _challenger(
    workspace: Workspace, model: Model, *, source: Path | None, progress: Callable[[str], None]
) -> tuple[Release, Order]:
    """A release on the newest data, and what it was trained from."""
    from taxiway.training.run import train as run

    desk, project = workspace.desk, workspace.project(model.project)
    if source is not None:
        progress("snapshot")
        workspace.data_snapshot(project.folder, source=source)
    made = project.plan(workspace.people(), desk.now().date())
    made.require("training")
    order = order_of(workspace, project, workspace.newest_snapshot(model.id))
    register(workspace, project, made)
    return run(desk, order, hands_of(workspace, project, made), step=progress), order


def _compare(
    workspace: Workspace, charter: Charter, champion: Release, challenger: Release, order: Order
) -> tuple[dict[str, Any], int]:
    """What the comparison found, and on how many rows."""
    from taxiway.retraining.comparison import Ruler, Side, compare
    from taxiway.training.fit import labelled_split
    from taxiway.training.metrics import gain, measure

    split, _, labels = labelled_split(order)
    _require_unseen(workspace, champion, utc_text(split.cut))

    def side(release: Release) -> Side:
        artefact = artefacts.load(workspace, release)
        answers = artefact.score(artefact.features(split.holdout))
        return Side(release.id, answers, artefact.threshold)

    ruler = Ruler(
        metric=charter.training.bar.metric,
        measure=measure,
        gain=gain,
        minimum_gain=charter.retraining.minimum_gain,
        minimum_slice_rows=charter.training.minimum_slice_rows,
        seed=charter.training.seed,
    )
    holdout = _holdout(charter, split.holdout, labels)
    return compare(side(champion), side(challenger), holdout, ruler), len(labels)


def _require_unseen(workspace: Workspace, champion: Release, cut: str) -> None:
    """Raises `RefusedError` if the champion has learnt from rows of the frozen holdout."""
    (metrics,) = workspace.record.find(Evidence, subject=champion.id, kind=kinds.METRICS)
    learnt_until = metrics.found["holdout_from"]
    if learnt_until > cut:
        raise RefusedError(
            f"{champion.id} has learnt from rows up to {learnt_until[:10]}, and the holdout begins"
            f" on {cut[:10]}: a comparison on it would flatter the champion.",
            todo="Take a snapshot with newer rows, then run `taxiway retrain` again.",
        )


def _holdout(charter: Charter, rows: pl.DataFrame, labels: Any) -> Holdout:
    from taxiway.retraining.comparison import Holdout
    from taxiway.training.parts import digest_of_rows

    names = [*charter.training.slices, *charter.training.protected]
    return Holdout(
        digest=digest_of_rows(rows),
        labels=labels,
        slices={name: rows[name].to_list() for name in names},
    )


def proposals(workspace: Workspace, model: Model) -> list[dict[str, Any]]:
    """The proposals of a model, each with its comparison."""
    listed = []
    for proposal in workspace.record.find(Proposal, model=model.id):
        evidence = (
            workspace.record.get(Evidence, proposal.comparison) if proposal.comparison else None
        )
        listed.append({"proposal": proposal, "comparison": evidence and evidence.found})
    return listed


def charter_of_proposal(workspace: Workspace, proposal: str) -> Charter:
    """The charter of the model that a proposal is about."""
    found = workspace.record.get(Proposal, proposal)
    return charter_of(workspace, workspace.record.get(Model, found.model))
