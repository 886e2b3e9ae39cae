"""One side of the measurement of `taxiway data check`, as a process of its own.

    python -m bench.data_check_sides taxiway|bare|pandera|great_expectations FILE CONTRACT

All hold the same rules: 20 columns there and of their type, none of them missing, limits on 14, two
lists of allowed values and a pattern, and a key that never repeats. It prints the seconds and the
processor seconds that the reading and the rules took, without the imports.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

NUMBERS = tuple(f"n{i}" for i in range(8))
WHOLE = tuple(f"k{i}" for i in range(6))
REGIONS = ("east", "north", "south", "west")
LEAST, MOST = -1000, 1000
PATTERN = "^[0-9]{3}$"


def _taxiway(file: Path, contract: Path) -> Callable[[], int]:
    from taxiway.bootstrap.data.checking import Asked, check_file

    return lambda: check_file(Asked(str(file)), contract).validation.failed_rows


def _bare(file: Path, _: Path) -> Callable[[], int]:
    """The same counts, and the number of distinct keys, by one streamed scan of Polars."""
    import polars as pl

    counts = [pl.all().null_count().name.prefix("null ")]
    limited = pl.col(NUMBERS + WHOLE)
    counts += [
        (limited < LEAST).sum().name.prefix("low "),
        (limited > MOST).sum().name.prefix("high "),
        (~pl.col(NUMBERS).is_finite()).sum().name.prefix("finite "),
        (~pl.col("region").is_in(REGIONS)).sum().alias("region"),
        (~pl.col("code").str.contains(PATTERN)).sum().alias("code"),
        (pl.len() - pl.col("id").n_unique()).alias("twice"),
        pl.col("at").min().alias("first"),
        pl.col("at").max().alias("last"),
    ]

    def run() -> int:
        found = pl.scan_parquet(file).select(counts).collect(engine="streaming")
        return sum(v for v in found.row(0) if isinstance(v, int))

    return run


def _pandera(file: Path, _: Path) -> Callable[[], int]:
    import pandas as pd
    import pandera.pandas as pa

    within = pa.Check.in_range(LEAST, MOST)
    schema = pa.DataFrameSchema(
        {
            "id": pa.Column("int64", unique=True),
            "at": pa.Column("datetime64[us, UTC]"),
            "region": pa.Column(str, pa.Check.isin(REGIONS)),
            "code": pa.Column(str, pa.Check.str_matches(PATTERN)),
            **{name: pa.Column("float64", within) for name in NUMBERS},
            **{name: pa.Column("int64", within) for name in WHOLE},
            "flag": pa.Column("bool"),
            "day": pa.Column(object),
        }
    )

    def run() -> int:
        schema.validate(pd.read_parquet(file), lazy=True)
        return 0

    return run


def _great_expectations(file: Path, _: Path) -> Callable[[], int]:
    import great_expectations as gx
    import pandas as pd
    from great_expectations import expectations as gxe

    context: Any = gx.get_context(mode="ephemeral")
    asset = context.data_sources.add_pandas("pandas").add_dataframe_asset("rows")
    batches = asset.add_batch_definition_whole_dataframe("whole")
    names = ("id", "at", "region", "code", *NUMBERS, *WHOLE, "flag", "day")
    suite = gx.ExpectationSuite(
        name="rules",
        expectations=[
            *(gxe.ExpectColumnValuesToNotBeNull(column=name) for name in names),
            *(
                gxe.ExpectColumnValuesToBeBetween(column=name, min_value=LEAST, max_value=MOST)
                for name in (*NUMBERS, *WHOLE)
            ),
            gxe.ExpectColumnValuesToBeInSet(column="region", value_set=list(REGIONS)),
            gxe.ExpectColumnValuesToMatchRegex(column="code", regex=PATTERN),
            gxe.ExpectColumnValuesToBeUnique(column="id"),
        ],
    )

    def run() -> int:
        batch = batches.get_batch(batch_parameters={"dataframe": pd.read_parquet(file)})
        found = batch.validate(suite)
        return sum(not one.success for one in found.results)

    return run


SIDES: dict[str, Callable[[Path, Path], Callable[[], int]]] = {
    "taxiway": _taxiway,
    "bare": _bare,
    "pandera": _pandera,
    "great_expectations": _great_expectations,
}


def _peak() -> float:
    """Peak memory in MB; what `getrusage` says of it is the parent's, if that was more."""
    line = next(s for s in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in s)
    return int(line.split()[1]) / 1024


def main() -> None:
    side, file, contract = sys.argv[1:4]
    run = SIDES[side](Path(file), Path(contract))
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    failed = run()
    seconds = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    found = {"seconds": seconds, "cpu": cpu, "megabytes": _peak(), "failed": failed}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
