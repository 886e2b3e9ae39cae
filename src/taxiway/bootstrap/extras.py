"""Optional packages: a missing one becomes an error with its install command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from taxiway.core.errors import ExtraMissingError

EXTRAS = {
    "copier": "new",
    "polars": "data",
    "numpy": "data",
    "scipy": "data",
    "stdnum": "data",
    "rstr": "data",
    "blake3": "data",
    "sklearn": "train",
    "skops": "train",
    "onnx": "train",
    "onnxruntime": "serve",
    "granian": "serve",
    "msgspec": "serve",
    "opentelemetry": "otel",
    "deltalake": "delta",
    "psycopg": "postgres",
    "obstore": "s3",
    "ray": "ray",
    "redis": "redis",
    "open_data_contract_standard": "odcs",
}
"""Module -> the extra that installs it."""


@contextmanager
def extras() -> Iterator[None]:
    """Raises `ExtraMissingError` for a module of `EXTRAS` that is not there."""
    try:
        yield
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        if module in EXTRAS:
            raise ExtraMissingError.of(EXTRAS[module], module) from error
        raise
