"""Replay: logged decisions made again from their release and their inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from taxiway.core.artefact import Artefact
from taxiway.core.decision import Decision
from taxiway.core.errors import IntegrityError, MissingError
from taxiway.serving.oversight import marked_again
from taxiway.serving.path import answer, same

if TYPE_CHECKING:
    from taxiway.serving.columns import Plain

CHUNK_ROWS = 20_000
"""Decisions of a release that are made again at a time."""

FIRST = 10
"""How many decisions that came out differently are kept to be shown."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """A decision, and what its release answers now on the same inputs."""

    decision: Decision
    output: dict[str, Any]

    @property
    def equal(self) -> bool:
        """To the bit."""
        return same(self.decision.output, self.output)


@dataclass
class Tally:
    """What came of a replay of many decisions."""

    equal: int = 0
    different: int = 0
    releases: dict[str, int] = field(default_factory=dict)
    """Release -> how many of its decisions were made again."""
    lacking: dict[str, int] = field(default_factory=dict)
    """Column that the log withholds -> how many decisions can't be made again without it."""
    withheld: int = 0
    """How many decisions can't be made again."""
    first: list[Replayed] = field(default_factory=list)
    """The first decisions that came out differently."""

    @property
    def rows(self) -> int:
        return self.equal + self.different


def replay(artefact: Artefact, decision: Decision) -> Replayed:
    """Makes a decision again.

    Raises `IntegrityError` if another artefact made it, and `MissingError` if the log withholds
    what the model reads.
    """
    lacking = _lacking(artefact, decision)
    if lacking:
        raise MissingError(
            f"Decision {decision.id} can't be made again: the log withholds"
            f" {', '.join(lacking)}, which the model reads.",
            todo="`deployment.personal` of the charter says what the log holds of such columns.",
        )
    ((_, output),) = _again(artefact, [decision])
    return Replayed(decision, output)


def replay_all(
    decisions: Iterable[Decision],
    load: Callable[[str], Artefact],
    *,
    plain: Plain | None = None,
    on_rows: Callable[[int], None] = lambda _: None,
) -> Tally:
    """Makes decisions again, in batches grouped by release, and counts those that differ.

    `load` gives a release by its name; each is loaded once. With `plain`, which makes times and
    dates of a frame text, those that are the same are found as columns, quicker. Memory does not
    grow with the decisions. Raises `IntegrityError` if another artefact than the release's made
    one.
    """
    tally = Tally()
    artefacts: dict[str, Artefact] = {}
    for group in _grouped(decisions):
        release = group[0].release
        if release not in artefacts:
            artefacts[release] = load(release)
        whole = _whole(artefacts[release], group, tally)
        if whole:
            other = _other(artefacts[release], whole, plain)
            tally.equal += len(whole) - len(other)
            if other:
                _compare(_again(artefacts[release], other), tally)
            tally.releases[release] = tally.releases.get(release, 0) + len(whole)
        on_rows(len(group))
    return tally


def _grouped(decisions: Iterable[Decision]) -> Iterator[list[Decision]]:
    """Groups of decisions of one release."""
    waiting: dict[str, list[Decision]] = {}
    for decision in decisions:
        group = waiting.setdefault(decision.release, [])
        group.append(decision)
        if len(group) == CHUNK_ROWS:
            yield waiting.pop(decision.release)
    yield from waiting.values()


def _lacking(artefact: Artefact, decision: Decision) -> list[str]:
    """What the model reads, and the log withholds."""
    return [name for name in decision.withheld if name in artefact.input_names]


def _whole(artefact: Artefact, group: Sequence[Decision], tally: Tally) -> Sequence[Decision]:
    """The decisions that can be made again; the others are counted."""
    whole = []
    for decision in group:
        lacking = _lacking(artefact, decision)
        for name in lacking:
            tally.lacking[name] = tally.lacking.get(name, 0) + 1
        if lacking:
            tally.withheld += 1
        else:
            whole.append(decision)
    return whole


def _other(
    artefact: Artefact, decisions: Sequence[Decision], plain: Plain | None
) -> Sequence[Decision]:
    """The decisions whose answer does not come out as the same text: those are looked at again."""
    if plain is None or artefact.oversight is not None:
        return decisions
    from taxiway.serving.columns import answered, text

    _require_made_by(artefact, decisions)
    frame = artefact.frame([_record(decision) for decision in decisions])
    outputs = answered(artefact, frame, plain)["output"].to_list()
    return [
        decision
        for decision, output in zip(decisions, outputs, strict=True)
        if text(decision.output) != output
    ]


def _require_made_by(artefact: Artefact, decisions: Sequence[Decision]) -> None:
    for decision in decisions:
        if artefact.digest != decision.release_digest:
            raise IntegrityError(
                f"Decision {decision.id} was made by {decision.release} with the digest"
                f" {decision.release_digest}; the record now has {artefact.digest} under that"
                " name.",
                todo="`taxiway ledger verify` says what was changed.",
            )


def _record(decision: Decision) -> dict[str, Any]:
    """The record, without pseudonyms that stand where there was something else."""
    if not decision.withheld:
        return decision.inputs
    return decision.inputs | dict.fromkeys(decision.withheld)


def _again(
    artefact: Artefact, decisions: Sequence[Decision]
) -> list[tuple[Decision, dict[str, Any]]]:
    """Each decision with the output of now."""
    _require_made_by(artefact, decisions)
    records = [_record(decision) for decision in decisions]
    outputs = marked_again(artefact, decisions, answer(artefact, artefact.frame(records)))
    return list(zip(decisions, outputs, strict=True))


def _compare(pairs: Sequence[tuple[Decision, dict[str, Any]]], tally: Tally) -> None:
    # One comparison of all of them says what single ones would, in a fraction of the time.
    if same([decision.output for decision, _ in pairs], [output for _, output in pairs]):
        tally.equal += len(pairs)
        return
    for decision, output in pairs:
        replayed = Replayed(decision, output)
        if replayed.equal:
            tally.equal += 1
        else:
            tally.different += 1
            if len(tally.first) < FIRST:
                tally.first.append(replayed)
