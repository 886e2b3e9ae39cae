"""Cold start and memory, side by side in one run: the endpoint, and a no-op server on Granian.

    python -m bench.cold                       (trains its model into build/bench, once)

A round starts a server as a new process, asks until it is ready and then for one decision. Wall
time is what a caller waits; CPU time is of all its processes, and says the same on a busy machine.
Memory is the peak of the process that answers, and the sum over all of the server's processes.
Median of the rounds; the servers take turns. The bars: the first decision within 1.5 s (1 s is
aimed at), golden predictions replayed, and less than 200 MB. Writes build/bench/cold.json.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from bench.running import ROOT, free_port
from bench.trained import BUILD, TAXIWAY, train, variables

MODEL = "mixed"
RECORD = {
    "time_hour": "2013-02-28T22:00:00Z",
    "carrier": "EV",
    "flight": 4412,
    "origin": "EWR",
    "dest": "RIC",
    "engine": "Turbo-fan",
    "hour": 17,
    "distance": 277,
    "seats": 55,
    "wind_speed": 11.5,
    "wind_gust": None,
    "precip": 0.0,
    "pressure": 1012.3,
    "visib": 10.0,
}
READY_SECONDS = 60.0
TICKS = os.sysconf("SC_CLK_TCK")
BARS = {"decision_s": 1.5, "memory_mb": 200.0}


def family(pid: int) -> Iterator[int]:
    """A process and those that it started, and those that they started."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in task.read_text().split():
                yield from family(int(child))


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def asked(port: int, method: str, path: str, body: str | None = None) -> int:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        client.request(method, path, body, {"content-type": "application/json"})
        return client.getresponse().status
    except OSError:
        return 0
    finally:
        client.close()


def cold(command: list[str], port: int, ready: str, env: dict[str, str]) -> dict[str, float]:
    """One start: seconds until it is ready, until its first decision, of CPU; and megabytes."""
    began = time.perf_counter()
    server = subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        while asked(port, "GET", ready) != 200:
            if server.poll() is not None or time.perf_counter() - began > READY_SECONDS:
                raise SystemExit(f"{' '.join(command)} is not ready.")
            time.sleep(0.005)
        is_ready = time.perf_counter() - began
        assert asked(port, "POST", "/predict", json.dumps(RECORD)) == 200
        decided = time.perf_counter() - began
        processes = list(family(server.pid))
        memory = [peak_mb(pid) for pid in processes]
        return {
            "ready_s": is_ready,
            "decision_s": decided,
            "cpu_s": sum(cpu_seconds(pid) for pid in processes),
            "memory_mb": max(memory),
            "all_memory_mb": sum(memory),
        }
    finally:
        server.terminate()
        server.wait(timeout=20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="train the model again")
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    train([MODEL], print, fresh=given.fresh)
    env = variables()
    rounds: dict[str, list[dict[str, float]]] = {"no-op": [], "taxiway": []}
    for _ in range(given.rounds + 1):
        port = free_port()
        noop = [sys.executable, "-m", "bench.noop_server", str(port)]
        rounds["no-op"].append(cold(noop, port, "/", env))
        port = free_port()
        serve = [TAXIWAY, "serve", MODEL, "--release", f"{MODEL}:1", "--port", str(port)]
        rounds["taxiway"].append(cold(serve, port, "/ready", env))
    results: dict[str, Any] = {}
    columns = ("ready_s", "decision_s", "cpu_s", "memory_mb", "all_memory_mb")
    print(
        f"{'server':10} {'ready s':>8} {'decision s':>11} {'CPU s':>6} {'MB':>6} {'MB of all':>10}"
    )
    for name, found in rounds.items():
        # The first one pays for what the disk has not read yet, on whichever server it hits.
        median = {key: statistics.median(one[key] for one in found[1:]) for key in columns}
        results[name] = median
        print(
            f"{name:10} {median['ready_s']:8.2f} {median['decision_s']:11.2f}"
            f" {median['cpu_s']:6.2f} {median['memory_mb']:6.0f} {median['all_memory_mb']:10.0f}"
        )
    for key, bar in BARS.items():
        verdict = "met" if results["taxiway"][key] < bar else "not met"
        print(f"{key} below {bar:g}: {verdict}")
    document = {"results": results, "bars": BARS, "rounds": given.rounds}
    (BUILD / "cold.json").write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
