"""The neighbours that answer the same rows with the same fitted model, each in its own environment.

A neighbour is started as its documentation says, with one worker, one thread in the libraries of
the model, no access log and no telemetry. It is sent only the columns that the model reads.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.running import ONE_THREAD, ROOT, NotStartedError
from bench.trained import BUILD

ENVIRONMENTS = BUILD / "peers"
SILENT = {
    "BENTOML_DO_NOT_TRACK": "True",
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "RAY_USAGE_STATS_ENABLED": "0",
    "UVICORN_ACCESS_LOG": "false",
}
"""No neighbour tells anybody that it was measured, and none writes a line for each request."""

Records = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted model as every server gets it."""

    name: str
    file: Path
    """Written by joblib; the columns are beside it, as JSON."""
    columns: tuple[str, ...]
    numbers: frozenset[str]
    """The columns that are numbers; the others are categories."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where and how one server is to run."""

    model: Model
    python: Path
    folder: Path
    """Of what is prepared for this model."""
    port: int
    workers: int
    batch: int

    @property
    def variables(self) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "VIRTUAL_ENV"}}
        own = {
            "PATH": f"{self.python.parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "BENCH_MODEL": str(self.model.file),
            "BENCH_PORT": str(self.port),
            "BENCH_WORKERS": str(self.workers),
            "BENCH_BATCH": str(self.batch),
        }
        return inherited | ONE_THREAD | SILENT | own


@dataclass(frozen=True, slots=True)
class Peer:
    """A neighbour."""

    name: str
    packages: tuple[str, ...]
    command: Callable[[Stage], list[str]]
    path: str = "/predict"
    prepare: Callable[[Stage], None] = lambda _: None
    body: Callable[[Model, Records], Any] = lambda _, records: {"records": records}
    answer: Callable[[Any], list[float]] = lambda answer: list(answer["probabilities"])
    """The probabilities in an answer."""
    batch: int = 1
    """How many requests it may put together, where that is switched on."""

    @property
    def environment(self) -> str:
        """The name of its environment."""
        return self.name.partition("+")[0]


LIKE = ("scikit-learn", "xgboost-cpu", "joblib")


def install(peer: Peer, *, like: Sequence[str] = LIKE) -> Path:
    """The Python of the neighbour's environment, made once, with the same versions of `like`."""
    home = ENVIRONMENTS / peer.environment
    python, done = home / "bin" / "python", home / ".installed"
    same = [f"{name}=={version(name)}" for name in like]
    wanted = [*same, "pandas", *peer.packages]
    if done.exists() and done.read_text() == "\n".join(wanted):
        return python
    home.parent.mkdir(parents=True, exist_ok=True)
    uv = shutil.which("uv") or str(ROOT / ".venv-uv" / "bin" / "uv")
    if Path(uv).exists():
        make = [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(home)]
        fill = [uv, "pip", "install", "--quiet", "--python", str(python)]
    else:
        make = [sys.executable, "-m", "venv", "--clear", str(home)]
        fill = [str(python), "-m", "pip", "install", "--quiet"]
    _must(make, "made", dict(os.environ))
    _must([*fill, *wanted], "installed", os.environ | {"UV_COMPILE_BYTECODE": "1"})
    done.write_text("\n".join(wanted))
    return python


def _must(command: list[str], done: str, variables: Mapping[str, str]) -> None:
    run = subprocess.run(
        command, capture_output=True, text=True, check=False, env=variables, cwd=ROOT
    )
    if run.returncode:
        last = (run.stderr.strip() or run.stdout.strip()).splitlines()[-3:]
        raise NotStartedError(f"could not be {done}: {' '.join(last)}")


def _fastapi(stage: Stage) -> list[str]:
    words = ["-m", "uvicorn", "bench.servers.fastapi_app:app", "--host", "127.0.0.1"]
    quiet = ["--no-access-log", "--log-level", "warning"]
    at = ["--port", str(stage.port), "--workers", str(stage.workers)]
    return [str(stage.python), *words, *at, *quiet]


def _bentoml(stage: Stage) -> list[str]:
    bentoml = str(stage.python.parent / "bentoml")
    at = ["--host", "127.0.0.1", "--port", str(stage.port), "--working-dir", str(ROOT)]
    return [bentoml, "serve", "bench.servers.bentoml_service:Scorer", *at]


def _script(name: str) -> Callable[[Stage], list[str]]:
    return lambda stage: [str(stage.python), "-m", f"bench.servers.{name}"]


def _save_for_mlflow(stage: Stage) -> None:
    shutil.rmtree(stage.folder, ignore_errors=True)
    command = [str(stage.python), "-m", "bench.servers.mlflow_model", str(stage.folder)]
    _must(command, "saved", stage.variables)


def _mlflow(stage: Stage) -> list[str]:
    mlflow = str(stage.python.parent / "mlflow")
    at = ["--host", "127.0.0.1", "--port", str(stage.port), "--workers", str(stage.workers)]
    return [mlflow, "models", "serve", "-m", str(stage.folder), "--env-manager", "local", *at]


def _split(model: Model, records: Records) -> Any:
    data = [[record[name] for name in model.columns] for record in records]
    return {"dataframe_split": {"columns": model.columns, "data": data}}


def _settings_for_mlserver(stage: Stage) -> None:
    stage.folder.mkdir(parents=True, exist_ok=True)
    server = {
        "host": "127.0.0.1",
        "http_port": stage.port,
        "grpc_port": stage.port + 1,
        "metrics_port": stage.port + 2,
        # Without workers of its own the server answers itself, which is its fastest with one.
        "parallel_workers": 0 if stage.workers == 1 else stage.workers,
        "debug": False,
    }
    model: dict[str, Any] = {
        "name": "model",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": str(stage.model.file)},
    }
    if stage.batch > 1:
        model |= {"max_batch_size": stage.batch, "max_batch_time": 0.005}
    (stage.folder / "settings.json").write_text(json.dumps(server))
    (stage.folder / "model-settings.json").write_text(json.dumps(model))


def _mlserver(stage: Stage) -> list[str]:
    return [str(stage.python.parent / "mlserver"), "start", str(stage.folder)]


def _tensors(model: Model, records: Records) -> Any:
    """One tensor of numbers, or one for each column where there are categories."""
    rows = len(records)
    outputs = [{"name": "predict_proba"}]
    if len(model.numbers) == len(model.columns):
        data = [[record[name] for name in model.columns] for record in records]
        shape, parameters = [rows, len(model.columns)], {"content_type": "np"}
        tensor = {"name": "rows", "datatype": "FP64", "shape": shape, "data": data}
        return {"inputs": [{**tensor, "parameters": parameters}], "outputs": outputs}
    inputs = []
    for name in model.columns:
        about = {"datatype": "FP64"}
        if name not in model.numbers:
            about = {"datatype": "BYTES", "parameters": {"content_type": "str"}}  # type: ignore[dict-item]
        data = [record[name] for record in records]
        inputs.append({"name": name, "shape": [rows, 1], **about, "data": data})
    return {"parameters": {"content_type": "pd"}, "inputs": inputs, "outputs": outputs}


def _tensor_answer(answer: Any) -> list[float]:
    data = answer["outputs"][0]["data"]
    return [float(value) for value in data[1::2]]


PEERS = (
    Peer(
        "mlflow",
        ("mlflow",),
        _mlflow,
        path="/invocations",
        prepare=_save_for_mlflow,
        body=_split,
        answer=lambda answer: [float(row[1]) for row in answer["predictions"]],
    ),
    Peer("bentoml", ("bentoml",), _bentoml, answer=list),
    Peer(
        "mlserver",
        # Its workers ask for an event loop that newer versions of uvloop do not make by themselves.
        ("mlserver", "mlserver-sklearn", "uvloop<0.22"),
        _mlserver,
        path="/v2/models/model/infer",
        prepare=_settings_for_mlserver,
        body=_tensors,
        answer=_tensor_answer,
    ),
    Peer("fastapi", ("fastapi", "uvicorn", "uvloop", "httptools"), _fastapi),
    Peer("litserve", ("litserve",), _script("litserve_server")),
    Peer("ray", ("ray[serve]",), _script("ray_server")),
)


BATCHING = tuple(
    replace(peer, name=f"{peer.name}+batching", batch=32)
    for peer in PEERS
    if peer.name in {"mlserver", "litserve"}
)
"""Neighbours that can put requests together for one call of the model, once that is switched on."""


def staged(peer: Peer, model: Model, port: int, workers: int) -> Stage:
    """A neighbour's stage, installed and prepared. Raises `NotStartedError`."""
    folder = BUILD / "online" / "for" / peer.name / model.name
    stage = Stage(model, install(peer), folder, port, workers, peer.batch)
    folder.parent.mkdir(parents=True, exist_ok=True)
    peer.prepare(stage)
    return stage
