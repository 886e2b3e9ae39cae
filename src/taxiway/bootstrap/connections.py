"""Connections: how many a server holds, and how long one of them may say nothing.

Only HTTP/1.1 is spoken. A server that waits to see whether HTTP/2 will come has no limit of time
until the first bytes are there, and a thousand connections that never sent any held up everybody.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from taxiway.core.errors import InputError, shortened

IDLE_SECONDS = "TAXIWAY_IDLE_SECONDS"
"""Variable with the seconds after which a connection is closed that has not sent a whole head: a
slow one, and one that is kept and asks nothing more."""
DEFAULT_IDLE_SECONDS = 75.0
"""Longer than the minute for which load balancers keep theirs: if this side closed first, the
request that is on its way would be lost."""
MOST_IDLE_SECONDS = 3600.0
MOST_CONNECTIONS = 65_536
RESERVED_FILES = 256
"""Files that a worker needs for itself."""
FEW_FILES = 1_024
"""What every system grants a process."""


def connection_options() -> dict[str, Any]:
    """What Granian is told about connections."""
    from granian.constants import HTTPModes
    from granian.http import HTTP1Settings

    return {
        "http": HTTPModes.http1,
        "http1_settings": HTTP1Settings(header_read_timeout=int(idle_seconds() * 1000)),
        # What it calls so is the number of connections; by default a thousand end the service.
        "backpressure": most_connections(),
    }


def idle_seconds() -> float:
    """The seconds of silence after which a connection is closed. Raises `InputError`."""
    said = os.environ.get(IDLE_SECONDS)
    if not said:
        return DEFAULT_IDLE_SECONDS
    with suppress(ValueError):
        if 1 <= (seconds := float(said)) <= MOST_IDLE_SECONDS:
            return seconds
    raise InputError(
        f"{IDLE_SECONDS} is {shortened(said, 60)}; it takes 1 to {MOST_IDLE_SECONDS:g} seconds."
    )


def most_connections() -> int:
    """How many connections a process may hold: as many as it may have files, but for its own.

    Raises the limit of this process, and of the workers that it starts, as far as it may.
    """
    try:
        import resource
    except ImportError:  # Windows, which has no such limit
        return FEW_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS if hard == resource.RLIM_INFINITY else min(hard, MOST_CONNECTIONS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):  # some systems have a lower one that they don't tell of
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    files = wanted if soft == resource.RLIM_INFINITY else min(soft, MOST_CONNECTIONS)
    return max(files - RESERVED_FILES, files // 2)
