"""The workspace with every verb as a method: the face that the command line and Python share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxiway.bootstrap.extras import extras
from taxiway.bootstrap.opened import Opened

if TYPE_CHECKING:
    from taxiway.adapters.decisions.closing import Closed
    from taxiway.bootstrap.batch import Begin
    from taxiway.bootstrap.cases import Case, Cases
    from taxiway.bootstrap.data.checking import Asked, Checked
    from taxiway.bootstrap.decisions import Wanted
    from taxiway.bootstrap.serving import Listen
    from taxiway.charter.plan import Plan
    from taxiway.core.artefact import Artefact
    from taxiway.core.check import FlightCheck
    from taxiway.core.decision import Decision
    from taxiway.core.evidence import Evidence
    from taxiway.core.facts import Alert, Consumer, Deployment, Finding, Proposal, Snapshot
    from taxiway.core.ledger import Event
    from taxiway.core.people import Deviation, Handoff, Person, Resolution, Review, SignOff
    from taxiway.core.ports import Seen
    from taxiway.data.features.online import Lookup
    from taxiway.data.source import Source
    from taxiway.governance.history import Stay
    from taxiway.governance.ledger import LedgerReport
    from taxiway.governance.status import Status
    from taxiway.monitoring.outcomes import Joined
    from taxiway.monitoring.watch import Watched
    from taxiway.serving.compared import Compared
    from taxiway.serving.replay import Replayed
    from taxiway.serving.retention import Removal

Rows = Callable[[int], None]


def _nothing(_: Any) -> None:
    """Progress that nobody watches."""


def _no_stage(_: str, __: int | None) -> Rows:
    """A stage of work that nobody watches."""
    return _nothing


class Workspace(Opened):
    """A record with everything that can be done with it. Use it as a context manager."""

    # Charter

    def plan(self, project: Path | None = None, *, dry_run: bool = False) -> Plan:
        """Reads the charter and says what is missing; written down if somebody acts."""
        from taxiway.bootstrap.planning import plan

        return plan(self, self.project(project), dry_run=dry_run)

    # Data

    def data_check(
        self, project: Path | None = None, *, asked: Asked | None = None, on_rows: Rows = _nothing
    ) -> Checked:
        """Holds every row of a source against the contract; the charter need not be complete."""
        from taxiway.bootstrap.data.checking import check_project

        return check_project(self, self.project(project), asked, on_rows=on_rows)

    def data_snapshot(
        self,
        project: Path | None = None,
        *,
        source: Path | None = None,
        dry_run: bool = False,
        on_rows: Rows = _nothing,
    ) -> Snapshot:
        """Keeps a source as an immutable snapshot, if it holds the contract."""
        with extras():
            from taxiway.bootstrap.data.joined import joined, remember
            from taxiway.bootstrap.data.meaning import mapped_source
            from taxiway.data.snapshot import take_snapshot

            read = self.project(project)
            rows, mapped = mapped_source(self, read, read.source(source))

            def take(source: Source, seen: Seen | None = None) -> Snapshot:
                return take_snapshot(
                    self.desk,
                    model=read.charter.name,
                    source=source,
                    mapped=mapped,
                    contract=read.contract,
                    target=read.target,
                    description=read.contract.description,
                    seen=seen,
                    on_rows=on_rows,
                    dry_run=dry_run,
                )

            asked = read.charter.data.features
            if asked is None:
                return take(rows, self.seen)
            with joined(self, read, rows, asked) as made:
                taken = take(made.source)
            if not dry_run:
                remember(self, taken, made)
            return taken

    def data_resolve(
        self,
        finding: str,
        *,
        decision: str,
        reason: str,
        steps: Sequence[str] = (),
        project: Path | None = None,
        dry_run: bool = False,
    ) -> Resolution:
        """Signs what becomes of a finding of `data reconcile`."""
        from taxiway.bootstrap.data.meaning import resolve

        return resolve(
            self,
            self.project(project),
            finding,
            decision=decision,
            steps=steps,
            reason=reason,
            dry_run=dry_run,
        )

    def data_show(
        self, project: Path | None = None, *, snapshot: str | None = None
    ) -> tuple[Snapshot, dict[str, Any]]:
        """A snapshot with its profile."""
        with extras():
            from taxiway.data.snapshot import read_profile

            found = self.newest_snapshot(self.project(project).charter.name, snapshot)
            return found, read_profile(self.objects, found)

    def feature_lookup(
        self, project: Path | None = None, *, name: str | None = None, store: str | None = None
    ) -> AbstractContextManager[Lookup]:
        """The online look-up of a feature set (default: the charter's), compiled once.

        The block gets a function of the key columns and the moment of asking.
        """
        from taxiway.bootstrap.data.joined import lookup

        return lookup(self, self.project(project), name, store)

    # Training

    def train(
        self,
        project: Path | str | None = None,
        *,
        snapshot: str | None = None,
        dry_run: bool = False,
        step: Callable[[str], None] = _nothing,
    ) -> dict[str, Any]:
        """Trains a candidate, gathers its evidence and packages it as a signed release."""
        with extras():
            from taxiway.bootstrap.training import train

            return train(self, self.project(project), snapshot=snapshot, dry_run=dry_run, step=step)

    # Flight check

    def check(self, release: str | None = None, environment: str = "prod") -> FlightCheck:
        """The flight check of a release for an environment, as of now."""
        from taxiway.bootstrap.flight import flight_check

        return flight_check(self, self.newest_release(release), environment)

    def roles(self, release: str) -> list[Deployment]:
        """What a release is now, and where."""
        from taxiway.core.facts import Deployment

        return self.record.find(Deployment, release=release, until=None)

    def explain(self, check: str) -> dict[str, Any]:
        """What a check asks for, and the clauses that it serves."""
        from taxiway.governance.reference import explain

        return explain(check)

    def sign(self, check: str, release: str, reason: str, *, dry_run: bool = False) -> SignOff:
        """Signs a check of a release for the exact digests of model, data and evidence."""
        from taxiway.bootstrap.flight import sign

        return sign(self, check, release, reason, dry_run=dry_run)

    def deviate(
        self,
        check: str,
        release: str,
        *,
        reason: str,
        risk: str,
        until: datetime,
        dry_run: bool = False,
    ) -> Deviation:
        """Asks for a deviation from a check."""
        from taxiway.bootstrap.flight import deviate

        return deviate(self, check, release, reason=reason, risk=risk, until=until, dry_run=dry_run)

    def deviation_grant(self, id: str, *, dry_run: bool = False) -> Deviation:
        """Grants a deviation, with the actor's signature."""
        from taxiway.governance.deviation import grant

        return grant(self.desk, id, dry_run=dry_run)

    def deviation_refuse(self, id: str, reason: str, *, dry_run: bool = False) -> Deviation:
        """Refuses a deviation, with the actor's signature."""
        from taxiway.governance.deviation import refuse

        return refuse(self.desk, id, reason, dry_run=dry_run)

    def deviations(self, release: str | None = None) -> list[Deviation]:
        """All deviations, or those of a release."""
        from taxiway.governance.deviation import deviations

        return deviations(self.record, release)

    # People and handoffs

    def people_add(
        self,
        name: str,
        roles: Sequence[str],
        *,
        public_key: str | None = None,
        dry_run: bool = False,
    ) -> Person:
        """Adds a person with their roles and key."""
        from taxiway.governance.people import add_person

        return add_person(self.desk, self.keys, name, roles, public_key=public_key, dry_run=dry_run)

    def people_remove(self, name: str, reason: str, *, dry_run: bool = False) -> Person:
        """Takes all rights from a person."""
        from taxiway.governance.people import remove_person

        return remove_person(self.desk, name, reason, dry_run=dry_run)

    def people_list(self) -> list[Person]:
        """Everybody, those who were removed too."""
        return self.people()

    def handoff_offer(
        self, stage: str, subject: str, summary: str, due: datetime, *, dry_run: bool = False
    ) -> Handoff:
        """Offers a snapshot or a release to the owner who takes it."""
        from taxiway.governance.handoff import offer

        if stage == "data":
            subject = self.find_snapshot(subject).id
        return offer(self.desk, stage, subject, summary=summary, due=due, dry_run=dry_run)

    def handoff_accept(self, id: str, *, dry_run: bool = False) -> Handoff:
        """Accepts what was offered to the actor."""
        from taxiway.governance.handoff import accept

        return accept(self.desk, id, dry_run=dry_run)

    def handoff_return(self, id: str, reason: str, *, dry_run: bool = False) -> Handoff:
        """Returns what was offered to the actor, with the reason."""
        from taxiway.governance.handoff import send_back

        return send_back(self.desk, id, reason, dry_run=dry_run)

    def handoffs(self, model: str | None = None) -> list[Handoff]:
        """All handoffs, or those of a model, oldest first."""
        from taxiway.governance.handoff import handoffs

        return handoffs(self.record, model)

    # Deployment

    def promote(
        self,
        release: str,
        environment: str,
        *,
        canary: int | None = None,
        shadow: bool = False,
        dry_run: bool = False,
    ) -> Deployment:
        """Moves a release into an environment, if its flight check is clear at this moment.

        It becomes the champion; with `canary`, it answers for so many percent of the keys; in
        `shadow`, it decides what others have answered, without a flight check.
        """
        from taxiway.bootstrap.roles import promote

        return promote(self, release, environment, canary=canary, shadow=shadow, dry_run=dry_run)

    def withdraw(
        self,
        environment: str,
        role: str,
        *,
        model: str | None = None,
        reason: str = "",
        dry_run: bool = False,
    ) -> Deployment:
        """Ends the role of the `canary` or the `challenger` of an environment."""
        from taxiway.bootstrap.roles import withdraw

        return withdraw(self, environment, role, model=model, reason=reason, dry_run=dry_run)

    def shadow(
        self,
        environment: str,
        *,
        model: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Compared:
        """The challenger in shadow beside the champion, on the keys that both decided."""
        from taxiway.bootstrap.roles import compare_shadow

        return compare_shadow(self, environment, model=model, start=start, end=end)

    def rollback(
        self,
        environment: str,
        *,
        model: str | None = None,
        reason: str = "",
        dry_run: bool = False,
    ) -> Deployment:
        """Back to the last good release of an environment."""
        from taxiway.bootstrap.roles import rollback

        return rollback(self, environment, model=model, reason=reason, dry_run=dry_run)

    # Serving

    def consumers_add(
        self,
        name: str,
        *,
        purpose: str,
        until: datetime,
        requests_per_minute: int = 6_000,
        model: str | None = None,
        dry_run: bool = False,
    ) -> tuple[Consumer, str]:
        """Gives a consumer a key for a model's endpoint; the key is kept nowhere."""
        from taxiway.bootstrap.access import add_consumer

        return add_consumer(
            self,
            self.find_model(model),
            name,
            purpose=purpose,
            until=until,
            requests_per_minute=requests_per_minute,
            dry_run=dry_run,
        )

    def consumers_revoke(self, name: str, reason: str, *, dry_run: bool = False) -> Consumer:
        """Takes a consumer's key away."""
        from taxiway.governance.consumers import revoke_consumer

        return revoke_consumer(self.desk, name, reason, dry_run=dry_run)

    def consumers(self, model: str | None = None) -> list[Consumer]:
        """All consumers, or those of a model."""
        from taxiway.governance.consumers import consumers

        return consumers(self.record, model)

    def load(self, release: str) -> Artefact:
        """A release, verified and loaded, with its golden predictions replayed."""
        with extras():
            from taxiway.bootstrap.artefacts import load_replayed

            return load_replayed(self, self.find_release(release))

    def rehearse(
        self,
        release: str | None = None,
        environment: str = "qa",
        *,
        dry_run: bool = False,
        on_request: Rows = _nothing,
    ) -> Evidence:
        """Starts a release as a real server, measures it, and writes down what came of it."""
        with extras():
            from taxiway.bootstrap.serving import rehearse

            chosen = self.newest_release(release)
            return rehearse(self, chosen, environment, dry_run=dry_run, on_request=on_request)

    def serve(
        self,
        models: Sequence[str] = (),
        environment: str = "prod",
        *,
        release: str | None = None,
        store: str | None = None,
        listen: Listen | None = None,
        announce: Callable[[str], None] = _nothing,
    ) -> None:
        """Serves the champions of some models over HTTP, until the process is asked to end.

        Without a model, the project's or the only one; `*` stands for all that have a champion.
        `store` names the online store of features, a file or a Redis; without it, the workspace's
        own is used if it holds what the champions read.
        """
        with extras():
            from taxiway.bootstrap.serving import Listen, serve

            serve(
                self,
                models,
                environment,
                release=release,
                store=store,
                listen=listen or Listen(),
                announce=announce,
            )

    def deploy_render(
        self,
        to: Path,
        model: str | None = None,
        environment: str = "prod",
        *,
        only: Sequence[str] = (),
        image: str | None = None,
        port: int = 8000,
        workers: int = 1,
        replicas: tuple[int, int] = (2, 6),
        spans_to: str | None = None,
        wheels: Sequence[Path] = (),
        overwrite: bool = False,
        dry_run: bool = False,
    ) -> dict[str, Any]:
        """Writes what runs the champion of an environment in containers, into one folder."""
        from taxiway.bootstrap.deploy import render
        from taxiway.release.deploy.place import Asked

        asked = Asked(image, port, workers, *replicas, spans_to)
        return render(
            self,
            self.find_model(model),
            environment,
            to,
            asked=asked,
            only=only,
            wheels=wheels,
            overwrite=overwrite,
            dry_run=dry_run,
        )

    def deploy_collect(
        self,
        folders: Sequence[Path],
        model: str | None = None,
        *,
        dry_run: bool = False,
        on_decisions: Rows = _nothing,
    ) -> dict[str, Any]:
        """Adds what containers have logged to the workspace's decision log, each decision once."""
        with extras():
            from taxiway.bootstrap.collecting import collect

            found = self.find_model(model)
            return collect(self, found, folders, dry_run=dry_run, on_decisions=on_decisions)

    def score(
        self,
        source: Path | tuple[str, str],
        out: Path,
        *,
        model: str | None = None,
        environment: str = "prod",
        quarantine: Path | None = None,
        at_most: str | None = None,
        overwrite: bool = False,
        engine: str = "local",
        dry_run: bool = False,
        begin: Begin = _no_stage,
    ) -> dict[str, Any]:
        """Scores a table along the same path as the endpoint.

        `source` is a CSV or Parquet file, the folder of a Delta table, or (URL of a database,
        query). Its rows are decided on once by a release in an environment: what is in the log is
        taken from there. Rows that break the contract go to `quarantine`, `at_most` so many
        ("100", "1%"). `engine` says who decides: this process (`local`), or the workers of `ray`.
        """
        with extras():
            from taxiway.bootstrap.batch import score

            return score(
                self,
                source,
                out,
                model=self.find_model(model),
                environment=environment,
                quarantine=quarantine,
                at_most=at_most,
                overwrite=overwrite,
                engine=engine,
                dry_run=dry_run,
                begin=begin,
            )

    def decision(self, id: str) -> Decision:
        """A logged decision."""
        return self.decisions.get(id)

    def replay(self, id: str) -> Replayed:
        """Makes a logged decision again from its release and inputs."""
        with extras():
            from taxiway.bootstrap.batch import replay

            return replay(self, id)

    def replay_span(
        self,
        model: str | None = None,
        environment: str = "prod",
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        begin: Begin = _no_stage,
    ) -> dict[str, Any]:
        """Makes all decisions again that happened in a span, and counts those that differ."""
        with extras():
            from taxiway.bootstrap.batch import replay_span

            found = self.find_model(model)
            return replay_span(self, found, environment, start=start, end=end, begin=begin)

    def decisions_found(
        self, model: str | None = None, wanted: Wanted | None = None
    ) -> tuple[int, Iterator[Decision]]:
        """How many logged decisions there are of those that are wanted, and them, newest first."""
        from taxiway.bootstrap.decisions import Wanted, found

        return found(self, self.find_model(model), wanted or Wanted())

    def decisions_export(
        self,
        out: Path,
        model: str | None = None,
        wanted: Wanted | None = None,
        *,
        overwrite: bool = False,
        begin: Begin = _no_stage,
    ) -> dict[str, Any]:
        """Writes logged decisions into a CSV or Parquet file, oldest first."""
        with extras():
            from taxiway.bootstrap.decisions import Wanted, export

            chosen = wanted or Wanted()
            return export(
                self, self.find_model(model), chosen, out, overwrite=overwrite, begin=begin
            )

    def decisions_query(
        self, statement: str, out: Path | None = None, *, limit: int = 50, overwrite: bool = False
    ) -> dict[str, Any]:
        """What a SELECT over the decision log finds: its first rows, or all of them in a file."""
        with extras():
            from taxiway.bootstrap.decisions import query

            return query(self, statement, out=out, limit=limit, overwrite=overwrite)

    def decisions_close(
        self, *, only_due: bool = False, dry_run: bool = False, begin: Begin = _no_stage
    ) -> Closed:
        """Moves decisions from segments that nobody writes into Parquet files."""
        with extras():
            from taxiway.bootstrap.closing import close

            return close(self, only_due=only_due, dry_run=dry_run, begin=begin)

    def decisions_expire(self, model: str | None = None, *, dry_run: bool = True) -> Removal:
        """Removes the decisions that are older than the charter lets them be kept."""
        from taxiway.bootstrap.decisions import expire

        return expire(self, self.find_model(model), dry_run=dry_run)

    def decisions_erase(
        self, key: Sequence[str], model: str | None = None, *, reason: str, dry_run: bool = True
    ) -> Removal:
        """Removes a person's decisions and outcomes; each key is name=value or a JSON object."""
        from taxiway.bootstrap.decisions import erase

        return erase(self, self.find_model(model), tuple(key), reason=reason, dry_run=dry_run)

    # Cases

    def cases(self, model: str | None = None, wanted: Cases | None = None) -> Iterator[Case]:
        """Decisions on which a person decides, each with how it stands, the newest first."""
        from taxiway.bootstrap.cases import Cases, listed

        return listed(self, self.find_model(model), wanted or Cases())

    def case(self, id: str) -> Case:
        """A case with its decision."""
        from taxiway.bootstrap.cases import shown

        return shown(self, id)

    def case_take(self, id: str, *, dry_run: bool = False) -> Case:
        """The actor takes a case."""
        from taxiway.bootstrap.cases import take

        return take(self, id, dry_run=dry_run)

    def case_decide(self, id: str, answer: str, reason: str, *, dry_run: bool = False) -> Case:
        """The actor answers a case, `yes` or `no`: they agree with the model, or override it."""
        from taxiway.bootstrap.cases import decide

        return decide(self, id, answer, reason, dry_run=dry_run)

    def cases_expire(self, model: str | None = None, *, dry_run: bool = False) -> list[Review]:
        """Writes down which cases timed out."""
        from taxiway.bootstrap.cases import expire

        return expire(self, self.find_model(model), dry_run=dry_run)

    def reviews_of(self, decisions: Sequence[Decision]) -> dict[str, Review]:
        """How the cases among some decisions stand, by the decision's id."""
        from taxiway.bootstrap.cases import reviews_of

        return reviews_of(self, decisions)

    # The loop

    def outcomes_add(
        self, file: Path, model: str | None = None, *, dry_run: bool = False
    ) -> Joined:
        """Joins a file of outcomes to the decisions of a model."""
        with extras():
            from taxiway.bootstrap.loop import add_outcomes

            return add_outcomes(self, file, model, dry_run=dry_run)

    def watch(
        self,
        model: str | None = None,
        environment: str = "prod",
        *,
        as_of: datetime | None = None,
        dry_run: bool = False,
    ) -> Watched:
        """Closes the windows that are due."""
        with extras():
            from taxiway.bootstrap.loop import watch

            found = self.find_model(model)
            return watch(self, found, environment, as_of=as_of, dry_run=dry_run)

    def alerts(
        self, model: str | None = None, *, every: bool = False
    ) -> list[tuple[Alert, Finding]]:
        """Whom somebody or something called about what; those that are closed too, if asked for."""
        from taxiway.monitoring.alerts import alerts

        return alerts(self.record, model, every=every)

    def alerts_close(self, id: str, reason: str, *, dry_run: bool = False) -> Alert:
        """Whoever was called has looked, and says what came of it."""
        from taxiway.monitoring.alerts import close_alert

        return close_alert(self.desk, id, reason, dry_run=dry_run)

    def retrain(
        self,
        model: str | None = None,
        environment: str = "prod",
        *,
        source: Path | None = None,
        progress: Callable[[str], None] = _nothing,
        dry_run: bool = False,
    ) -> dict[str, Any]:
        """Open alerts become one proposal; a challenger is trained and compared."""
        with extras():
            from taxiway.bootstrap.loop import retrain

            found = self.find_model(model)
            return retrain(
                self, found, environment, source=source, progress=progress, dry_run=dry_run
            )

    def retrain_accept(
        self, proposal: str, reason: str, despite: str = "", *, dry_run: bool = False
    ) -> Proposal:
        """Accepts the challenger of a proposal, with the actor's signature."""
        from taxiway.bootstrap.loop import charter_of_proposal
        from taxiway.retraining.decide import accept

        charter = charter_of_proposal(self, proposal)
        return accept(
            self.desk, proposal, charter=charter, reason=reason, despite=despite, dry_run=dry_run
        )

    def retrain_decline(self, proposal: str, reason: str, *, dry_run: bool = False) -> Proposal:
        """Declines a proposal, with the actor's signature."""
        from taxiway.bootstrap.loop import charter_of_proposal
        from taxiway.retraining.decide import decline

        charter = charter_of_proposal(self, proposal)
        return decline(self.desk, proposal, charter=charter, reason=reason, dry_run=dry_run)

    def proposals(self, model: str | None = None) -> list[dict[str, Any]]:
        """The proposals of a model, each with what its comparison found."""
        from taxiway.bootstrap.loop import proposals

        return proposals(self, self.find_model(model))

    # The record

    def status(self, model: str | None = None) -> Status:
        """What runs where, who owns it, and what waits for whom."""
        from taxiway.governance.status import status

        return status(self.desk, model)

    def history(self, model: str | None = None, environment: str | None = None) -> list[Stay]:
        """What ran where, and when, and on whose approval."""
        from taxiway.governance.history import history

        return history(self.desk, model, environment)

    def running_on(self, at: datetime, model: str | None = None) -> list[Stay]:
        """What ran in each environment at a moment."""
        from taxiway.governance.history import running_on

        return running_on(self.desk, at, model)

    def ledger_verify(self) -> LedgerReport:
        """Whether the ledger, its signatures and the facts that it tells of hold."""
        from taxiway.adapters.sql import read_head
        from taxiway.governance.ledger import Head, verify_ledger

        head = read_head(self.record.head_file)
        return verify_ledger(self.record, self.desk.verify, head=Head(*head) if head else None)

    def ledger_events(self, as_of: datetime | None = None, model: str | None = None) -> list[Event]:
        """The events until a moment, of one model or of all."""
        from taxiway.governance.ledger import events_shown

        return list(events_shown(self.record, as_of=as_of, model=model))
