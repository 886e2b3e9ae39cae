"""The release's engine in this process: no HTTP, no contract, no log. python -m bench.engine NAME

`handed_over` writes what every server gets: the fitted estimator, its columns, rows, and what the
estimator answers for them.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

from bench.data import PROJECTS
from bench.trained import FOLDER, data_of

ROWS = 300
"""Rows that are sent in turns."""
CHECKED = 50


def _release(name: str) -> Any:
    from taxiway.bootstrap.workspace import Workspace

    workspace = Workspace(FOLDER)
    return workspace, workspace.find_release(name)


def handed_over(name: str, folder: Path) -> None:
    """Writes NAME.joblib, NAME.json with the columns, and NAME.rows.json with rows and answers."""
    import joblib
    import polars as pl

    from taxiway.bootstrap import artefacts
    from taxiway.release import model_file

    workspace, release = _release(f"{name}:1")
    files = artefacts.inspect(workspace, release).files
    estimator = model_file.load(files[model_file.NAME])
    project = PROJECTS[name]
    raw = pl.read_parquet(data_of(name)).head(ROWS)
    frame = raw.select(project.columns)
    folder.mkdir(parents=True, exist_ok=True)
    joblib.dump(estimator, folder / f"{name}.joblib")
    numbers = [column for column, dtype in frame.schema.items() if dtype.is_numeric()]
    about = {"columns": frame.columns, "numbers": numbers}
    (folder / f"{name}.json").write_text(json.dumps(about))
    sent = raw.select(dict.fromkeys([*project.columns, *project.key, project.event_time]).keys())
    times = [column for column, dtype in sent.schema.items() if isinstance(dtype, pl.Datetime)]
    sent = sent.with_columns(pl.col(times).dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
    answers = estimator.predict_proba(frame.head(CHECKED))[:, 1].tolist()
    document = {"rows": frame.to_dicts(), "records": sent.to_dicts(), "answers": answers}
    (folder / f"{name}.rows.json").write_text(json.dumps(document))


def timed(name: str, rows: int, seconds: float) -> dict[str, float]:
    """Calls a second of the engine on frames of so many rows that are ready for it."""
    import polars as pl

    from taxiway.bootstrap import artefacts

    workspace, release = _release(f"{name}:1")
    artefact = artefacts.load(workspace, release)
    raw = pl.read_parquet(data_of(name)).head(ROWS).select(artefact.input_names)
    frames = [artefact.features(raw[at : at + rows]) for at in range(ROWS - rows + 1)]
    for frame in frames[:20]:
        artefact.score(frame)
    taken, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        for frame in frames[:50]:
            began = time.perf_counter()
            artefact.score(frame)
            taken.append(time.perf_counter() - began)
    cuts = statistics.quantiles(taken, n=100)
    return {
        "requests_per_second": len(taken) / sum(taken),
        "p50_ms": cuts[49] * 1000,
        "p99_ms": cuts[98] * 1000,
        "bad": 0,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=sorted(PROJECTS))
    parser.add_argument("--hand-over", type=Path, metavar="FOLDER")
    parser.add_argument("--rows", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=2)
    given = parser.parse_args()
    os.environ["TAXIWAY_KEYS"] = str(FOLDER / "keys")
    if given.hand_over:
        handed_over(given.name, given.hand_over)
    else:
        print(json.dumps(timed(given.name, given.rows, given.seconds)))


if __name__ == "__main__":
    main()
