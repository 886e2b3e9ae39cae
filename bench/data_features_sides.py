"""One side of `bench.data_features`, in an environment of its own: reads, joins, writes its answer.

    python -m bench.data_features_sides SIDE FOLDER OUT

The clock runs from the files to the whole answer in memory, after everything is imported.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

VIEWS = 5
TTL_DAYS = 30
DELAY_MINUTES = 45
COLUMNS = [name for at in range(VIEWS) for name in (f"a{at}", f"b{at}")]


def taxiway(folder: Path) -> Callable[[], Any]:
    import taxiway.data.features.query
    import taxiway.data.features.training_set
    import taxiway.data.table  # noqa: F401 - like all sides, imported before the clock runs
    from taxiway.bootstrap.data import features as wired

    catalogue = wired.definitions(folder / "features")
    asked = wired.chosen(catalogue, "all")
    return lambda: wired.build(catalogue, asked, str(folder / "entities.parquet"), None).frame


def polars(folder: Path) -> Callable[[], Any]:
    import polars as pl

    def joined() -> Any:
        rows = pl.scan_parquet(folder / "entities.parquet").sort("k", "t")
        for at in range(VIEWS):
            view = pl.scan_parquet(folder / f"v{at}.parquet").with_columns(
                (pl.col("at") + timedelta(minutes=DELAY_MINUTES)).alias("known")
            )
            rows = rows.join_asof(
                view.sort("k", "known"),
                left_on="t",
                right_on="known",
                by="k",
                strategy="backward",
                check_sortedness=False,
            )
            fresh = pl.col("at") >= pl.col("t") - timedelta(days=TTL_DAYS)
            rows = rows.with_columns(pl.when(fresh).then(pl.col(f"{c}{at}")) for c in "ab")
            rows = rows.drop("at", "known")
        return rows.sort("n").collect()

    return joined


def duckdb(folder: Path) -> Callable[[], Any]:
    import duckdb as duck

    fresh = f'v{{0}}."at" >= e.t - INTERVAL {TTL_DAYS} DAY'
    values = ", ".join(
        f"CASE WHEN {fresh.format(at)} THEN v{at}.{c}{at} END AS {c}{at}"
        for at in range(VIEWS)
        for c in "ab"
    )
    joins = " ".join(
        f"ASOF LEFT JOIN (FROM '{folder}/v{at}.parquet' SELECT *, \"at\" + INTERVAL {DELAY_MINUTES}"
        f" MINUTE AS known) v{at} ON e.k = v{at}.k AND e.t >= v{at}.known"
        for at in range(VIEWS)
    )
    text = f"SELECT e.n, e.k, e.t, {values} FROM '{folder}/entities.parquet' e {joins} ORDER BY n"  # noqa: S608
    return lambda: duck.connect().sql(text).to_arrow_table()


def feast(kind: str) -> Callable[[Path], Callable[[], Any]]:
    def made(folder: Path) -> Callable[[], Any]:
        import pandas as pd
        from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig
        from feast.types import Float64, Int64
        from feast.value_type import ValueType

        place = folder / f"feast-{kind}"
        place.mkdir(exist_ok=True)
        store = FeatureStore(
            config=RepoConfig(
                project="bench",
                provider="local",
                registry=str(place / "registry.db"),
                offline_store={"type": kind},
                online_store={"type": "sqlite", "path": str(place / "online.db")},
                entity_key_serialization_version=3,
            )
        )
        key = Entity(name="k", join_keys=["k"], value_type=ValueType.INT64)
        views = [
            FeatureView(
                name=f"v{at}",
                entities=[key],
                ttl=timedelta(days=TTL_DAYS),
                schema=[
                    Field(name="k", dtype=Int64),
                    Field(name=f"a{at}", dtype=Float64),
                    Field(name=f"b{at}", dtype=Int64),
                ],
                source=FileSource(path=str(folder / f"v{at}.known.parquet"), timestamp_field="at"),
            )
            for at in range(VIEWS)
        ]
        store.apply([key, *views])
        asked = [f"v{at}:{c}{at}" for at in range(VIEWS) for c in "ab"]

        def joined() -> Any:
            rows = pd.read_parquet(folder / "entities.parquet")
            rows = rows.rename(columns={"t": "event_timestamp"})
            return store.get_historical_features(entity_df=rows, features=asked).to_df()

        return joined

    return made


SIDES: dict[str, Callable[[Path], Callable[[], Any]]] = {
    "taxiway": taxiway,
    "polars": polars,
    "duckdb": duckdb,
    "feast-duckdb": feast("duckdb"),
    "feast": feast("dask"),
}


def _arrow(table: Any, out: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(table, out)


WRITERS: dict[str, Callable[[Any, Path], object]] = {
    "polars": lambda frame, out: frame.write_parquet(out),
    "pandas": lambda frame, out: frame.to_parquet(out),
    "pyarrow": _arrow,
}


def main() -> None:
    side, folder, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    joined = SIDES[side](folder)
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    frame = joined()
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    WRITERS[type(frame).__module__.partition(".")[0]](frame, out)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    # The kernel's own high-water mark: that of `getrusage` begins with what the parent had.
    peak = Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()
    megabytes = int(peak[0]) / 1024 if peak else 0.0
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu, "megabytes": megabytes}))


if __name__ == "__main__":
    main()
