"""Wires a batch over the workers of Ray: they decide, this process reads, logs and writes.

Sound rows are staged as Parquet files beside OUT, in their order. Each worker verifies and loads
the release once, and decides on a file after the other; what it makes comes back in the order of
the files, and goes into the log as it does from one process.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxiway.core.errors import IntegrityError

if TYPE_CHECKING:
    import polars as pl

    from taxiway.bootstrap.workspace import Workspace
    from taxiway.serving.batch import Job, Made, Rows
    from taxiway.serving.deciding import Decider

NUMBER = "taxiway row number"
"""Column of a staged file; no contract has one with spaces."""


@contextmanager
def made_by_ray(
    workspace: Workspace, out: Path, decider: Decider, job: Job, rows: Iterable[Rows]
) -> Iterator[Generator[Made, None, None]]:
    """Decides on rows in the workers of a cluster, which ends with the block."""
    from taxiway.adapters.ray import cluster

    staging = out.absolute().with_name(f".{out.name}.{job.id}.staged")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    try:
        with cluster() as cores:
            # Closed before the cluster is: Ray starts another one for whoever lets go of it later.
            files = _staged(decider, rows, staging)
            with closing(_made(workspace, decider, job, files, cores)) as made:
                yield made
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _staged(decider: Decider, rows: Iterable[Rows], folder: Path) -> list[tuple[Path, int, int]]:
    """Writes rows into files, and answers each file with its first row and how many there are."""
    import polars as pl

    staged: list[tuple[Path, int, int]] = []
    for numbers, frame in rows:
        if len(numbers):
            path = folder / f"{len(staged):09}.parquet"
            number = pl.Series(NUMBER, numbers, dtype=pl.Int64())
            wanted = frame.select(decider.artefact.inputs.names).with_columns(number)
            wanted.write_parquet(path, compression="lz4", row_group_size=frame.height)
            staged.append((path, int(numbers[0]), len(numbers)))
    return staged


def _made(
    workspace: Workspace,
    decider: Decider,
    job: Job,
    staged: Sequence[tuple[Path, int, int]],
    cores: int,
) -> Generator[Made, None, None]:
    import polars as pl

    from taxiway.adapters.ray import mapped
    from taxiway.serving.batch import Made, is_begun

    artefact = decider.artefact
    begun = {path for path, first, _ in staged if is_begun(decider, job, [first])}
    fresh = [path for path, _, _ in staged if path not in begun]
    make = partial(
        worker, str(workspace.root), artefact.release, artefact.digest, decider.environment, job.id
    )
    parts = _Parts([first for path, first, _ in staged if path not in begun])
    with closing(mapped(fresh, make, workers=min(cores, len(fresh)))) as frames:
        for path, first, height in staged:
            frame = pl.read_parquet(path)
            numbers, frame = frame[NUMBER].to_list(), frame.drop(NUMBER)
            if path in begun:
                yield Made(numbers, frame)
                continue
            while (rows := parts.rows_of(first)) < height:
                part = next(frames, None)
                if part is None:
                    raise IntegrityError(f"Ray gave {rows} of {height} rows of {path.name}.")
                parts.add(part)
            decisions = parts.take(first)
            if not decisions["id"].equals(job.decisions(numbers)):
                raise IntegrityError(f"Ray gave other rows than those of {path.name}.")
            yield Made(numbers, frame, decisions)


class _Parts:
    """What came of files, until all of one is there. Ray cuts what is large into pieces, and does
    not always keep to the order that it was asked for."""

    def __init__(self, firsts: Sequence[int]) -> None:
        self._firsts = firsts
        """The first row of each file, in their order."""
        self._waiting: dict[int, list[pl.DataFrame]] = {}

    def add(self, part: pl.DataFrame) -> None:
        import numpy as np

        numbers = part[NUMBER].to_numpy()
        files = np.searchsorted(self._firsts, numbers, side="right") - 1
        for file in np.unique(files):
            own = part if (files == file).all() else part.filter(files == file)
            self._waiting.setdefault(self._firsts[file], []).append(own)

    def rows_of(self, first: int) -> int:
        """How many rows of the file that begins with this one are there."""
        return sum(part.height for part in self._waiting.get(first, ()))

    def take(self, first: int) -> pl.DataFrame:
        """All that came of the file that begins with this row, in the order of its rows."""
        import polars as pl

        return pl.concat(self._waiting.pop(first)).sort(NUMBER).drop(NUMBER)


def worker(
    root: str, release: str, digest: str, environment: str, job_id: str
) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """What a worker does with a staged file; the release is verified and replayed before."""
    from taxiway.bootstrap import artefacts
    from taxiway.bootstrap.serving import decider_of
    from taxiway.bootstrap.workspace import Workspace
    from taxiway.data.frame import plain_frame
    from taxiway.serving.batch import Job
    from taxiway.serving.columns import decided

    workspace = Workspace.open(root)
    artefact = artefacts.load_replayed(workspace, workspace.find_release(release))
    if artefact.digest != digest:
        raise IntegrityError(f"{release} is another one for this worker than for the batch.")
    decider = decider_of(workspace, artefact, environment, "batch")
    job = Job(job_id)

    def work(frame: Any) -> Any:
        numbers = frame[NUMBER]
        ids = job.decisions(numbers.to_list())
        return decided(decider, ids, frame.drop(NUMBER), plain_frame).with_columns(numbers)

    return work
