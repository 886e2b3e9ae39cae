"""`data compare` beside one pass of Polars over the same columns, and its memory over rows.

    python -m bench.data_compare [--rows 5] [--memory-rows 20] [--rounds 3]

`--rows` (millions) of 20 columns (12 floats, one of them with nulls, 4 whole numbers, 3 texts, a
time) on each side. Sides take turns, each in a process of its own, and are measured without and
with the imports. The pass counts rows, nulls and distinct texts, and
works out least, most, mean and deviation of every number, of both files: what any look at these
columns has to do, and nothing of a comparison. `--memory-rows` (0 leaves it out): how much memory
it takes to hold so many million against as many.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from bench.trained import BUILD

HERE = BUILD / "compare"
BAR, MEMORY_BAR = 3.0, 2_000
PIECE = 500_000

POLARS = """
import resource, sys, time
began, used = time.perf_counter(), time.process_time()
import polars as pl
ready, used_ready = time.perf_counter(), time.process_time()
for path in sys.argv[1:3]:
    scan = pl.scan_parquet(path)
    schema = scan.collect_schema()
    wanted = [pl.len()]
    for name, dtype in schema.items():
        column = pl.col(name)
        wanted.append(column.null_count().alias(name + ":nulls"))
        if dtype.is_numeric():
            wanted += [f(column).alias(f"{name}:{f.__name__}") for f in
                       (pl.Expr.min, pl.Expr.max, pl.Expr.mean, pl.Expr.std)]
        elif dtype == pl.String:
            wanted.append(column.n_unique().alias(name + ":distinct"))
        else:
            wanted += [column.min().alias(name + ":min"), column.max().alias(name + ":max")]
    scan.select(wanted).collect(engine="streaming")
"""
COMPARE = """
import resource, sys, time
from pathlib import Path
began, used = time.perf_counter(), time.process_time()
from taxiway.bootstrap.data.comparing import Question, compare
import polars, scipy.special, scipy.stats, sklearn.ensemble
ready, used_ready = time.perf_counter(), time.process_time()
found = compare(Question(sys.argv[1], sys.argv[2]))
assert found.verdict == "same", found.different
"""
TOLD = """
import json
print(json.dumps({"seconds": time.perf_counter() - ready, "cpu": time.process_time() - used_ready,
                  "whole": time.perf_counter() - began, "whole_cpu": time.process_time() - used,
                  "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""


def data(name: str, millions: float, seed: int) -> Path:
    """A file of rows, made once."""
    HERE.mkdir(parents=True, exist_ok=True)
    path = HERE / f"{name}-{millions:g}.parquet"
    if not path.exists():
        pieces = HERE / f"{name}.pieces"
        pieces.mkdir(exist_ok=True)
        rows, random = int(millions * 1_000_000), np.random.default_rng(seed)
        for at, start in enumerate(range(0, rows, PIECE)):
            piece(random, start, min(PIECE, rows - start)).write_parquet(
                pieces / f"{at:04}.parquet"
            )
        pl.scan_parquet(pieces).sink_parquet(path)
        for one in pieces.iterdir():
            one.unlink()
        pieces.rmdir()
    return path


def piece(random: np.random.Generator, start: int, rows: int) -> pl.DataFrame:
    """Some of the rows."""
    columns: dict[str, Any] = {f"float{n}": random.normal(n, 1 + n, rows) for n in range(12)}
    columns |= {f"whole{n}": random.integers(0, 10 ** (n + 1), rows) for n in range(4)}
    for n in range(3):
        names = np.array([f"value {v}" for v in range(5 * (n + 1))])
        columns[f"text{n}"] = names[random.integers(0, len(names), rows)]
    times = pl.Series(np.arange(start, start + rows)).cast(pl.Datetime("ms", "UTC"))
    missing = pl.Series(random.random(rows) < 0.05)
    return pl.DataFrame({**columns, "at": times}).with_columns(
        float3=pl.when(~missing).then("float3")
    )


def run(code: str, files: Sequence[Path]) -> dict[str, float]:
    """What one process took."""
    command = [sys.executable, "-c", code + TOLD, *map(str, files)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def medians(runs: Sequence[dict[str, float]]) -> dict[str, float]:
    return {key: statistics.median(one[key] for one in runs) for key in runs[0]}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    asked.add_argument("--rows", type=float, default=5)
    asked.add_argument("--memory-rows", type=float, default=20)
    asked.add_argument("--rounds", type=int, default=3)
    given = asked.parse_args()
    files = [data("training", given.rows, 1), data("production", given.rows, 2)]
    sides: dict[str, list[dict[str, float]]] = {"polars": [], "compare": []}
    for _ in range(given.rounds):
        for name, code in (("polars", POLARS), ("compare", COMPARE)):
            sides[name].append(run(code, files))
    found: dict[str, Any] = {name: medians(runs) for name, runs in sides.items()}
    ratios = {k: found["compare"][k] / found["polars"][k] for k in ("seconds", "cpu", "whole")}
    found["ratios"] = ratios
    for name in sides:
        one = found[name]
        print(
            f"{name:10} {one['seconds']:6.2f} s (processor {one['cpu']:.2f}; with imports"
            f" {one['whole']:.2f}), {one['mb']:,.0f} MB"
        )
    print(f"ratio {ratios['seconds']:.2f} (processor {ratios['cpu']:.2f}); bar {BAR:g}")
    if given.memory_rows:
        many = [data("training", given.memory_rows, 1), data("production", given.memory_rows, 2)]
        found["memory"] = run(COMPARE, many)
        print(
            f"{given.memory_rows:g} million rows on each side: {found['memory']['seconds']:.1f} s,"
            f" {found['memory']['mb']:,.0f} MB; bar {MEMORY_BAR:,} MB"
        )
    (HERE / "results.json").write_text(json.dumps({"rows": given.rows, **found}, indent=1))


if __name__ == "__main__":
    main()
