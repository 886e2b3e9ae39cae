"""Saves the model for `mlflow models serve`: python -m bench.servers.mlflow_model FOLDER."""

from __future__ import annotations

import sys

import mlflow.sklearn
from bench.servers.model import Model

if __name__ == "__main__":
    mlflow.sklearn.save_model(
        Model().estimator,
        sys.argv[1],
        pyfunc_predict_fn="predict_proba",
        serialization_format="cloudpickle",
        pip_requirements=[],
    )
