"""Rehearsal: a release as a real server process, before anything depends on it.

The server answers the golden predictions over HTTP, one by one and all at once; what came out is
held against what the release promises, and how long it took is measured.
"""

from __future__ import annotations

import http.client
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from taxiway.core.artefact import Artefact
from taxiway.core.errors import IntegrityError, shortened
from taxiway.core.kind import kind_of
from taxiway.serving.path import answer, same

REQUESTS = 500
START_SECONDS = 120.0
END_SECONDS = 20.0
ENVIRONMENT = "rehearsal"
"""Where the decisions of a rehearsal are logged: never among those of an environment."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What a rehearsal is held with."""

    command: Sequence[str]
    """Starts the server on `port`."""
    port: int
    variables: Mapping[str, str]
    """The server's environment variables."""
    logged: Callable[[], int]
    """How many decisions of rehearsals of this release are in the log."""
    way_back: Callable[[], dict[str, Any] | None]
    """Loads the release to go back to: {to, ok, what}; None if there is no earlier one."""


def rehearse(
    artefact: Artefact,
    stage: Stage,
    *,
    environment: str,
    on_request: Callable[[int], None] = lambda _: None,
) -> tuple[int, dict[str, Any]]:
    """`examined` and `found` of the evidence REHEARSAL."""
    before = stage.logged()
    with tempfile.TemporaryFile() as errors:
        began = time.monotonic()
        server = subprocess.Popen(
            stage.command, env=stage.variables, stdout=subprocess.DEVNULL, stderr=errors
        )
        try:
            with closing(_ready(stage.port, server, errors, artefact.release)) as client:
                cold_start = time.monotonic() - began
                played = _play(artefact, client, on_request)
            memory = _memory_mb(server.pid)
        finally:
            ended = _end(server)
    rollback = stage.way_back() or {
        "to": None,
        "ok": ended is not None,
        "what": f"there is no earlier release; the server ended {ended or 0.0:.1f} s after it was"
        " asked to",
    }
    return played.requests, {
        "environment": environment,
        "golden_rows": len(artefact.golden),
        "golden_equal": played.golden_equal,
        "batch_equal": played.batch_equal,
        "errors": played.errors,
        "latency_ms": {"p50": played.quantile(0.5), "p99": played.quantile(0.99)},
        "cold_start_s": round(cold_start, 3),
        "memory_mb": round(memory, 1),
        "decisions_sent": played.sent,
        "decisions_logged": stage.logged() - before,
        "rollback": rollback,
    }


@dataclass(slots=True)
class _Played:
    """What was asked, and what came back."""

    latencies: list[float]
    requests: int = 0
    sent: int = 0
    errors: int = 0
    golden_equal: bool = True
    batch_equal: bool = True

    def quantile(self, share: float) -> float:
        """Milliseconds within which a share of the answers was there."""
        ordered = sorted(self.latencies)
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3)


def _play(
    artefact: Artefact, client: http.client.HTTPConnection, on_request: Callable[[int], None]
) -> _Played:
    played = _Played([])
    records = [row["inputs"] for row in artefact.golden]
    promised = [row["output"] for row in artefact.golden]
    for at in range(max(REQUESTS, len(records))):
        began = time.perf_counter()
        status, body = _post(client, records[at % len(records)])
        played.latencies.append((time.perf_counter() - began) * 1000)
        played.requests += 1
        if status != 200:
            played.errors += 1
            continue
        played.sent += 1
        played.golden_equal &= same(_output(body), promised[at % len(records)])
        on_request(1)
    status, body = _post(client, records)
    played.requests += 1
    if status == 200:
        played.sent += len(body)
        together = [_output(one) for one in body]
        in_process = answer(artefact, artefact.frame(records))
        played.batch_equal = same(together, promised) and same(in_process, promised)
    else:
        played.errors += 1
        played.batch_equal = False
    return played


def _post(client: http.client.HTTPConnection, content: Any) -> tuple[int, Any]:
    client.request("POST", "/predict", json.dumps(content), {"content-type": "application/json"})
    response = client.getresponse()
    return response.status, json.loads(response.read())


def _output(body: dict[str, Any]) -> dict[str, Any]:
    return {name: body.get(name) for name in (*kind_of(body).output, "reasons")}


def _ready(
    port: int, server: subprocess.Popen[bytes], errors: Any, release: str
) -> http.client.HTTPConnection:
    """A connection to the server, once it is ready. Raises `IntegrityError` if it does not come."""
    why = f"it was not ready after {START_SECONDS:.0f} s"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip()
            why = f"it ended with {server.returncode}: {shortened(said, 2000) or 'without a word'}"
            break
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            client.request("GET", "/ready")
            response = client.getresponse()
            said = response.read().decode(errors="replace")
        except OSError:
            client.close()
            time.sleep(0.05)
            continue
        if response.status == 200:
            return client
        why = f"it says: {shortened(said, 500)}"
        client.close()
        time.sleep(0.1)
    raise IntegrityError(f"The server of {release} does not come up: {why}")


def _end(server: subprocess.Popen[bytes]) -> float | None:
    """Asks the server to end, and says how many seconds it took; None if it had to be killed."""
    began = time.monotonic()
    server.terminate()
    try:
        server.wait(timeout=END_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
        return None
    return time.monotonic() - began


def _memory_mb(pid: int) -> float:
    """The most memory that the largest process of the server has held, in MB.

    Read from the processes themselves: what the system adds up for children that have ended counts
    the memory of the process that started them, too.
    """
    proc = Path("/proc")
    if not proc.is_dir():
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
    return max((_peak_kb(proc / str(one)) for one in _family(proc, pid)), default=0) / 1024


def _family(proc: Path, pid: int) -> list[int]:
    """A process and those that it started, and those that they started."""
    parents: dict[int, int] = {}
    for stat in proc.glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    family = [pid]
    for one in family:
        family += [child for child, parent in parents.items() if parent == one]
    return family


def _peak_kb(process: Path) -> int:
    with suppress(OSError):
        for line in (process / "status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0
