"""Online scoring, side by side in one run: the endpoint, and a no-op server on the same Granian.

    python bench/online.py                    (trains the flights' model into build/bench, once)
    python bench/online.py --fresh            (trains it again)

Requests per second, p50 and p99 at a concurrency of 1 and 32 with one row, and of 8 with 100 rows,
with the durable log and validation on. Each figure is the median of the rounds; the servers are
measured in turns, so that a noisy moment hits both. Loopback only, a few seconds at a time.
Writes build/bench/online.json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "bench"
EXAMPLE = ROOT / "examples" / "flights"
MODEL = "flight-delays"
TAXIWAY = str(Path(sys.executable).parent / "taxiway")
DIFFERENT = 200
"""Bodies that are sent in turns."""
LOADS = ((1, 1), (32, 1), (8, 100))
"""(concurrency, rows of a request)."""
READY_SECONDS = 60.0

SCRIPT = """
local bodies = {}
for line in io.lines("%s") do bodies[#bodies + 1] = line end
local at = 0
request = function()
  at = at %% #bodies + 1
  return wrk.format("POST", "/predict", {["content-type"] = "application/json"}, bodies[at])
end
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\\nRESULT {"requests": %%d, "us": %%d, "p50": %%d, "p99": %%d, "bad": %%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.status + e.read + e.write + e.timeout))
end
"""


def trained(folder: Path, *, fresh: bool) -> None:
    """A workspace with release 1 of the flights' model."""
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
    if (folder / "trained").exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    project = folder / MODEL

    def run(*words: str, at: Path = project, by: str | None = None) -> str:
        command = [TAXIWAY, *words, *(["--as", by] if by else [])]
        return subprocess.run(
            command, cwd=at, env=variables(folder), check=True, stdout=subprocess.PIPE, text=True
        ).stdout

    folder.mkdir(parents=True)
    run("init", str(folder), at=folder)
    for role in ("owner", "developer", "validator"):
        by = None if role == "owner" else "flights-owner"
        run("people", "add", f"flights-{role}", "--role", role, at=folder, by=by)
    for name, role in (("data", "owner"), ("engineer", "engineer")):
        run("people", "add", f"flights-{name}", "--role", role, at=folder, by="flights-owner")
    run("new", MODEL, "--template", "classification", "--defaults", at=folder)
    (project / "contracts" / f"{MODEL}.yaml").unlink()
    for name in ("taxiway.yaml", "model.py", "contracts/flights.yaml"):
        shutil.copyfile(EXAMPLE / name, project / name)
    shutil.copyfile(EXAMPLE / "test_model.py", project / "tests" / "test_model.py")
    git = ["git", "-c", "user.name=bench", "-c", "user.email=bench@localhost"]
    subprocess.run([*git, "add", "-A"], cwd=project, check=True)
    subprocess.run([*git, "commit", "-qm", "The example"], cwd=project, check=True)
    data = project / "data"
    data.mkdir(exist_ok=True)
    for name, words in (
        ("flights.parquet", ["--months", "1-2"]),
        ("schedule.parquet", ["--months", "3-3", "--days", "1-7", "--schedule"]),
    ):
        prepare = [sys.executable, str(EXAMPLE / "prepare.py"), *words, "--out", str(data / name)]
        subprocess.run(prepare, check=True, stdout=subprocess.DEVNULL)
    run("plan", by="flights-owner")
    taken = json.loads(run("data", "snapshot", "--json", by="flights-data"))["snapshot"]["id"]
    due = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 7 * 86400))
    words = ["handoff", "offer", "data", taken, "--due", due, "--summary", "as agreed", "--json"]
    offered = json.loads(run(*words, by="flights-data"))["id"]
    run("handoff", "accept", offered, by="flights-developer")
    run("train", by="flights-developer")
    (folder / "trained").touch()


def variables(folder: Path) -> dict[str, str]:
    own = {"TAXIWAY_WORKSPACE": str(folder), "TAXIWAY_KEYS": str(folder / "keys")}
    return {k: v for k, v in os.environ.items() if not k.startswith("TAXIWAY_")} | own


@contextmanager
def server(command: list[str], port: int, path: str, env: dict[str, str]) -> Iterator[None]:
    """A server that is ready; it is ended with the block."""
    process = subprocess.Popen(command, env=env, cwd=ROOT / "bench", stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + READY_SECONDS
        while not _answers(f"http://127.0.0.1:{port}{path}"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{' '.join(command)} is not ready; try --fresh.")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def bodies(port: int, data: Path, out: Path, rows: int) -> None:
    """Bodies of so many records, one a line, with the columns that the endpoint says it takes."""
    import polars as pl

    with urllib.request.urlopen(f"http://127.0.0.1:{port}/openapi.json", timeout=5) as response:
        document = json.load(response)
    columns = list(document["components"]["schemas"]["Record"]["properties"])
    frame = pl.read_parquet(data, n_rows=DIFFERENT + rows).select(columns)
    times = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.Datetime)]
    records = frame.with_columns(pl.col(times).dt.strftime("%Y-%m-%dT%H:%M:%SZ")).to_dicts()
    with out.open("w") as file:
        for at in range(DIFFERENT):
            body: Any = records[at] if rows == 1 else records[at : at + rows]
            file.write(json.dumps(body) + "\n")


def load(wrk: str, port: int, script: Path, concurrency: int, seconds: int) -> dict[str, float]:
    """One round of load on one server."""
    command = [wrk, "-t1", f"-c{concurrency}", f"-d{seconds}", "--latency", "-s", str(script)]
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{port}"],
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


def measured(wrk: str, ports: dict[str, int], given: argparse.Namespace) -> list[dict[str, Any]]:
    """The median of the rounds for each load and server."""
    results = []
    for concurrency, rows in LOADS:
        script = BUILD / f"online-{rows}.lua"
        listed = BUILD / f"online-{rows}.jsonl"
        bodies(ports["taxiway"], given.data, listed, rows)
        script.write_text(SCRIPT % listed)
        rounds: dict[str, list[dict[str, float]]] = {name: [] for name in ports}
        for port in ports.values():
            load(wrk, port, script, concurrency, 1)
        for _ in range(given.rounds):
            for name, port in ports.items():
                rounds[name].append(load(wrk, port, script, concurrency, given.seconds))
        for name, found in rounds.items():
            median = {key: statistics.median(one[key] for one in found) for key in found[0]}
            bad = sum(one["bad"] for one in found)
            about = {"server": name, "concurrency": concurrency, "rows": rows}
            results.append({**about, **median, "bad": bad})
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="train the model again")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4, help="of one round")
    given = parser.parse_args()
    wrk = shutil.which("wrk")
    if wrk is None:
        raise SystemExit("This needs wrk: apt-get install wrk, or brew install wrk.")
    folder = BUILD / "online"
    trained(folder, fresh=given.fresh)
    given.data = folder / MODEL / "data" / "flights.parquet"
    ports = {"no-op": free_port(), "taxiway": free_port()}
    serve = [TAXIWAY, "serve", MODEL, "--release", f"{MODEL}:1", "--port", str(ports["taxiway"])]
    noop = [sys.executable, "noop_server.py", str(ports["no-op"])]
    env = variables(folder)
    with ExitStack() as stack:
        stack.enter_context(server(noop, ports["no-op"], "/", env))
        began = time.monotonic()
        stack.enter_context(server(serve, ports["taxiway"], "/ready", env))
        cold = time.monotonic() - began
        results = measured(wrk, ports, given)
    limits = {(r["concurrency"], r["rows"]): r for r in results if r["server"] == "no-op"}
    print(
        f"{'server':10} {'c':>3} {'rows':>5} {'requests/s':>11} {'p50 ms':>8} {'p99 ms':>8}", end=""
    )
    print(f" {'of no-op':>9} {'bad':>4}")
    for one in results:
        limit = limits[one["concurrency"], one["rows"]]
        one["of_noop"] = one["requests_per_second"] / limit["requests_per_second"]
        print(
            f"{one['server']:10} {one['concurrency']:3} {one['rows']:5}"
            f" {one['requests_per_second']:11,.0f} {one['p50_ms']:8.2f} {one['p99_ms']:8.2f}"
            f" {one['of_noop']:9.1%} {one['bad']:4.0f}"
        )
    print(f"cold start to ready: {cold:.2f} s")
    BUILD.mkdir(parents=True, exist_ok=True)
    document = {"results": results, "cold_start_s": cold, "rounds": given.rounds}
    (BUILD / "online.json").write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
