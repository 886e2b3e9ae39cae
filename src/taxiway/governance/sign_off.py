"""Sign-offs: a person's signature for a check, bound to the exact digests it is about."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from taxiway.core.check import CheckSpec, Status, Verdict
from taxiway.core.errors import InputError, MissingError, RefusedError
from taxiway.core.facts import Developed, Release
from taxiway.core.moves import LINE_ROLES
from taxiway.core.people import Binding, Person, SignOff
from taxiway.core.ports import Desk, Record, Verify
from taxiway.governance.catalogue import find_check
from taxiway.governance.people import require_active
from taxiway.governance.signing import signed_by

APPROVAL = "DP-01"
"""The approval of a release: never by its author, whatever roles they hold."""

LONGEST_REASON = 2000

Void = tuple[SignOff, str]
"""A sign-off that no longer holds, and why."""


def sign_off(
    desk: Desk,
    spec: CheckSpec,
    release: Release,
    binding: Binding,
    *,
    developers: Collection[str],
    reason: str,
    verdict: Verdict | None = None,
    dry_run: bool = False,
) -> SignOff:
    """The actor signs a check of a release for exactly these digests.

    `developers` are the people who developed the model (facts `Developed`), who can't sign for the
    second and third line, whatever roles they hold. `verdict` is the flight check's for this check:
    where a check is judged as well as signed, it has to have been judged well before. Raises
    `RefusedError` with the rule that says no.
    """
    if not spec.signed:
        raise RefusedError(f"{spec.id} is judged from evidence; there is nothing to sign.")
    actor = desk.acting(to=f"sign {spec.id}")
    person = require_active(desk, actor)
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise InputError(
            f"A signature needs a reason of 1 to {LONGEST_REASON} characters.",
            todo='Add --reason "what you looked at and what you conclude".',
        )
    line, why_not = _line(spec, release, person, developers)
    if line is None:
        raise RefusedError(f"{person.id} can't sign {spec.id} of {release.id}: {why_not}.")
    _require_judged(spec, release, verdict)
    for earlier in desk.record.find(SignOff, check=spec.id, release=release.id, person=person.id):
        if earlier.binding == binding:
            raise RefusedError(
                f"{person.id} signed {spec.id} of {release.id} on {earlier.at:%Y-%m-%d} already,"
                " for the same digests."
            )
    unsigned = SignOff(
        id=desk.new_id(),
        check=spec.id,
        release=release.id,
        model=release.model,
        person=person.id,
        line=line,
        model_digest=binding.model,
        data_digest=binding.data,
        evidence_digest=binding.evidence,
        reason=reason.strip(),
        at=desk.now(),
        signature="",
    )
    if dry_run:
        return unsigned
    signed = signed_by(desk, actor, person, unsigned)
    with desk.change("check.signed", release.id, model=release.model) as change:
        change.add(signed)
        change.digest = release.digest
        change.details = {
            "check": spec.id,
            "line": line,
            "reason": signed.reason,
            "sign_off": signed.id,
            "data": binding.data,
            "evidence": binding.evidence,
        }
    return signed


def valid_sign_offs(
    record: Record, verify: Verify, release: Release, binding: Binding
) -> tuple[tuple[SignOff, ...], tuple[Void, ...]]:
    """The sign-offs of a release that hold now, and those that don't, with the reason."""
    valid: list[SignOff] = []
    void: list[Void] = []
    people = {person.id: person for person in record.find(Person)}
    developers = {fact.person for fact in record.find(Developed, model=release.model)}
    for given in record.find(SignOff, release=release.id):
        why = _why_void(given, release, binding, people.get(given.person), developers, verify)
        if why:
            void.append((given, why))
        else:
            valid.append(given)
    return tuple(valid), tuple(void)


def _why_void(
    given: SignOff,
    release: Release,
    binding: Binding,
    person: Person | None,
    developers: Collection[str],
    verify: Verify,
) -> str | None:
    if person is None:
        return "nobody of that name is known"
    if not verify(person.public_key, given.payload(), given.signature):
        return "the signature does not fit what is written there"
    if person.removed_at is not None:
        return f"the person was removed on {person.removed_at:%Y-%m-%d}"
    if given.binding != binding:
        names = ("model", "data", "evidence")
        changed = [n for n in names if getattr(given.binding, n) != getattr(binding, n)]
        return f"the {' and the '.join(changed)} changed"
    try:
        spec = find_check(given.check)
    except MissingError:
        return f"there is no check {given.check}"
    line, why_not = _line(spec, release, person, developers, only=(given.line,))
    return why_not if line is None else None


def _line(
    spec: CheckSpec,
    release: Release,
    person: Person,
    developers: Collection[str],
    *,
    only: Sequence[int] | None = None,
) -> tuple[int | None, str]:
    """The line of defence for which a person may sign a check, or None and why not."""
    if spec.id == APPROVAL and person.id == release.author:
        return None, "the author of a release can't approve it"
    roles = spec.signing_roles
    held = [
        line
        for line in spec.lines
        if set(person.roles) & set(roles) & set(LINE_ROLES[line]) and (not only or line in only)
    ]
    if not held:
        has = ", ".join(person.roles) or "none"
        return None, f"it takes the role {' or '.join(roles)}, and {person.id} has {has}"
    developed = person.id in developers or person.id == release.author
    for line in held:
        if line == 1 or not developed:
            return line, ""
    return None, f"they developed {release.model}, and line {held[0]} has to be independent"


def _require_judged(spec: CheckSpec, release: Release, verdict: Verdict | None) -> None:
    """Raises `RefusedError` if there is nothing to sign yet."""
    if verdict is not None and verdict.status is Status.NOT_APPLICABLE:
        raise RefusedError(f"{spec.id} does not apply to {release.id}: {verdict.why}.")
    if not spec.automatic:
        return
    if verdict is None or verdict.status not in {Status.WAITING, Status.PASSED}:
        says = f"{verdict.status}, {verdict.why}" if verdict else "it was not judged"
        raise RefusedError(
            f"{spec.id} of {release.id} can't be signed before its evidence holds: {says}.",
            todo=(verdict.todo if verdict else "") or f"See `taxiway check {release.id}`.",
        )
