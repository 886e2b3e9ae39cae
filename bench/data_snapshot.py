"""Snapshots beside a plain copy and `dvc add`: one large file, many small ones, and rows.

    python -m bench.data_snapshot [--megabytes 1000] [--files 2000] [--rounds 3] [--rows 20]

Sides take turns. Ours is measured in the process that calls it (`take_files`, with a record, a
ledger and a store in a folder) and as the whole command; dvc, in an environment of its own, as the
whole command, which is all it has. `--rows` (millions; 0 leaves it out) keeps that many rows of 20
columns under a contract, and says how much memory that took.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.peers import ENVIRONMENTS
from bench.running import ROOT
from bench.trained import BUILD

HERE = BUILD / "snapshot"
TAXIWAY = [sys.executable, "-m", "taxiway.cli"]
SMALL_BYTES = 10_000
COLUMNS = 20
DVC = ("dvc",)


def dvc() -> list[str] | None:
    """The command of dvc, installed once; None if it can't be."""
    home = ENVIRONMENTS / "dvc"
    python = home / "bin" / "python"
    uv = shutil.which("uv") or str(ROOT / ".venv-uv" / "bin" / "uv")
    if not (home / ".installed").exists():
        for command in (
            [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(home)],
            [uv, "pip", "install", "--quiet", "--python", str(python), *DVC],
        ):
            try:
                subprocess.run(command, check=True, capture_output=True, text=True)
            except (OSError, subprocess.CalledProcessError) as error:
                print(f"dvc is left out: {error}")
                return None
        (home / ".installed").touch()
    return [str(home / "bin" / "dvc")]


def fill(path: Path, megabytes: int) -> None:
    """A file of bytes that can't be made smaller."""
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(1_000_000))


@contextmanager
def workspace(name: str) -> Iterator[Path]:
    """A new workspace with one person, whose keys lie in it."""
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ["TAXIWAY_KEYS"] = str(folder / "keys")
    os.environ["TAXIWAY_WORKSPACE"] = str(folder)
    for words in (["init", str(folder)], ["people", "add", "bench-owner", "--role", "owner"]):
        if words[0] == "init":
            del os.environ["TAXIWAY_WORKSPACE"]
        run([*TAXIWAY, *words], folder)
        os.environ["TAXIWAY_WORKSPACE"] = str(folder)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def run(command: list[str], folder: Path) -> None:
    quiet = os.environ | {"DVC_NO_ANALYTICS": "true"}
    done = subprocess.run(
        command, cwd=folder, env=quiet, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout[-500:]}{done.stderr[-500:]}")


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Seconds, and seconds of processor time in this process and its ended children."""
    before, began = sum(os.times()[:4]), time.perf_counter()
    work()
    return time.perf_counter() - began, sum(os.times()[:4]) - before


def copy(source: Path, *, synced: bool) -> None:
    target = HERE / "copied"
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)
    if synced:
        for path in target.rglob("*") if target.is_dir() else [target]:
            handle = os.open(path, os.O_RDONLY)
            os.fsync(handle)
            os.close(handle)


def gone() -> None:
    target = HERE / "copied"
    if target.is_dir():
        shutil.rmtree(target)
    target.unlink(missing_ok=True)


def ours(source: Path, folder: Path, *, synced: bool = False) -> Callable[[], object]:
    from taxiway.bootstrap import Workspace
    from taxiway.bootstrap.data.snapshots import take_files

    def take() -> object:
        with Workspace.open(folder) as opened:
            return take_files(opened, source, synced=synced, on_bytes=lambda _: None)

    return take


def with_dvc(command: list[str], source: Path) -> tuple[tuple[float, float], tuple[float, float]]:
    """`dvc add` in a new repository, and once more."""
    folder = HERE / "dvc"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    run([*command, "init", "--no-scm", "--quiet"], folder)
    inside = folder / source.name
    (shutil.copytree if source.is_dir() else shutil.copyfile)(source, inside)
    add = [*command, "add", "--quiet", source.name]
    first, again = timed(lambda: run(add, folder)), timed(lambda: run(add, folder))
    shutil.rmtree(folder)
    return first, again


def measured(source: Path, rounds: int, peer: list[str] | None) -> dict[str, list[float]]:
    """Seconds of every side, of each round, and the processor time under `... (cpu)`."""
    found: dict[str, list[float]] = {}

    def note(side: str, took: tuple[float, float]) -> None:
        for name, value in zip((side, f"{side} (cpu)"), took, strict=True):
            found.setdefault(name, []).append(round(value, 4))

    for _ in range(rounds):
        for synced, side in ((False, "copy"), (True, "copy, synced")):
            note(side, timed(lambda s=synced: copy(source, synced=s)))  # type: ignore[misc]
            gone()
        for synced, side in ((False, "taxiway"), (True, "taxiway, synced")):
            with workspace("ours") as folder:
                take = ours(source, folder, synced=synced)
                note(side, timed(take))
                if not synced:
                    note("taxiway, unchanged", timed(take))
                    words = [*TAXIWAY, "data", "snapshot", "--files", str(source)]
                    note("command, unchanged", timed(lambda w=words, f=folder: run(w, f)))  # type: ignore[misc]
        with workspace("ours") as folder:
            words = [*TAXIWAY, "data", "snapshot", "--files", str(source)]
            note("command", timed(lambda w=words, f=folder: run(w, f)))  # type: ignore[misc]
        if peer:
            first, again = with_dvc(peer, source)
            note("dvc add", first)
            note("dvc add, unchanged", again)
    return found


def of_rows(millions: float) -> dict[str, float]:
    """Rows of 20 columns under a contract, in a process of its own: seconds and peak memory."""
    path = HERE / "rows.parquet"
    code = f"from bench.data_snapshot import rows_kept; rows_kept({str(path)!r})"
    write = f"from bench.data_snapshot import rows_written; rows_written({str(path)!r}, {millions})"
    subprocess.run([sys.executable, "-c", write], check=True, cwd=ROOT)
    said = subprocess.run(
        [sys.executable, "-c", code], check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    path.unlink()
    figures: dict[str, float] = json.loads(said.stdout)
    return figures


def rows_written(name: str, millions: float) -> None:
    import polars as pl

    rows = pl.LazyFrame({"id": pl.int_range(int(millions * 1e6), eager=True)})
    at = (1_700_000_000_000_000 + pl.col("id") * 1_000_000).cast(pl.Datetime("us", "UTC"))
    numbers = [
        ((pl.col("id").hash(n) % 1_000_003) / 997).alias(f"number_{n}") for n in range(COLUMNS - 4)
    ]
    texts = [
        (pl.col("id").hash(50 + n) % (10 * (n + 1))).cast(pl.String).alias(f"text_{n}")
        for n in range(2)
    ]
    rows.select("id", at.alias("at"), *numbers, *texts).sink_parquet(name, row_group_size=131_072)


def rows_kept(name: str) -> None:
    from taxiway.bootstrap import Workspace
    from taxiway.core.contract import Column, Contract
    from taxiway.data.manifest import Target
    from taxiway.data.snapshot import take_snapshot
    from taxiway.data.source import open_source

    contract = Contract(
        id="rows",
        version="1.0.0",
        description="Rows that a benchmark keeps.",
        table="rows",
        columns=(
            Column("id", "integer", key=True),
            Column("at", "timestamp"),
            *(Column(f"number_{n}", "number", minimum=0) for n in range(COLUMNS - 4)),
            *(Column(f"text_{n}", "string") for n in range(2)),
        ),
        moments=("known",),
        decision_at="known",
        event_time="at",
    )
    with workspace("rows") as folder, Workspace.open(folder) as opened:

        def take() -> object:
            return take_snapshot(
                opened.desk,
                model="bench",
                source=open_source(Path(name)),
                contract=contract,
                target=Target("high", "number_0 > 500"),
                description="",
                seen=opened.seen,
            )

        (first, processor), (again, _) = timed(take), timed(take)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {"seconds": first, "processor": processor, "unchanged": again, "peak_mb": peak}
    print(json.dumps({key: round(value, 3) for key, value in figures.items()}))


def main() -> None:
    """Measures everything, prints ratios, and writes JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=float, default=20)
    given = parser.parse_args()
    shutil.rmtree(HERE, ignore_errors=True)
    HERE.mkdir(parents=True)
    large, small = HERE / "large.bin", HERE / "small"
    fill(large, given.megabytes)
    for n in range(given.files):
        path = small / f"{n % 20:02}" / f"{n:05}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(SMALL_BYTES))
    peer = dvc()
    found: dict[str, Any] = {}
    for what, source in (("large", large), ("small", small)):
        found[what] = measured(source, given.rounds, peer)
        best = {side: min(took) for side, took in found[what].items()}
        print(f"\n{what}: {given.megabytes} MB" if what == "large" else f"\n{given.files} files")
        for side in [side for side in best if not side.endswith("(cpu)")]:
            print(
                f"  {side:20} {best[side]:8.3f} s, {best[side] / best['copy']:6.2f} times a copy"
                f" (processor {best[f'{side} (cpu)']:.3f} s)"
            )
        bar(f"{what}: under 1.5 times a plain copy", best["taxiway"] / best["copy"], 1.5)
        durable = best["taxiway, synced"] / best["copy, synced"]
        bar(f"{what}: synced, beside a copy that is synced", durable, 1.5)
        bar(f"{what}: unchanged, s", best["taxiway, unchanged"], 0.1)
        if peer:
            bar(f"{what}: share of `dvc add`", best["taxiway"] / best["dvc add"], 0.1)
            bar(f"{what}: the whole command's share", best["command"] / best["dvc add"], 0.1)
    if given.rows:
        found["rows"] = of_rows(given.rows)
        print(f"\n{given.rows:g} million rows of {COLUMNS} columns: {found['rows']}")
        bar("rows: peak memory, MB", found["rows"]["peak_mb"], 2000)
        bar("rows: unchanged, s", found["rows"]["unchanged"], 0.1)
    out = BUILD / "data_snapshot.json"
    out.write_text(json.dumps(found, indent=1))
    shutil.rmtree(HERE)
    print(f"\nwrote {out}")


def bar(what: str, found: float, required: float) -> None:
    print(f"  {'met' if found < required else 'MISSED':6} {what}: {found:.3f}, under {required:g}")


if __name__ == "__main__":
    main()
