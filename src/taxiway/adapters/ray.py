"""Work on many frames with Ray Data: on this machine, or on the cluster that RAY_ADDRESS names.

Nothing phones home: Ray's usage statistics are off for whatever is started here.
"""

from __future__ import annotations

import logging
import os
import socket
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray
import ray.data

from taxiway.core.errors import StoreError, shortened

if TYPE_CHECKING:
    import polars as pl

ADDRESS = "RAY_ADDRESS"
REACHED_SECONDS = 5.0
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "POLARS_MAX_THREADS": "1",
}
"""What the processes of a cluster inherit. There is a worker for each core: threads of their own
would fight."""

Work = Callable[["pl.DataFrame"], "pl.DataFrame"]


class _Worker:
    """A process of Ray that makes what it works with once."""

    def __init__(self, make: Callable[[], Work]) -> None:
        self._work = make()

    def __call__(self, table: Any) -> Any:
        import polars as pl

        return self._work(pl.DataFrame(table)).to_arrow()


@contextmanager
def cluster(cpus: int | None = None) -> Iterator[int]:
    """A cluster, and how many workers fit into it: the one that is named, or one on this machine.

    One that was started here listens on loopback and ends with the block.
    """
    named = os.environ.get(ADDRESS)
    warnings.filterwarnings("ignore", module=r"ray\.")  # for its developers, not for who scores
    logging.getLogger("ray").setLevel(logging.ERROR)
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    here: dict[str, Any] = {
        "num_cpus": (cpus or os.cpu_count() or 1) + 1,  # one lists files, and waits for the others
        "include_dashboard": False,
        "_node_ip_address": "127.0.0.1",
    }
    if named:
        _require_reachable(named)
    before = dict(os.environ)
    os.environ.update(QUIET)
    try:
        ray.init(
            **({"address": named} if named else here),
            logging_level=logging.ERROR,
            log_to_driver=False,
        )
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise StoreError(
            f"No Ray cluster answers at {named or '127.0.0.1'}: {_first_line(error)}.",
            todo=f"Check {ADDRESS}, or unset it to start one on this machine.",
        ) from error
    finally:
        for name in QUIET:
            os.environ.pop(name)
        os.environ.update(before)
    try:
        cores: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
        yield max(int(cores.get("CPU", 1)) - 1, 1)
    finally:
        ray.shutdown()


def _require_reachable(address: str) -> None:
    """Raises `StoreError` if nobody listens there: Ray itself tries for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not port.isdigit():  # `auto`, which Ray answers at once
        return
    try:
        socket.create_connection((host, int(port)), timeout=REACHED_SECONDS).close()
    except OSError as error:
        raise StoreError(
            f"No Ray cluster answers at {address}: {error.strerror or error}.",
            todo=f"Check {ADDRESS}, or unset it to start one on this machine.",
        ) from error


def mapped(
    files: Sequence[Path], make: Callable[[], Work], *, workers: int
) -> Generator[Any, None, None]:
    """What work makes of the rows of Parquet files, as frames, in their order.

    `make` is called once in each worker. Raises what it raises there. To be closed before the
    cluster ends.
    """
    import polars as pl

    if not files:
        return
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = True
    made = ray.data.read_parquet(
        [str(path) for path in files], override_num_blocks=len(files), partitioning=None
    ).map_batches(
        _Worker,
        fn_constructor_args=(make,),
        batch_format="pyarrow",
        batch_size=None,
        zero_copy_batch=True,
        compute=ray.data.ActorPoolStrategy(size=workers),
        num_cpus=1,
    )
    tables = iter(made.iter_batches(batch_format="pyarrow", batch_size=None))
    try:
        for table in tables:
            yield pl.DataFrame(table)
    except ray.exceptions.RayError as error:
        cause = getattr(error, "cause", None)
        raise StoreError(
            f"A worker of Ray failed: {_first_line(cause or error)}.",
            todo="What was decided is in the log; the same command goes on from there.",
        ) from error
    finally:
        if isinstance(tables, Generator):
            tables.close()


def _first_line(error: BaseException) -> str:
    return shortened(str(error).strip().partition("\n")[0].rstrip("."))
