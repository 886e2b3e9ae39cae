"""A check of 7 million rows by 20 columns beside a bare scan, pandera and Great Expectations.

    python -m bench.data_check [--rows 7000000] [--rounds 3] [--peer-rows N] [--only taxiway,bare]
                               [--memory 2000000,20000000]

Every side is a process of its own, the sides take turns, and the median is taken. The neighbours
get environments of their own, made once. With fewer `--peer-rows` a neighbour's time is scaled up
to all rows, which favours it if anything. Bars: within 2 times of the bare scan; 10 times quicker
than each neighbour; 20 million rows in less than 2 GB.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from bench.data_check_sides import LEAST, MOST, NUMBERS, PATTERN, REGIONS, WHOLE
from bench.peers import Peer, install
from bench.running import ROOT, NotStartedError
from bench.trained import BUILD

from taxiway.bootstrap.data.contracts import write
from taxiway.core.contract import Column, Contract

PEERS = {
    "pandera": Peer("pandera", ("pandera[pandas]", "pyarrow"), lambda _: []),
    "great_expectations": Peer(
        "great_expectations", ("great_expectations", "pyarrow"), lambda _: []
    ),
}
SILENT = {**os.environ, "GX_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "true"}
PIECE = 1_000_000
BARE, PEER, MEGABYTES = 2.0, 10.0, 2048

CONTRACT = Contract(
    id="rows",
    version="1.0.0",
    description="Generated rows.",
    table="rows",
    columns=(
        Column("id", "integer", key=True),
        Column("at", "timestamp"),
        Column("region", "string", values=REGIONS),
        Column("code", "string", pattern=PATTERN),
        *(Column(name, "number", minimum=LEAST, maximum=MOST) for name in NUMBERS),
        *(Column(name, "integer", minimum=LEAST, maximum=MOST) for name in WHOLE),
        Column("flag", "boolean"),
        Column("day", "date"),
    ),
    moments=("recorded",),
    decision_at="recorded",
    event_time="at",
)


def rows_file(folder: Path, rows: int) -> Path:
    """A Parquet file of so many rows, made once; no more than a million of them in memory."""
    path = folder / f"rows-{rows}.parquet"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for start in range(0, rows, PIECE):
        part = folder / f"part-{start:012}.parquet"
        _piece(start, min(PIECE, rows - start)).write_parquet(part, row_group_size=131_072)
        parts.append(part)
    pl.scan_parquet(parts).sink_parquet(path, row_group_size=131_072)
    for part in parts:
        part.unlink()
    return path


def _piece(start: int, rows: int) -> pl.DataFrame:
    random = np.random.default_rng(start)
    ids = np.arange(start, start + rows)
    return pl.DataFrame(
        {
            "id": ids,
            "at": pl.Series(ids * 1_000_000).cast(pl.Datetime("us", "UTC")),
            "region": pl.Series(np.array(REGIONS)[random.integers(0, len(REGIONS), rows)]),
            "code": pl.Series(random.integers(0, 1000, rows)).cast(pl.String).str.zfill(3),
            **{name: random.normal(100, 20, rows) for name in NUMBERS},
            **{name: random.integers(0, 1000, rows) for name in WHOLE},
            "flag": random.random(rows) < 0.3,
            "day": pl.Series(random.integers(15_000, 19_000, rows)).cast(pl.Int32).cast(pl.Date),
        }
    )


def measured(side: str, python: Path, file: Path, contract: Path) -> dict[str, float]:
    """What one run of one side took. Raises `NotStartedError` if it ended badly."""
    words = [str(python), "-m", "bench.data_check_sides", side, str(file), str(contract)]
    run = subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT, env=SILENT)
    if run.returncode:
        raise NotStartedError(f"{side}: {' '.join(run.stderr.strip().splitlines()[-2:])}")
    found: dict[str, float] = json.loads(run.stdout.strip().splitlines()[-1])
    return found


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    given.add_argument("--rows", type=int, default=7_000_000)
    given.add_argument("--peer-rows", type=int)
    given.add_argument("--rounds", type=int, default=3)
    given.add_argument("--only", default="taxiway,bare,pandera,great_expectations")
    given.add_argument("--memory", default="", help="numbers of rows, to see peak memory grow")
    told = given.parse_args()
    folder = BUILD / "data-check"
    contract = folder / "rows.odcs.yaml"
    folder.mkdir(parents=True, exist_ok=True)
    write(CONTRACT, contract)
    sides = told.only.split(",")
    found: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
    failed: dict[str, str] = {}
    pythons = {side: Path(sys.executable) for side in sides}
    for side in sides:
        try:
            pythons[side] = install(PEERS[side], like=()) if side in PEERS else pythons[side]
        except NotStartedError as error:
            failed[side] = str(error)
    for turn in range(told.rounds):
        for side in sides:
            rows = (told.peer_rows or told.rows) if side in PEERS else told.rows
            if side in failed or (side in PEERS and turn):
                continue  # a neighbour takes minutes: once will do
            try:
                one = measured(side, pythons[side], rows_file(folder, rows), contract)
            except NotStartedError as error:
                failed[side] = str(error)
                continue
            scale = told.rows / rows
            found[side].append(
                {**one, "seconds": one["seconds"] * scale, "cpu": one["cpu"] * scale}
            )
            print(f"  {side:20} {one['seconds']:8.2f} s  cpu {one['cpu']:8.2f} s"
                  f"  {one['megabytes']:7.0f} MB")  # fmt: skip
    summary: dict[str, Any] = {
        side: {key: statistics.median(o[key] for o in some) for key in some[0]}
        for side, some in found.items()
        if some
    }
    bars = _bars(summary)
    memory = {
        rows: measured("taxiway", Path(sys.executable), rows_file(folder, int(rows)), contract)
        for rows in told.memory.split(",")
        if rows
    }
    for rows, one in memory.items():
        bars[f"{rows} rows below {MEGABYTES} MB"] = [one["megabytes"], one["megabytes"] < MEGABYTES]
    for bar, (value, met) in bars.items():
        print(f"{'met ' if met else 'NOT '} {bar}: {value:.2f}")
    for side, why in failed.items():
        print(f"left out: {side}: {why}")
    result = {"rows": told.rows, "sides": summary, "bars": bars, "memory": memory, "failed": failed}
    out = BUILD / "data-check.json"
    out.write_text(json.dumps(result, indent=2))
    print(f"Written to {out}")


def _bars(summary: dict[str, Any]) -> dict[str, list[Any]]:
    bars: dict[str, list[Any]] = {}
    ours = summary.get("taxiway")
    if ours is None:
        return bars
    for key in ("seconds", "cpu"):
        if "bare" in summary:
            ratio = ours[key] / summary["bare"][key]
            bars[f"{key} of the check over the bare scan's, at most {BARE:g}"] = [
                ratio,
                ratio <= BARE,
            ]
        for peer in PEERS:
            if peer in summary:
                ratio = summary[peer][key] / ours[key]
                bars[f"{key} of {peer} over the check's, at least {PEER:g}"] = [
                    ratio,
                    ratio >= PEER,
                ]
    return bars


if __name__ == "__main__":
    main()
