"""Batch scoring, Parquet to Parquet, side by side in one run: whole processes, in turns.

    python -m bench.batch                       (`make bench-batch`; the models are trained once)
    python -m bench.batch --rows 200000 --rounds 1 --models xgb --without-neighbours
    python -m bench.batch --memory 1 5 20       (peak memory over millions of rows, nothing else)

`taxiway` is `taxiway score` with its contract and its log, without reason codes; `taxiway+reasons`
gives them for adverse decisions; `taxiway+ray` decides in the workers of Ray. `engine` is the
release's compiled engine over batches of the same file, without contract, log or key. The
neighbours read the model's columns alone, and write the probability alone. All probabilities are
compared. Writes build/bench/batch.json.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from bench.data import PROJECTS, Project
from bench.engine import handed_over
from bench.peers import SILENT, Peer, install
from bench.running import ONE_THREAD, ROOT, NotStartedError, family
from bench.trained import BUILD, FOLDER, TAXIWAY, command, data_of, empty_log, train, variables

PLACE = BUILD / "batch"
BAR = 0.8
"""Of the engine's rows a second."""
CLOSE = 1e-6
"""How far a neighbour's probabilities may be from the engine's: it has the original model."""
EVERY_SECONDS = 0.1
NEIGHBOURS = {
    "pandas": Peer("batch-pandas", ("pyarrow",), lambda _: []),
    "mlflow": Peer("mlflow", ("mlflow",), lambda _: []),
    "ray-data": Peer("batch-ray", ("ray[data]", "pyarrow"), lambda _: []),
}


@dataclass(frozen=True, slots=True)
class Run:
    """One whole process."""

    seconds: float
    cpu_seconds: float
    """Of all cores, with what came of it; on a busy machine the only fair figure."""
    megabytes: float
    """The most that it and all that came of it held at once; shared pages count in each."""


def rows_of(project: Project, rows: int) -> Path:
    """A file of so many rows: the training rows again and again, each with a key of its own."""
    path = PLACE / f"{project.name}.{rows}.parquet"
    if path.exists():
        return path
    known = pl.read_parquet(data_of(project.name)).drop(project.outcome)
    copies = -(-rows // known.height)
    key = project.key[0]
    step: Any = known.height if known.schema[key].is_integer() else pl.duration(days=70)
    frames = [known.lazy().with_columns(pl.col(key) + step * copy) for copy in range(copies)]
    PLACE.mkdir(parents=True, exist_ok=True)
    pl.concat(frames).head(rows).sink_parquet(path)
    return path


def run(words: list[str], environment: Mapping[str, str], log: Path) -> Run:
    """Runs a command to its end. Raises `NotStartedError` with its last words if it fails."""
    with log.open("wb") as said:
        began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        process = subprocess.Popen(
            words, cwd=ROOT, env=dict(environment), stdout=said, stderr=subprocess.STDOUT
        )
        most = 0.0
        while process.poll() is None:
            most = max(most, sum(map(_megabytes, family(process.pid))))
            time.sleep(EVERY_SECONDS)
        seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if process.returncode:
        last = log.read_text(errors="replace").strip().splitlines()[-3:]
        raise NotStartedError(f"ended with {process.returncode}: {' / '.join(last)[-400:]}")
    return Run(seconds, cpu, most)


def _megabytes(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:  # it has ended
        return 0.0
    found = text.partition("VmRSS:")[2].split()
    return int(found[0]) / 1024 if found else 0.0


class Sides:
    """Everything that scores the same file, for one model."""

    def __init__(self, project: Project, source: Path) -> None:
        self.project, self.source = project, source
        self.folder = PLACE / project.name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.champion = 1

    def out(self, name: str) -> Path:
        """What a side writes."""
        return self.folder / f"{name}.parquet"

    def measure(self, name: str) -> Run:
        """One side, once."""
        log = self.folder / f"{name}.txt"
        if name in NEIGHBOURS:
            return run(self._neighbour(name), self._bare() | {"PYTHONPATH": str(ROOT)}, log)
        if name == "engine":
            words = [sys.executable, "-m", "bench.batch_sides", "engine", self.project.name]
            return run([*words, str(self.source), str(self.out(name))], variables(), log)
        self.promote(2 if name == "taxiway+reasons" else 1)
        empty_log()
        words = [TAXIWAY, "score", str(self.source), str(self.out(name)), "--env", "dev"]
        more = ["--engine", "ray"] if name == "taxiway+ray" else []
        words += ["--model", self.project.name, "--overwrite", *more]
        return run(words, variables(), log)

    def promote(self, release: int) -> None:
        """Makes a release the champion of dev, if it is not."""
        if self.champion != release:
            model = f"{self.project.name}:{release}"
            command("promote", model, "--to", "dev", at=FOLDER, by="engineer")
            self.champion = release

    def _bare(self) -> dict[str, str]:
        kept = {k: v for k, v in variables().items() if k not in {"PYTHONPATH", "VIRTUAL_ENV"}}
        return {k: v for k, v in kept.items() if k not in ONE_THREAD} | SILENT

    def _neighbour(self, name: str) -> list[str]:
        python = str(install(NEIGHBOURS[name]))
        model = str(self.folder / f"{self.project.name}.joblib")
        return [
            *(python, "-m", "bench.batch_sides", name, model),
            *(str(self.source), str(self.out(name))),
        ]

    def require_same(self, name: str) -> None:
        """Raises `NotStartedError` if a side's probabilities are not the engine's."""
        ours = pl.read_parquet(self.out("engine"), columns=["probability"]).to_series()
        its = pl.read_parquet(self.out(name), columns=["probability"]).to_series()
        if len(ours) != len(its):
            raise NotStartedError(f"wrote {len(its)} rows of {len(ours)}")
        far = float((ours - its).abs().max())  # type: ignore[arg-type]
        if far > (CLOSE if name in NEIGHBOURS else 0.0):
            raise NotStartedError(f"answered otherwise, by up to {far:g}")


def measured(project: Project, given: argparse.Namespace) -> list[dict[str, Any]]:
    """Every side of a model, in turns; medians over the rounds."""
    sides = Sides(project, rows_of(project, given.rows))
    handed_over(project.name, sides.folder)
    names = ["engine", "taxiway", "taxiway+reasons", "taxiway+ray"]
    names += [] if given.without_neighbours else list(NEIGHBOURS)
    names = [name for name in names if given.only is None or name in {"engine", *given.only}]
    runs: dict[str, list[Run]] = {name: [] for name in names}
    failed: dict[str, str] = {}
    for _ in range(given.rounds):
        for name in names:
            if name in failed:
                continue
            try:
                runs[name].append(sides.measure(name))
                sides.require_same(name)
            except (NotStartedError, subprocess.CalledProcessError) as error:
                failed[name] = str(error)
            print(f"  {project.name} {name}: {failed.get(name) or runs[name][-1]}", file=sys.stderr)
    sides.promote(1)
    best = given.rows / statistics.median(one.seconds for one in runs["engine"])
    return [
        {
            "model": project.name,
            "side": name,
            "rows": given.rows,
            "failed": failed.get(name),
            **(_figures(found, given.rows, best) if found and name not in failed else {}),
        }
        for name, found in runs.items()
    ]


def _figures(found: list[Run], rows: int, best: float) -> dict[str, float]:
    rate = rows / statistics.median(one.seconds for one in found)
    return {
        "seconds": statistics.median(one.seconds for one in found),
        "cpu_seconds": statistics.median(one.cpu_seconds for one in found),
        "rows_per_second": rate,
        "of_engine": rate / best,
        "megabytes": max(one.megabytes for one in found),
    }


def show(results: list[dict[str, Any]]) -> None:
    """A line for each side, and the verdict on the bar."""
    print(
        f"{'model':6} {'side':16} {'seconds':>8} {'CPU s':>7} {'rows/s':>9} {'of engine':>9}"
        f" {'MB':>6}"
    )
    for one in results:
        if one["failed"]:
            print(f"{one['model']:6} {one['side']:16} {one['failed']}")
            continue
        print(
            f"{one['model']:6} {one['side']:16} {one['seconds']:8.1f} {one['cpu_seconds']:7.1f}"
            f" {one['rows_per_second']:9,.0f} {one['of_engine']:9.2f} {one['megabytes']:6,.0f}"
        )
    for one in results:
        if one["side"] == "taxiway" and not one["failed"]:
            verdict = "met" if one["of_engine"] >= BAR else "NOT MET"
            print(
                f"{one['model']}: {one['of_engine']:.0%} of the engine, wanted {BAR:.0%}: {verdict}"
            )


def memory(models: list[str], millions: list[int]) -> list[dict[str, Any]]:
    """The peak memory of `taxiway score` over more and more rows."""
    found = []
    for name in models:
        for million in millions:
            rows = million * 1_000_000
            sides = Sides(PROJECTS[name], rows_of(PROJECTS[name], rows))
            one = sides.measure("taxiway")
            found.append({"model": name, "rows": rows, "megabytes": one.megabytes})
            print(f"{name} {million:3} million rows: {one.megabytes:,.0f} MB, {one.seconds:.0f} s")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", choices=sorted(PROJECTS), default=sorted(PROJECTS))
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", help="these sides, and the engine")
    parser.add_argument("--without-neighbours", action="store_true")
    parser.add_argument("--memory", nargs="+", type=int, metavar="MILLIONS")
    parser.add_argument("--fresh", action="store_true", help="train the models again")
    given = parser.parse_args()
    train(given.models, lambda text: print(text, file=sys.stderr), fresh=given.fresh)
    if given.memory:
        name, found = "batch-memory.json", memory(given.models, given.memory)
    else:
        name = "batch.json"
        found = [one for model in given.models for one in measured(PROJECTS[model], given)]
        show(found)
    (BUILD / name).write_text(json.dumps({"results": found, "bar": BAR}, indent=2) + "\n")


if __name__ == "__main__":
    main()
