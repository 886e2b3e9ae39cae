"""What scores a Parquet file, one process a side: python -m bench.batch_sides SIDE MODEL IN OUT.

Each side runs in its own environment, and imports nothing of the others.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

BATCH_ROWS = 65_536


def engine(model: str, source: str, out: str) -> None:
    """The release's engine over batches of the file: what it costs without anything around it."""
    import polars as pl
    import pyarrow as pa
    import pyarrow.parquet as pq
    from bench.trained import FOLDER

    from taxiway.bootstrap import artefacts
    from taxiway.bootstrap.workspace import Workspace

    workspace = Workspace(FOLDER)
    artefact = artefacts.load(workspace, workspace.find_release(f"{model}:1"))
    schema = pa.schema([("probability", pa.float64())])
    columns = list(artefact.input_names)
    with pq.ParquetWriter(out, schema) as writer:
        for batch in pq.ParquetFile(source).iter_batches(BATCH_ROWS, columns=columns):
            frame = pl.DataFrame(pl.from_arrow(batch))
            answered = artefact.score(artefact.features(frame))
            writer.write_batch(pa.record_batch([pa.array(answered)], schema=schema))


def pandas(model: str, source: str, out: str) -> None:
    """The estimator on one pandas frame, as a notebook would."""
    import joblib
    import pandas as pd

    frame = pd.read_parquet(source, columns=_columns(model))
    probability = joblib.load(model).predict_proba(frame)[:, 1]
    pd.DataFrame({"probability": probability}).to_parquet(out)


def mlflow(model: str, source: str, out: str) -> None:
    """MLflow's pyfunc on one pandas frame; the model is saved before, once."""
    import joblib
    import mlflow.pyfunc
    import mlflow.sklearn
    import pandas as pd

    folder = Path(model).with_suffix(".mlflow")
    if not folder.exists():
        mlflow.sklearn.save_model(
            joblib.load(model),
            str(folder),
            pyfunc_predict_fn="predict_proba",
            serialization_format="cloudpickle",
            pip_requirements=[],
        )
    frame = pd.read_parquet(source, columns=_columns(model))
    probability = mlflow.pyfunc.load_model(str(folder)).predict(frame)[:, 1]
    pd.DataFrame({"probability": probability}).to_parquet(out)


def ray_data(model: str, source: str, out: str) -> None:
    """Ray Data with a worker for each core but one, in order, into one file."""
    import os

    import pyarrow as pa
    import pyarrow.parquet as pq
    import ray

    class Score:
        def __init__(self) -> None:
            import joblib

            self.estimator = joblib.load(model)

        def __call__(self, frame: Any) -> dict[str, Any]:
            # XGBoost answers 32-bit floats.
            return {"probability": self.estimator.predict_proba(frame)[:, 1].astype("float64")}

    cores = os.cpu_count() or 1
    ray.init(
        num_cpus=cores + 1,
        include_dashboard=False,
        _node_ip_address="127.0.0.1",
        log_to_driver=False,
    )
    context = ray.data.DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    made = ray.data.read_parquet(source, columns=_columns(model)).map_batches(
        Score,
        batch_size=BATCH_ROWS,
        batch_format="pandas",
        compute=ray.data.ActorPoolStrategy(size=cores),
        num_cpus=1,
    )
    with pq.ParquetWriter(out, pa.schema([("probability", pa.float64())])) as writer:
        for table in made.iter_batches(batch_format="pyarrow", batch_size=None):
            writer.write_table(table)
    ray.shutdown()


def _columns(model: str) -> list[str]:
    columns: list[str] = json.loads(Path(model).with_suffix(".json").read_text())["columns"]
    return columns


SIDES: dict[str, Callable[[str, str, str], None]] = {
    "engine": engine,
    "pandas": pandas,
    "mlflow": mlflow,
    "ray-data": ray_data,
}

if __name__ == "__main__":
    SIDES[sys.argv[1]](*sys.argv[2:])
