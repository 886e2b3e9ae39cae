"""Tables are there whole or not at all, however their writer ends."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from taxiway.core.errors import ConflictError, InputError, StoreError
from taxiway.data.table import partial_of, require_writable, writing

FRAMES = [
    pl.DataFrame({"n": [1, 2], "text": ["é,", None]}),
    pl.DataFrame({"n": [], "text": []}, schema={"n": pl.Int64, "text": pl.String}),
    pl.DataFrame({"n": [3], "text": ["\n"]}),
]


def read(path: Path) -> pl.DataFrame:
    return pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path)


@pytest.fixture(params=["out.csv", "out.parquet"])
def out(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path: Path = tmp_path / request.param
    return path


def test_frames_become_one_table(out: Path) -> None:
    with writing(out, "token") as add:
        for frame in FRAMES:
            add(frame)
        assert not out.exists()
    assert read(out).equals(pl.concat(FRAMES))
    assert list(out.parent.iterdir()) == [out]


def test_an_empty_table_has_its_columns(out: Path) -> None:
    with writing(out, "token") as add:
        add(FRAMES[1])
    assert read(out).columns == ["n", "text"]
    assert read(out).height == 0


def test_an_exception_leaves_nothing_behind(out: Path) -> None:
    out.write_text("before")

    def interrupted() -> None:
        with writing(out, "token") as add:
            add(FRAMES[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert out.read_text() == "before"
    assert list(out.parent.iterdir()) == [out]


def test_what_a_killed_writer_left_is_taken_over(out: Path) -> None:
    partial = partial_of(out, "token")
    partial.write_text("half a row")
    parts = partial.with_suffix(".parts")
    parts.mkdir()
    (parts / "999999999.parquet").write_text("half")
    with writing(out, "token") as add:
        add(FRAMES[0])
    assert read(out).equals(FRAMES[0])
    assert list(out.parent.iterdir()) == [out]


def test_two_writers_do_not_mix(out: Path) -> None:
    with writing(out, "token") as add:
        add(FRAMES[0])
        with (
            pytest.raises(ConflictError, match="Another process is writing"),
            writing(out, "token"),
        ):
            pytest.fail("there is somebody already")
        with writing(out, "other") as second:
            second(FRAMES[2])
        assert read(out).equals(FRAMES[2])
        add(FRAMES[2])
    assert read(out).equals(pl.concat([FRAMES[0], FRAMES[2]]))


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file can grow beyond 20 kB."""
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.usefixtures("full_disk")
@pytest.mark.parametrize("rows", [1_000, 100_000])
def test_a_full_disk_leaves_nothing_half(out: Path, rows: int) -> None:
    def fill() -> None:
        with writing(out, "token") as add:
            for part in range(20):
                add(
                    pl.DataFrame(
                        {
                            "n": [
                                n * 2_654_435_761 % 2**40
                                for n in range(part * rows, (part + 1) * rows)
                            ]
                        }
                    )
                )

    with pytest.raises((OSError, StoreError), match="File too large"):
        fill()
    assert list(out.parent.iterdir()) == []


def test_what_stands_in_the_way_is_said_before(tmp_path: Path) -> None:
    (tmp_path / "there.csv").touch()
    with pytest.raises(ConflictError, match="already there"):
        require_writable(tmp_path / "there.csv", overwrite=False)
    require_writable(tmp_path / "there.csv", overwrite=True)
    with pytest.raises(InputError, match="no known kind of table"):
        require_writable(tmp_path / "out.xlsx", overwrite=True)
    with pytest.raises(InputError, match="There is no folder"):
        require_writable(tmp_path / "no" / "out.csv", overwrite=True)
