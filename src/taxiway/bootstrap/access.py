"""Wires access: who may ask an endpoint, and the gate that its server asks."""

from __future__ import annotations

import json
import os
import time
from datetime import datetime
from typing import TYPE_CHECKING

from taxiway.bootstrap.opened import utc_now
from taxiway.bootstrap.serving import API_KEY
from taxiway.core.facts import Consumer, Model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taxiway.bootstrap.workspace import Workspace
    from taxiway.serving.access import Gate, Turned


def add_consumer(
    workspace: Workspace,
    model: Model,
    name: str,
    *,
    purpose: str,
    until: datetime,
    requests_per_minute: int,
    dry_run: bool,
) -> tuple[Consumer, str]:
    """A consumer with its key, for one of the charter's permitted uses."""
    from taxiway.bootstrap.flight import charter_of
    from taxiway.governance.consumers import add_consumer as add

    return add(
        workspace.desk,
        model,
        name,
        purpose=purpose,
        permitted=charter_of(workspace, model).purpose.permitted_uses,
        until=until,
        requests_per_minute=requests_per_minute,
        dry_run=dry_run,
    )


def common_gate() -> Gate:
    """A gate without consumers: open, or closed but for the one key of `TAXIWAY_API_KEY`."""
    from taxiway.serving.access import Gate

    return Gate(lambda: ((), ()), utc_now, time.monotonic, os.environ.get(API_KEY))


def gate_of(workspace: Workspace, model: str) -> Gate:
    """The gate of a model's endpoint, which reads the record when it is told to."""
    from taxiway.serving.access import Gate

    def read() -> tuple[list[Consumer], Sequence[str]]:
        found = workspace.record.find(Consumer)
        if not any(one.model == model for one in found):
            return found, ()
        # As plain data: it was read as a charter before it was stored, and the library that does
        # so would be a fifth of the endpoint's start.
        charter = json.loads(
            workspace.objects.get(workspace.record.get(Model, model).charter_digest)
        )
        return found, charter["purpose"]["permitted_uses"]

    def tell(turned: Turned) -> None:
        from taxiway.adapters.sealed import SealedRecord
        from taxiway.governance.consumers import note_refusal

        if isinstance(workspace.record, SealedRecord):
            return  # that of a bundle can't be written to; the metrics count the refusal
        note_refusal(workspace.desk, turned.consumer, asked=turned.asked, why=turned.why)

    key = os.environ.get(API_KEY)
    return Gate(read, workspace.desk.now, time.monotonic, key, model, tell)
