"""A server that parses a body and answers a constant: what Granian allows on this machine.

python -m bench.noop_server PORT [WORKERS]        (with the same settings as `taxiway serve`)
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec

ANSWER = {
    "decision": "01m8abx1c796hccwzacv88rw4t",
    "release": "no-op:1",
    "prediction": False,
    "probability": 0.25,
    "reasons": [],
    "at": "2026-01-31T08:00:00.000000Z",
}
ONE = msgspec.json.encode(ANSWER)
HUNDRED = msgspec.json.encode([ANSWER] * 100)


async def app(scope: Any, protocol: Any) -> None:
    """Answers everything: one record with one answer, a list with a hundred."""
    records = msgspec.json.decode(await protocol()) if scope.method == "POST" else None
    answer = HUNDRED if isinstance(records, list) else ONE
    protocol.response_bytes(200, [("content-type", "application/json")], answer)


if __name__ == "__main__":
    from granian import Granian
    from granian.constants import Interfaces, Loops
    from granian.log import LogLevels

    Granian(
        "bench.noop_server:app",
        address="127.0.0.1",
        port=int(sys.argv[1]),
        workers=int(sys.argv[2]) if len(sys.argv) > 2 else 1,
        interface=Interfaces.RSGI,
        loop=Loops.auto,
        websockets=False,
        log_level=LogLevels.warning,
    ).serve()
