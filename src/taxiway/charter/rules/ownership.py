"""Who answers for what, and who may not answer for both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from taxiway.charter.remark import Remark, advice, error, missing
from taxiway.core.charter import Owners
from taxiway.core.errors import close_match
from taxiway.core.operation import Inventory, Oversight
from taxiway.core.people import Person

ROLE_OF = {
    "business": "owner",
    "data": "owner",
    "development": "developer",
    "engineering": "engineer",
    "validation": "validator",
}
"""Owner's place in the charter -> the role that a person in that place usually has."""

NEEDED = {
    "business": ("training", "Somebody answers for purpose, value and use."),
    "data": ("dev", "Somebody answers for the data and hands snapshots over."),
    "development": ("dev", "Somebody answers for the code and hands releases over."),
    "engineering": ("training", "Somebody answers for running it, from the first day."),
    "validation": ("dev", "Somebody else than the developer judges the model."),
}
"""Owner's place -> (what it is needed before, why)."""


def named(owners: Owners) -> Iterator[Remark]:
    """Business and engineering share the ownership from the start; the others before a release."""
    for place, (before, why) in NEEDED.items():
        if getattr(owners, place) is None:
            what = f"nobody is named for {place}"
            todo = f"{why} For instance `{place}: anna`."
            yield missing(
                before, f"owners.{place}", what, todo=todo.replace("anna", EXAMPLE[place])
            )


EXAMPLE = {place: f"churn-{role}" for place, role in ROLE_OF.items()}


def independent(owners: Owners) -> Iterator[Remark]:
    """The validator is not the developer, and better nobody of the first line."""
    validator = owners.validation
    if validator is None:
        return
    if validator == owners.development:
        yield error(
            "owners.validation",
            "the validator is the developer",
            found=validator,
            expected=f"somebody else than {owners.development}",
            todo="Nobody validates their own model.",
        )
        return
    also = [p for p in ("business", "data", "engineering") if getattr(owners, p) == validator]
    if also:
        what = f"{validator} validates and also answers for {' and '.join(also)}"
        yield advice("owners.validation", what, todo="A validator outside the team sees more.")


def approved_by_another(owners: Owners, inventory: Inventory) -> Iterator[Remark]:
    """The developer can't approve the own model."""
    if inventory.approver == owners.development:
        yield error(
            "inventory.approver",
            "the approver is the developer",
            found=inventory.approver,
            expected=f"somebody else than {owners.development}",
        )


def overseen_by_another(owners: Owners, oversight: Oversight) -> Iterator[Remark]:
    """Who looks at the decisions should not have built the model."""
    if oversight.who == owners.development:
        what = f"{oversight.who} oversees the decisions of the own model"
        yield advice("oversight.who", what, todo="Name somebody who works with the decisions.")


def known_people(owners: Owners, people: Sequence[Person]) -> Iterator[Remark]:
    """Owners act and sign, so the workspace has to know them."""
    known = {person.id: person for person in people}
    named = {p: getattr(owners, p) for p in ROLE_OF if getattr(owners, p)}
    if named and not known:
        place, name = next(iter(named.items()))
        what = "the workspace knows none of the people who are named here"
        todo = f"Add them, such as: taxiway people add {name} --role {ROLE_OF[place]}"
        yield missing("dev", "owners", what, todo=todo)
        return
    for place, name in named.items():
        person = known.get(name)
        if person is None:
            match = close_match(name, known)
            hint = f"Did you mean {match}? Or add" if match else "Add"
            todo = f"{hint} them: taxiway people add {name} --role {ROLE_OF[place]}"
            yield missing(
                "dev", f"owners.{place}", f"the workspace does not know {name}", todo=todo
            )
        elif person.removed_at is not None:
            what = f"{name} was removed from the workspace"
            yield missing("dev", f"owners.{place}", what, todo="Name somebody who is there.")
        elif place == "validation" and "validator" not in person.roles:
            what = f"{name} does not have the role validator"
            todo = f"{name} has {', '.join(person.roles) or 'no role'}."
            yield missing("dev", f"owners.{place}", what, todo=todo)


RULES = (named, independent, approved_by_another, overseen_by_another, known_people)
