"""Servers as processes that are started, asked, loaded by wrk, weighed and ended."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"), "1"
)
"""One row gains nothing from threads, and two workers with threads for all cores fight."""
READY_SECONDS = 120.0
REFUSED_SECONDS = 30.0
END_SECONDS = 20.0
JSON = {"content-type": "application/json"}

# Every request is made before the first one is sent, so that wrk itself costs as little as it can.
SCRIPT = """
local requests, at = {}, 0
function init(args)
  for line in io.lines("%(bodies)s") do
    requests[#requests + 1] =
      wrk.format("POST", "%(path)s", {["content-type"] = "application/json"}, line)
  end
end
function request()
  at = at %% #requests + 1
  return requests[at]
end
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\\nRESULT {"requests": %%d, "us": %%d, "p50": %%d, "p99": %%d, "bad": %%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.status + e.read + e.write + e.timeout))
end
"""


class NotStartedError(Exception):
    """A server that can't be installed, prepared or started; the others go on."""


@dataclass(frozen=True, slots=True)
class Server:
    """A process that listens, and has answered."""

    process: subprocess.Popen[bytes]
    url: str
    cold_seconds: float
    """From the start of its process to its first answer to a real request."""
    first: Any
    """That answer."""

    def ask(self, body: Any) -> Any:
        """The answer to one request."""
        return _ask(self.url, json.dumps(body).encode())

    def settle(self, body: Any, *, times: int) -> None:
        """Waits until so many requests in a row are answered: all workers are there, none is busy.

        Raises `NotStartedError` if that takes too long.
        """
        deadline, row = time.monotonic() + READY_SECONDS, 0
        while row < times:
            if time.monotonic() > deadline:
                raise NotStartedError(f"did not answer {times} requests in a row in time")
            try:
                self.ask(body)
                row += 1
            except OSError:
                row = 0
                time.sleep(0.05)

    @property
    def megabytes(self) -> float:
        """What the process and its children have in memory; shared pages count in each."""
        resident, _ = _processes()
        return sum(resident.get(one, 0) for one in family(self.process.pid)) / 1024

    @property
    def cpu_seconds(self) -> float | None:
        """What the process and its children have computed so far; None where it is not told."""
        stats = [Path(f"/proc/{one}/stat") for one in family(self.process.pid)]
        if not stats[0].exists():
            return None
        ticks = 0
        for stat in stats:
            with suppress(OSError):
                ticks += sum(map(int, stat.read_text().rpartition(")")[2].split()[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def loaded(self, bodies: Path, *, concurrency: int, seconds: int) -> dict[str, float]:
        """One round of load, with the processor time that one request took."""
        before = self.cpu_seconds
        found = load(self.url, bodies, concurrency=concurrency, seconds=seconds)
        after = self.cpu_seconds
        if before is not None and after is not None:
            requests = max(1.0, found["requests_per_second"] * seconds)
            found["cpu_ms"] = (after - before) / requests * 1000
        return found


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str], url: str, body: Any, variables: Mapping[str, str], log: Path
) -> Iterator[Server]:
    """A server that has answered `body`; it is ended with the block, with all its children.

    Raises `NotStartedError` with the last words of its log.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as said:
        began = time.perf_counter()
        process = subprocess.Popen(
            list(command),
            env=dict(variables),
            cwd=ROOT,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        first = _first(process, url, json.dumps(body).encode(), log)
        yield Server(process, url, time.perf_counter() - began, first)
    finally:
        _end(process)


def _first(process: subprocess.Popen[bytes], url: str, body: bytes, log: Path) -> Any:
    deadline, why = time.monotonic() + READY_SECONDS, "it does not listen"
    refused = 0.0
    while process.poll() is None and time.monotonic() < deadline:
        try:
            return _ask(url, body)
        except urllib.error.HTTPError as error:
            why = f"{error.code} {error.read()[:200]!r}"
            # Some refuse until their model is loaded, and some for good.
            refused = refused or time.monotonic()
            if error.code < 500 and time.monotonic() - refused > REFUSED_SECONDS:
                break
        except OSError:
            pass
        time.sleep(0.02)
    if process.poll() is not None:
        why = f"it ended with {process.returncode}"
    last = " / ".join(log.read_text(errors="replace").strip().splitlines()[-3:])
    raise NotStartedError(f"gave no answer: {why}. {last[-400:]}")


def _ask(url: str, body: bytes) -> Any:
    with urllib.request.urlopen(urllib.request.Request(url, body, JSON), timeout=30) as answer:
        return json.load(answer)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Asks it to end, and then ends what is left of it and of the processes that it started."""
    started = family(process.pid)
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=END_SECONDS)
    for one in started:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(one, signal.SIGKILL)
    process.wait()


def family(parent: int) -> list[int]:
    """A process and all that came of it."""
    _, children = _processes()
    found = [parent]
    for one in found:
        found += children.get(one, [])
    return found


def _processes() -> tuple[dict[int, int], dict[int, list[int]]]:
    """Of every process: kilobytes in memory; and its children."""
    command = ["ps", "-eo", "pid=,ppid=,rss="]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    resident: dict[int, int] = {}
    children: dict[int, list[int]] = {}
    for line in listed.splitlines():
        pid, parent, kilobytes = map(int, line.split())
        resident[pid] = kilobytes
        children.setdefault(parent, []).append(pid)
    return resident, children


def wrk() -> str:
    """The load generator. Raises `SystemExit` if it is not there."""
    found = shutil.which("wrk")
    if found is None:
        raise SystemExit("This needs wrk: apt-get install wrk, or brew install wrk.")
    return found


def load(url: str, bodies: Path, *, concurrency: int, seconds: int) -> dict[str, float]:
    """One round of load: requests a second, p50, p99, and how many went wrong."""
    host, slash, path = url.removeprefix("http://").partition("/")
    script = bodies.with_suffix(".lua")
    script.write_text(SCRIPT % {"bodies": bodies, "path": slash + path})
    command = [wrk(), "-t1", f"-c{concurrency}", f"-d{seconds}", "--timeout", "20", "--latency"]
    done = subprocess.run(
        [*command, "-s", str(script), f"http://{host}"],
        check=True,
        capture_output=True,
        text=True,
        timeout=seconds + 60,
    )
    found = json.loads(done.stdout.partition("RESULT ")[2].partition("\n")[0])
    return {
        "requests_per_second": found["requests"] / found["us"] * 1e6,
        "p50_ms": found["p50"] / 1000,
        "p99_ms": found["p99"] / 1000,
        "bad": found["bad"],
    }
