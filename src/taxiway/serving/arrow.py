"""Arrow bodies, read in a process of their own.

An Arrow stream tells its reader how much memory to take. A hundred changed bytes can ask for
exabytes, and the reader of polars then ends the process that it runs in (found with mutated streams
of 1,100 bytes). So streams from outside are read where that harms nobody: in a child with bounded
memory and time, which is started with the first stream, and again when one has ended it.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

from taxiway.core.errors import InputError, shortened
from taxiway.serving.bodies import UnreadableError
from taxiway.serving.records import MOST_RECORDS

SECONDS = 20.0
"""Time that one stream may take, with the start of the child."""
MEMORY = 4 * 1024**3
"""Addresses that the child may use; polars alone takes one of these gigabytes."""
MOST_ANSWERED = 64 * 1024**2
"""Bytes of rows that one stream may become."""
LENGTH = 8


class ArrowReader:
    """Reads Arrow streams, one at a time; may be asked from any thread.

    It waits for its child in a thread of its own: those of the loop's pool also look who may ask
    and who answers, and may not wait behind streams.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, "arrow")
        self._child: subprocess.Popen[bytes] | None = None

    async def rows(self, body: bytes) -> list[dict[str, Any]]:
        """As `read`, without holding up the loop."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self.read, body)

    def read(self, body: bytes) -> list[dict[str, Any]]:
        """The rows of a stream, with values as JSON would hold them.

        Raises `UnreadableError` for what is no stream, or needs too much memory or time.
        """
        import msgspec

        with self._lock:
            child = self._child or self._start()
            timer = threading.Timer(SECONDS, child.kill)
            timer.start()
            try:
                answered = _asked(child, body)
            except (OSError, EOFError):
                self._end()
                raise UnreadableError(
                    "The body is no Arrow stream that can be read: its reader gave up.",
                    todo="Write it again, without compression, with at most 10,000 rows.",
                ) from None
            finally:
                timer.cancel()
        found = msgspec.msgpack.decode(answered)
        if isinstance(found, str):
            raise UnreadableError(found)
        return list(found)

    def close(self) -> None:
        """Ends the child, if there is one."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self._end()

    def _start(self) -> subprocess.Popen[bytes]:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "taxiway.serving.arrow"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        return self._child

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        for pipe in (child.stdin, child.stdout):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()
        child.wait()


def _asked(child: subprocess.Popen[bytes], body: bytes) -> bytes:
    if child.stdin is None or child.stdout is None:
        raise EOFError
    _write(child.stdin, body)
    return _read(child.stdout)


def _write(pipe: IO[bytes], content: bytes) -> None:
    pipe.write(len(content).to_bytes(LENGTH, "big"))
    pipe.write(content)
    pipe.flush()


def _read(pipe: IO[bytes]) -> bytes:
    head = pipe.read(LENGTH)
    if len(head) < LENGTH:
        raise EOFError
    size = int.from_bytes(head, "big")
    content = pipe.read(size)
    if len(content) < size:
        raise EOFError
    return content


def rows(body: bytes) -> list[dict[str, Any]]:
    """The rows of an Arrow stream: numbers, booleans and text, times and dates as ISO 8601 text."""
    import polars as pl

    try:
        frame = pl.read_ipc_stream(io.BytesIO(body))
    except Exception as error:  # noqa: BLE001 - whatever it says, it could not be read
        first = shortened(str(error).strip().partition("\n")[0])
        raise UnreadableError(f"The body is no Arrow stream: {first}") from None
    if frame.height > MOST_RECORDS:
        raise UnreadableError(
            f"There are {frame.height:,} records; one request takes at most {MOST_RECORDS:,}."
        )
    plain = []
    for column in frame:
        match column.dtype:
            case pl.String() | pl.Boolean() | pl.Null():
                plain.append(column)
            case pl.Categorical() | pl.Enum():
                plain.append(column.cast(pl.String()))
            case pl.Date():
                plain.append(column.dt.strftime("%Y-%m-%d"))
            case pl.Datetime(time_zone=str()):
                plain.append(_times(column))
            case dtype if dtype.is_integer() or dtype.is_float():
                plain.append(column)
            case dtype:
                raise UnreadableError(
                    f"Column {shortened(column.name)} of the Arrow stream is of type"
                    f" {shortened(dtype)}, which no input can have.",
                    todo="Timestamps need their time zone; other values are numbers, booleans,"
                    " dates and text.",
                )
    return pl.DataFrame(plain).to_dicts() if plain else []


def _times(column: Any) -> Any:
    """Times as text, to the microsecond; what is finer is written in full, and then refused."""
    utc = column.dt.convert_time_zone("UTC")
    if column.dtype.time_unit == "ns" and (utc.dt.nanosecond() % 1000 != 0).any():
        return utc.dt.strftime("%Y-%m-%dT%H:%M:%S%.9fZ")
    return utc.dt.cast_time_unit("us").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")


def main() -> None:
    """The child: a stream in, rows or the text of an error out, until there is no more."""
    import msgspec

    with contextlib.suppress(ImportError):  # not on Windows
        import resource

        with contextlib.suppress(ValueError, OSError):  # a tighter limit is in force
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    while True:
        try:
            body = _read(sys.stdin.buffer)
        except EOFError:
            return
        try:
            answered = msgspec.msgpack.encode(rows(body))
        except InputError as error:
            answered = msgspec.msgpack.encode(str(error))
        if len(answered) > MOST_ANSWERED:
            answered = msgspec.msgpack.encode("The rows of the Arrow stream are too large.")
        _write(sys.stdout.buffer, answered)


if __name__ == "__main__":
    main()
