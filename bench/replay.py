"""A day's decisions made again, against the batch that made them: whole processes, rows per second.

    python -m bench.replay                     (`make bench-replay`; the model is trained once)

100,000 flights of one day are scored in a file and logged (`taxiway score`), and then replayed from
the log (`taxiway replay --from DAY --to DAY`): every one has to come out the same. Median of the
rounds; each begins with an empty log. The bar: replay at half the rate of the batch at least.
Writes build/bench/replay.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import polars as pl
from bench.trained import BUILD, FOLDER, TAXIWAY, data_of, empty_log, train, variables

MODEL = "mixed"
DAY = "2013-02-28"
BAR = 0.5


def day_of_flights(rows: int, path: Path) -> None:
    """Real flights, drawn until there are enough, each at a moment of its own in that day."""
    drawn = pl.read_parquet(data_of(MODEL)).drop("arr_delay", "time_hour")
    began = datetime.fromisoformat(f"{DAY}T00:00:00+00:00")
    step = 86_400_000_000 // rows
    moments = pl.int_range(rows, eager=True).cast(pl.Int64) * step
    frame = drawn.sample(rows, with_replacement=True, seed=7).with_columns(
        (pl.lit(began) + moments.cast(pl.Duration("us"))).alias("time_hour")
    )
    frame.write_parquet(path)


def seconds(*words: str) -> tuple[float, str]:
    """How long a command takes, and what it says."""
    began = time.perf_counter()
    done = subprocess.run(
        [TAXIWAY, *words],
        cwd=FOLDER,
        env=variables(),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return time.perf_counter() - began, done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--fresh", action="store_true", help="train the model again")
    given = parser.parse_args()
    train([MODEL], lambda text: print(text, file=sys.stderr), fresh=given.fresh)
    source, out = BUILD / "replay.in.parquet", BUILD / "replay.out.parquet"
    day_of_flights(given.rows, source)
    batch, again = [], []
    words = ["--model", MODEL, "--env", "dev"]
    for _ in range(given.rounds):
        empty_log()
        took, _said = seconds("score", str(source), str(out), *words, "--overwrite")
        batch.append(given.rows / took)
        took, said = seconds("replay", *words, "--from", DAY, "--to", DAY, "--json")
        again.append(given.rows / took)
        found = json.loads(said)
        if (found["equal"], found["different"]) != (given.rows, 0):
            raise SystemExit(f"Not every decision came out the same: {found}")
    rates = {"score": statistics.median(batch), "replay": statistics.median(again)}
    ratio = rates["replay"] / rates["score"]
    print(f"{'command':8} {'rows/s':>9}")
    for name, rate in rates.items():
        print(f"{name:8} {rate:9,.0f}")
    verdict = "met" if ratio >= BAR else "NOT MET"
    print(f"replay against score: {ratio:.2f} x, wanted {BAR:g} x: {verdict}")
    document = {"rows": given.rows, "rows_per_second": rates, "ratio": ratio, "bar": BAR}
    (BUILD / "replay.json").write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
