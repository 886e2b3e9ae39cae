"""Wires the stub: an endpoint from a contract, or from a project that has no model yet.

Needs no workspace: there is nothing to read from the record, and nothing is written to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from taxiway.bootstrap.extras import extras
from taxiway.core.kind import CLASSIFICATION, KINDS

if TYPE_CHECKING:
    from taxiway.bootstrap.project import Project
    from taxiway.bootstrap.serving import Listen
    from taxiway.core.artefact import Overseen
    from taxiway.core.contract import Contract
    from taxiway.serving.stub import Standing


def serve_stub(path: Path, listen: Listen, *, announce: Callable[[str], None]) -> None:
    """Serves the stub until the process is asked to end; what is wrong is said before."""
    from taxiway.bootstrap.serving import run

    with extras():
        model, *_ = _planned(path)
        about = {"stub": str(path.absolute()), "log_requests": listen.log_requests}
        run(about, listen, keyed=False, announce=lambda: announce(model))


def standing(path: Path) -> Standing:
    """The stub for a contract file or a project's folder."""
    from taxiway.adapters.ids import new_id
    from taxiway.bootstrap.opened import utc_now
    from taxiway.data.frame import frame_of, plain_records
    from taxiway.serving.cast import Cast
    from taxiway.serving.stub import Standing, stub_decider

    model, contract, kind, reason_codes, oversight = _planned(path)
    decider = stub_decider(
        contract,
        model,
        frame=partial(frame_of, contract=contract),
        plain=plain_records,
        reason_codes=reason_codes,
        kind=KINDS[kind],
        now=utc_now,
        new_id=new_id,
        oversight=oversight,
    )
    return Standing(Cast(decider))


def _planned(path: Path) -> tuple[str, Contract, str, str, Overseen | None]:
    """The model's name, the contract of what it may read, its kind, which decisions have reasons,
    and on which a person decides.

    A model reads only what is known when it has to answer; it may turn out to read less.
    """
    from taxiway.adapters.yaml_document import read_document
    from taxiway.bootstrap.project import read_project
    from taxiway.data.odcs import read_contract
    from taxiway.serving.oversight import overseen

    charter = None
    if path.is_dir():
        project = read_project(path)
        charter, contract = project.file.charter, project.contract
        if charter and charter.data.features:
            contract = _looked_up(project, charter.data.features)
        model = charter.name if charter else project.folder.name
        reasons = charter.deployment.reason_codes if charter else "adverse"
    else:
        contract = read_contract(read_document(path))
        model, reasons = contract.id, "adverse"
    known = contract.only(name for name in contract.names if contract.is_known(name))
    plain = charter.model_dump(mode="json") if charter else None
    kind = charter.kind if charter else CLASSIFICATION.name
    if reasons == "adverse" and not KINDS[kind].yes_or_no:
        reasons = "all"
    watched = overseen(plain, known, known.digest) if plain else None
    return model, known, kind, reasons, watched


def _looked_up(project: Project, name: str) -> Contract:
    """The project's contract for callers who may leave the features of its set out."""
    from taxiway.bootstrap.data.features import FOLDER, definitions

    contract = project.contract
    features = definitions(project.folder / FOLDER).set(name).columns
    columns = tuple(
        replace(one, nullable=True) if one.name in features else one for one in contract.columns
    )
    said = f" A record may leave out {', '.join(features)}: they are looked up."
    return replace(contract, columns=columns, description=f"{contract.description}{said}".strip())
