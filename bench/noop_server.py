"""A server that parses a body and answers a constant: what Granian allows on this machine.

python bench/noop_server.py PORT         (with the same settings as `taxiway serve`)
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec

ANSWER = msgspec.json.encode(
    {
        "decision": "01m8abx1c796hccwzacv88rw4t",
        "release": "no-op:1",
        "prediction": False,
        "probability": 0.25,
        "reasons": [],
        "at": "2026-01-31T08:00:00.000000Z",
    }
)


async def app(scope: Any, protocol: Any) -> None:
    """Answers everything."""
    if scope.method == "POST":
        msgspec.json.decode(await protocol())
    protocol.response_bytes(200, [("content-type", "application/json")], ANSWER)


if __name__ == "__main__":
    from granian import Granian
    from granian.constants import Interfaces, Loops
    from granian.log import LogLevels

    Granian(
        "noop_server:app",
        address="127.0.0.1",
        port=int(sys.argv[1]),
        interface=Interfaces.RSGI,
        loop=Loops.asyncio,
        websockets=False,
        log_level=LogLevels.warning,
    ).serve()
