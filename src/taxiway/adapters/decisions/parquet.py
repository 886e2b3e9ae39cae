"""Closed files: the decisions of a model in an environment that were made on a day, as Parquet."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from taxiway.adapters.decisions.catalogue import ClosedFile
from taxiway.adapters.decisions.query import CASE, Found, MovedError, Query, micros, moment
from taxiway.adapters.ids import new_id
from taxiway.adapters.json_text import data
from taxiway.core.decision import Decision
from taxiway.core.errors import IntegrityError, StoreError, shortened

if TYPE_CHECKING:
    import polars as pl

GROUP_ROWS = 10_000
"""Rows of a row group: what is read of a file at once."""
PARTIAL = ".partial"

COMMON = ("model", "release", "release_digest", "environment", "channel", "withheld")
PLAIN = ("id", *COMMON[:-1], "key")
"""Columns that are the fields of a decision as they are."""
TIMES = ("happened_at", "at")


INPUT = "inputs."
"""What a column of one input begins with. A file has either these, or `inputs` as JSON text."""


def schema() -> dict[str, Any]:
    """The columns of a closed file, as `scan` gives them.

    `behind_us` is how much older the answer seems to be than one before it: not zero where the
    clock went back. `prediction` and `probability` are of the output, for those who query; an
    answer that is a number is `predicted`, and leaves the two empty.
    """
    import polars as pl

    time = pl.Datetime("us", "UTC")
    return {
        "id": pl.String(),
        **{name: pl.String() for name in COMMON},
        "key": pl.String(),
        "happened_at": time,
        "at": time,
        "behind_us": pl.Int64(),
        "prediction": pl.Boolean(),
        "probability": pl.Float64(),
        "predicted": pl.Float64(),
        "inputs": pl.String(),
        "output": pl.String(),
        "latency_us": pl.Int64(),
    }


def as_closed(frame: pl.DataFrame) -> pl.DataFrame:
    """Decisions in the columns of a closed file; a struct of inputs has a column for each."""
    import polars as pl

    plain, inputs = schema(), frame.schema["inputs"]
    if not isinstance(inputs, pl.Struct):
        return frame.select(pl.col(name).cast(dtype) for name, dtype in plain.items())
    each = pl.col("inputs").struct
    return frame.select(
        *(pl.col(name).cast(dtype) for name, dtype in plain.items() if name != "inputs"),
        *(each.field(field.name).alias(f"{INPUT}{field.name}") for field in inputs.fields),
    )


def write(folder: Path, frame: pl.DataFrame, *, level: int = 3) -> ClosedFile:
    """Writes decisions of one partition into a file, reads it back, and says what it holds.

    `level` says how hard zstd tries.

    It is on the disk when this returns; nobody knows of it until the catalogue does.
    """
    import polars as pl

    ordered = frame.sort("happened_at", "id")
    made_at = ordered["at"].cast(pl.Int64) + ordered["behind_us"]
    model, environment = ordered["model"][0], ordered["environment"][0]
    day = moment(int(made_at.min())).date()  # type: ignore[arg-type]
    place = f"model={_plain(model)}/environment={_plain(environment)}/day={day}"
    target = folder / place / f"{new_id()}.parquet"
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(PARTIAL)
    with _polars_errors(partial):
        ordered.write_parquet(
            partial,
            compression="zstd",
            compression_level=level,
            row_group_size=GROUP_ROWS,
            statistics=True,
        )
        sync(partial)
        if not pl.read_parquet(partial, hive_partitioning=False).equals(ordered):
            raise StoreError(
                f"{partial} does not read as it was written; the segment was kept as it is.",
                todo="Check the disk.",
            )
    partial.rename(target)
    for path in (target.parent, *target.parents[1:4]):
        sync(path)
    happened = ordered["happened_at"].cast(pl.Int64)
    return ClosedFile(
        path=str(target.relative_to(folder)),
        model=model,
        environment=environment,
        rows=ordered.height,
        first_id=str(ordered["id"].min()),
        last_id=str(ordered["id"].max()),
        first_happened_at=happened[0],
        last_happened_at=happened[-1],
        first_made_at=int(made_at.min()),  # type: ignore[arg-type]
        last_made_at=int(made_at.max()),  # type: ignore[arg-type]
    )


def _plain(name: str) -> str:
    return quote(name, safe="")


def sync(path: Path) -> None:
    """Brings a file or folder on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class _polars_errors:  # noqa: N801 - read as a word behind `with`
    """What polars says of a file, as an error of ours."""

    path: Path

    def __enter__(self) -> None:
        """Nothing to begin."""

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        import polars as pl

        if isinstance(error, FileNotFoundError):
            raise MovedError(str(self.path)) from error
        if isinstance(error, pl.exceptions.PolarsError | OSError):
            if not self.path.exists():
                raise MovedError(str(self.path)) from error
            raise StoreError(
                f"The decision log's file {self.path} can't be used: {shortened(error)}.",
                todo="Check the disk, or restore the file from its backup.",
            ) from error


# Reading


def find(folder: Path, file: ClosedFile, query: Query) -> Found:
    """What a file has of a query, read a part at a time."""
    wanted = _wanted(query)

    def read(rows: int) -> Iterator[Decision]:
        starts = range(0, file.rows, rows)
        for start in reversed(starts) if query.newest_first else starts:
            part = scan(folder, file).slice(start, min(rows, file.rows - start)).filter(wanted)
            found = decisions(folder, file, part)
            yield from reversed(found) if query.newest_first else found

    def of_key(rows: int) -> Iterator[Decision]:
        return (one for one in read(rows) if query.of_key(one.key))

    return Found(file.happened, of_key if query.key else read)


def count(folder: Path, file: ClosedFile, query: Query) -> int:
    """How many decisions of a query a file has."""
    import polars as pl

    plain = query.release is None and query.positive is None and not query.key and not query.cases
    if plain and query.covers(file.happened):
        return file.rows
    wanted = scan(folder, file).filter(_wanted(query))
    with _polars_errors(folder / file.path):
        if not query.key:
            return int(wanted.select(pl.len()).collect().item())
        return sum(map(query.of_key, wanted.select("key").collect()["key"]))


def of_ids(folder: Path, file: ClosedFile, first: str, last: str) -> list[Decision]:
    """Decisions with first <= id <= last, ordered by id."""
    import polars as pl

    wanted = pl.col("id").is_between(pl.lit(first), pl.lit(last))
    found = decisions(folder, file, scan(folder, file).filter(wanted))
    return sorted(found, key=lambda one: one.id)


def rows_of_ids(folder: Path, file: ClosedFile, ids: pl.Series) -> pl.DataFrame:
    """The rows of a file that have one of these ids."""
    import polars as pl

    with _polars_errors(folder / file.path):
        return scan(folder, file).filter(pl.col("id").is_in(ids.implode())).collect()


def made_before(folder: Path, file: ClosedFile, at: int) -> list[tuple[str, datetime]]:
    """Ids and moments of decisions that were made before, ordered by id."""
    import polars as pl

    made_at = pl.col("at").cast(pl.Int64) + pl.col("behind_us")
    old = scan(folder, file).filter(made_at < at).select("id", pl.col("at").cast(pl.Int64))
    with _polars_errors(folder / file.path):
        rows = old.sort("id").collect().iter_rows()
    return [(identity, moment(made)) for identity, made in rows]


def keys(folder: Path, file: ClosedFile) -> Iterator[tuple[str, str]]:
    """Id and key of every decision of a file."""
    with _polars_errors(folder / file.path):
        return scan(folder, file).select("id", "key").collect().iter_rows()


def without(folder: Path, file: ClosedFile, ids: Sequence[str]) -> tuple[ClosedFile | None, int]:
    """A new file that holds the others (None if there are none), and how many are not in it."""
    import polars as pl

    with _polars_errors(folder / file.path):
        frame = scan(folder, file).collect()
    left = frame.filter(~pl.col("id").is_in(list(ids)))
    gone = frame.height - left.height
    if not gone:
        return file, 0
    return (write(folder, left) if left.height else None), gone


def scan(folder: Path, file: ClosedFile) -> pl.LazyFrame:
    """A file as a frame that nothing is read of yet. Raises `MovedError`."""
    import polars as pl

    path = folder / file.path
    if not path.exists():
        raise MovedError(str(path))
    with _polars_errors(path):
        typed = _inputs(path)
    if not typed:
        return pl.scan_parquet(
            path,
            hive_partitioning=False,
            glob=False,
            schema=schema(),
            missing_columns="insert",  # `predicted`, in files of protocol 2
        )
    record = pl.struct(pl.col(f"{INPUT}{name}").alias(name) for name in typed)
    return pl.scan_parquet(path, hive_partitioning=False, glob=False).select(
        record.struct.json_encode().alias(name) if name == "inputs" else pl.col(name)
        for name in schema()
    )


@lru_cache(maxsize=4_096)
def _inputs(path: Path) -> tuple[str, ...]:
    """The inputs that have a column of their own in a file, which never changes."""
    import polars as pl

    names = pl.read_parquet_schema(path)
    return tuple(name.removeprefix(INPUT) for name in names if name.startswith(INPUT))


def _wanted(query: Query) -> pl.Expr:
    import polars as pl

    wanted = pl.lit(True)
    if query.release is not None:
        wanted &= pl.col("release") == query.release
    if query.start is not None:
        wanted &= pl.col("happened_at").cast(pl.Int64) >= micros(query.start)
    if query.end is not None:
        wanted &= pl.col("happened_at").cast(pl.Int64) < micros(query.end)
    if query.positive is not None:
        wanted &= pl.col("prediction") == query.positive
    if query.cases:
        wanted &= pl.col("output").str.contains(CASE, literal=True)
    for part in query.key_parts:
        wanted &= pl.col("key").str.contains(part, literal=True)
    return wanted


def decisions(folder: Path, file: ClosedFile, part: pl.LazyFrame) -> list[Decision]:
    """Rows of a file as the decisions that they were."""
    import polars as pl

    with _polars_errors(folder / file.path):
        frame = part.select(
            *PLAIN,
            pl.col(*TIMES).cast(pl.Int64),
            "inputs",
            "output",
            "latency_us",
            "withheld",
        ).collect()
    column = {name: frame[name].to_list() for name in frame.columns}
    columns: list[Iterable[Any]] = [
        *(column[name] for name in PLAIN),
        *(map(moment, column[name]) for name in TIMES),
        map(data, column["inputs"]),
        map(data, column["output"]),
        column["latency_us"],
        (() if text == "[]" else tuple(data(text)) for text in column["withheld"]),
    ]
    try:
        return [Decision(*row) for row in zip(*columns, strict=True)]
    except (TypeError, ValueError) as error:
        raise IntegrityError(
            f"{folder / file.path} was changed by something else: {shortened(error)}.",
            todo="Restore the decision log from its backup.",
        ) from error
