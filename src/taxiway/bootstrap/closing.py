"""Wires the closing of what is full or old in the decision log, by hand and beside an endpoint."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from taxiway.core.errors import TaxiwayError

if TYPE_CHECKING:
    from taxiway.adapters.decisions.closing import Closed
    from taxiway.bootstrap.batch import Begin
    from taxiway.bootstrap.workspace import Workspace

LOOK_SECONDS = 60.0
"""How often an endpoint looks for segments that are full or old."""
LOWEST_PRIORITY = 19


def close(workspace: Workspace, *, only_due: bool, dry_run: bool, begin: Begin) -> Closed:
    """Moves decisions from segments that nobody writes into Parquet files."""
    return workspace.decisions.close_segments(
        only_due=only_due, dry_run=dry_run, on_rows=begin("Closing", None)
    )


def keep_closing(workspace: Workspace) -> Callable[[], None]:
    """Closes what is full or old beside an endpoint, until the function that it answers is called.

    A process of its own does it, at the lowest priority: a thread would hold answers up.
    """
    ended = threading.Event()

    def keep() -> None:
        while not ended.wait(LOOK_SECONDS):
            try:
                due = workspace.decisions.due()
            except TaxiwayError:
                continue  # whoever appends hears of it; here it is tried again
            if due:
                _close_apart(workspace, ended)

    thread = threading.Thread(target=keep, name="closing", daemon=True)
    thread.start()

    def stop() -> None:
        ended.set()
        thread.join()

    return stop


def _close_apart(workspace: Workspace, ended: threading.Event) -> None:
    words = [sys.executable, "-m", "taxiway.cli", "decisions", "close", "--due"]
    variables = os.environ | {"TAXIWAY_WORKSPACE": str(workspace.root)}
    nowhere = subprocess.DEVNULL
    child = subprocess.Popen(words, env=variables, stdin=nowhere, stdout=nowhere, stderr=nowhere)
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, child.pid, LOWEST_PRIORITY)
    while child.poll() is None:
        if ended.wait(1.0):
            child.terminate()  # what it had begun is done again by whoever closes next
            child.wait()
