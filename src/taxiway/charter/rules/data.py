"""The charter beside the contract and the files of the project."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from taxiway.charter.expression import columns_of
from taxiway.charter.remark import Remark, advice, error, missing
from taxiway.core.charter import Data, Target, Training
from taxiway.core.contract import Contract
from taxiway.core.errors import close_match, shortened

Exists = Callable[[str], bool]


def files(data: Data, exists: Exists) -> Iterator[Remark]:
    """Contract and source are there before training."""
    if not exists(data.contract):
        what = f"the contract is not there: {data.contract}"
        todo = "Describe the columns there; `taxiway new` writes a contract to start from."
        yield missing("training", "data.contract", what, todo=todo)
    if not exists(data.source):
        what = f"the data are not there: {data.source}"
        yield missing("training", "data.source", what, todo="Put the file there, or correct it.")
    if data.production is None:
        what = "no sample of what production sends is named"
        todo = "With one, `train` compares it with the training data."
        yield advice("data.production", what, todo=todo)
    elif not exists(data.production):
        what = f"the sample of production is not there: {data.production}"
        yield missing("prod", "data.production", what, todo="Put the file there, or correct it.")


def code(training: Training, exists: Exists) -> Iterator[Remark]:
    """The model's code is there before training."""
    if not exists(training.code):
        what = f"the code is not there: {training.code}"
        todo = "Write it with the functions `features` and `estimator`, or correct the name."
        yield missing("training", "training.code", what, todo=todo)


def groups(training: Training, contract: Contract) -> Iterator[Remark]:
    """Slices and protected columns are columns, and no group is forgotten."""
    for key in ("slices", "protected"):
        for at, name in enumerate(getattr(training, key)):
            if name not in contract.names:
                yield _unknown(f"training.{key}.{at}", name, contract)
    forgotten = [
        c.name for c in contract.columns if c.protected and c.name not in training.protected
    ]
    if forgotten:
        what = f"the contract marks columns as protected: {', '.join(forgotten)}"
        yield error("training.protected", what, todo="List them here, so that they are looked at.")


def protected(training: Training) -> Iterator[Remark]:
    """Either groups to look at, or the reason why there is none."""
    if not training.protected and training.no_protected_because is None:
        yield missing(
            "training",
            "training.protected",
            "no protected group is named, and no reason why there is none",
            todo="List their columns, or say why in `no_protected_because`.",
        )
    if training.protected and training.no_protected_because is not None:
        what = "protected groups are named, and a reason why there is none"
        yield error("training.no_protected_because", what, todo="Leave one of them out.")


def target(target: Target, contract: Contract) -> Iterator[Remark]:
    """The definition speaks of columns, and of what turns out only after the decision."""
    place = "target.definition"
    columns = columns_of(target.definition)
    unknown = [name for name in columns if name not in contract.names]
    for name in unknown:
        yield _unknown(place, name, contract)
    if not columns:
        what = "the definition speaks of no column"
        yield error(place, what, found=target.definition, expected="a condition over columns")
    elif not unknown and all(contract.is_known(name) for name in columns):
        when = ", ".join(f"{name} at {contract.known_at(name)}" for name in columns)
        what = f"all of it is known when the model has to answer ({contract.decision_at}): {when}"
        todo = (
            "Then there is nothing to predict. Say in the contract when it turns out: `known_at`."
        )
        yield advice(place, what, todo=todo)
    if target.name in contract.names and columns != [target.name]:
        what = f"{target.name} is also a column of the contract, with a meaning of its own"
        yield error("target.name", what, todo="Give the label another name.")


def holdout(training: Training) -> Iterator[Remark]:
    """A holdout that is neither too small to judge nor too large to learn beside."""
    share = training.split.holdout
    if not 0.05 <= share <= 0.5:
        what = f"{share:.0%} of the rows judge the model, {1 - share:.0%} teach it"
        yield advice("training.split.holdout", what, todo="Usual is 10 % to 30 %.")


def _unknown(place: str, name: str, contract: Contract) -> Remark:
    match = close_match(name, contract.names)
    known = f"Known: {shortened(', '.join(contract.names))}."
    what = f"{shortened(name, 60)!r} is not a column of contract {contract.id}"
    return error(place, what, todo=f"Did you mean {match!r}?" if match else known)


RULES = (files, code, groups, protected, target, holdout)
