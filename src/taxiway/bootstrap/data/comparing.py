"""Wires `data compare`: the two sources, the project's contract and release, and the record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from taxiway.bootstrap.data.meaning import mapped_source
from taxiway.bootstrap.data.sources import opened
from taxiway.bootstrap.extras import extras
from taxiway.core import evidence as kinds
from taxiway.core.digest import short
from taxiway.core.errors import InputError, MissingError
from taxiway.core.evidence import observed

if TYPE_CHECKING:
    import polars as pl

    from taxiway.bootstrap.project import Project
    from taxiway.bootstrap.workspace import Workspace
    from taxiway.core.evidence import Evidence
    from taxiway.core.facts import Release
    from taxiway.data.compare.comparison import Asked, Begin, Comparison
    from taxiway.data.compare.measures import Limits, Statistics
    from taxiway.data.source import Source
    from taxiway.data.survey.rows import Rows

ROLES = ("developer", "engineer", "validator", "owner")


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asks. What is None comes from the project, if there is one."""

    training: str | None = None
    production: str | None = None
    query: str | None = None
    """Of a database, where one side is its URL."""
    label: str | None = None
    without: tuple[str, ...] = ()
    """Columns that are known only later."""
    time: str | None = None
    release: str | None = None
    classifier: bool = True
    minimum_rows: int | None = None
    effect: float | None = None


def _unwatched(_: str, __: int | None) -> Callable[[int], None]:
    return lambda _: None


def compare(
    question: Question,
    *,
    project: Project | None = None,
    workspace: Workspace | None = None,
    begin: Begin | None = None,
    write: bool = False,
) -> Comparison:
    """Compares; `write`: and writes the result down as evidence, in the name of who acts."""
    with extras():
        from taxiway.data.compare.comparison import compare as compared

        release = _release(question, project, workspace)
        training = _training(question, project, workspace, release)
        production = _production(question, project, workspace)
        asked = _asked(question, project, workspace, release)
        contract = project.contract_or_none if project else None
        found = compared(
            training,
            production,
            statistics(),
            _limits(question, project),
            asked=asked,
            contract=contract,
            begin=begin or _unwatched,
        )
    if write:
        if workspace is None or project is None:
            raise InputError(
                "There is no project here whose record the result could be written to.",
                todo="Go to its folder, or leave --as out.",
            )
        write_down(workspace, project, release, found)
    return found


def statistics() -> Statistics:
    """The statistics of monitoring, so that training and the loop measure alike."""
    from taxiway.data.compare.measures import Statistics
    from taxiway.monitoring import statistics as known

    return Statistics(
        known.compare,
        known.adjusted,
        known.population_stability,
        lambda training, production: known.chi_square(training, production).cramers_v,
    )


def write_down(
    workspace: Workspace, project: Project, release: Release | None, found: Comparison
) -> Evidence:
    """The comparison as evidence: about the release, or the newest snapshot where none is."""
    desk, model = workspace.desk, project.charter.name
    by = desk.acting(*ROLES, to="write down a comparison").name
    snapshot = workspace.newest_snapshot(model, release.snapshot if release else None)
    digests = {"snapshot": snapshot.id} | ({"model": release.digest} if release else {})
    evidence = observed(
        kinds.LIKENESS,
        id=desk.new_id(),
        subject=release.id if release else snapshot.id,
        model=model,
        examined=found.production.rows,
        found=found.found(),
        required=found.limits.required(),
        digests=digests,
        at=desk.now(),
        by=by,
    )
    with desk.change("data.compared", evidence.subject, model=model) as change:
        change.add(evidence)
        change.digest = evidence.content
        change.details = {"source": found.production.name, "verdict": found.verdict}
    return evidence


def _limits(question: Question, project: Project | None) -> Limits:
    from taxiway.data.compare.measures import Limits

    limits = Limits()
    if project and project.file.charter:
        watch = project.file.charter.monitoring
        limits = replace(
            limits,
            effect=watch.drift_effect,
            false_discovery_rate=watch.false_discovery_rate,
            minimum_rows=watch.minimum_rows,
        )
    if question.minimum_rows is not None:
        limits = replace(limits, minimum_rows=question.minimum_rows)
    if question.effect is not None:
        limits = replace(limits, effect=question.effect)
    return limits


def _release(
    question: Question, project: Project | None, workspace: Workspace | None
) -> Release | None:
    """The release that was named, or that the result is to be written down about."""
    from taxiway.core.facts import Release

    if question.release:
        if workspace is None:
            raise InputError(
                f"Release {question.release} needs a workspace.",
                todo="Run it inside one, or leave --release out and name a --label.",
            )
        return workspace.find_release(question.release)
    if workspace is None or project is None:
        return None
    releases = workspace.record.find(Release, model=project.charter.name)
    return releases[-1] if releases else None


def _training(
    question: Question,
    project: Project | None,
    workspace: Workspace | None,
    release: Release | None,
) -> Rows:
    from taxiway.data.survey.rows import rows_of_scan, rows_of_source

    contract = project.contract_or_none if project else None
    if question.training is not None:
        source = opened(question.training, query=_query(question.training, question))
        return rows_of_source(_mapped(source, project, workspace), contract)
    if workspace is not None and project is not None:
        from taxiway.data.snapshot import scan_snapshot

        snapshot = workspace.newest_snapshot(
            project.charter.name, release.snapshot if question.release and release else None
        )
        return rows_of_scan(
            scan_snapshot(workspace.objects, snapshot), f"snapshot {short(snapshot.id)}"
        )
    if project is not None:
        return rows_of_source(project.source(None), contract)
    raise InputError(
        "There is nothing to compare.", todo="Name both: taxiway data compare TRAINING PRODUCTION"
    )


def _production(question: Question, project: Project | None, workspace: Workspace | None) -> Rows:
    from taxiway.data.survey.rows import rows_of_source

    contract = project.contract_or_none if project else None
    if question.production is not None:
        source = opened(question.production, query=_query(question.production, question))
        return rows_of_source(_mapped(source, project, workspace), contract)
    named = project.charter.data.production if project else None
    if project is None or named is None:
        raise InputError(
            "There is no sample of production.",
            todo="Name it, or give it in the charter as `data.production`.",
        )
    source = opened(project.path(named))
    return rows_of_source(_mapped(source, project, workspace), contract)


def _mapped(source: Source, project: Project | None, workspace: Workspace | None) -> Source:
    """A source as it is loaded, where there is a record of who signed what."""
    if workspace is None or project is None:
        return source
    return mapped_source(workspace, project, source, read_as=project.contract_or_none)[0]


def _query(asked: str, question: Question) -> str | None:
    """The query, for a database's URL only."""
    return question.query if "://" in asked else None


def _asked(
    question: Question,
    project: Project | None,
    workspace: Workspace | None,
    release: Release | None,
) -> Asked:
    from taxiway.data.compare.comparison import Asked
    from taxiway.data.compare.estimate import roots_of

    contract = project.contract_or_none if project else None
    label, time = question.label, question.time
    without = question.without
    if project and contract:
        target = project.file.sections.get("target")
        label = label or (target.definition if target else None)
        time = time or contract.event_time
        without += tuple(n for n in contract.names if not contract.is_known(n))
    if label is not None:
        without += (label, *roots_of(label))
    asked = Asked(label, without, time, classifier=question.classifier)
    if question.release and release is not None and workspace is not None and project is not None:
        return _scored_by(asked, project, workspace, release)
    return asked


def _scored_by(asked: Asked, project: Project, workspace: Workspace, release: Release) -> Asked:
    """With the release's own answers, on the rows that it was not trained on."""
    from datetime import datetime

    import polars as pl

    from taxiway.bootstrap.artefacts import load_replayed
    from taxiway.core.evidence import Evidence
    from taxiway.data.column_types import schema_of
    from taxiway.serving.path import score as answer

    artefact = load_replayed(workspace, release)
    schema, time = schema_of(artefact.inputs), project.contract.event_time

    def score(sample: pl.DataFrame) -> Any:
        lacking = [name for name in schema if name not in sample.columns]
        if lacking:
            raise MissingError(f"{release.id} reads {', '.join(lacking)}, which is not there.")
        return answer(artefact, sample.select(pl.col(n).cast(t) for n, t in schema.items()))

    metrics = workspace.record.find(Evidence, subject=release.id, kind=kinds.METRICS)
    if not metrics:
        raise MissingError(f"{release.id} has no evidence of its training.")
    cut = datetime.fromisoformat(metrics[-1].found["holdout_from"])
    return replace(asked, score=score, scored_by=release.id, usable=pl.col(time) >= pl.lit(cut))
