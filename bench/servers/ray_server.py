"""The model behind Ray Serve, on a cluster of this machine alone."""

from __future__ import annotations

import signal
from typing import Any

import ray
from bench.servers.model import Model, port, workers
from ray import serve
from starlette.requests import Request

QUIET = {"enable_access_log": False, "log_level": "WARNING"}


@serve.deployment(
    num_replicas=workers(),
    max_ongoing_requests=100,
    ray_actor_options={"num_cpus": 0.5},
    logging_config=QUIET,
)
class Scorer:
    """Answers records with probabilities."""

    def __init__(self) -> None:
        self.model = Model()

    async def __call__(self, request: Request) -> dict[str, Any]:
        """The probability for each record."""
        body = await request.json()
        return {"probabilities": self.model.probabilities(body["records"])}


if __name__ == "__main__":
    ray.init(include_dashboard=False, _node_ip_address="127.0.0.1", log_to_driver=False)
    serve.start(http_options={"host": "127.0.0.1", "port": port()}, logging_config=QUIET)
    serve.run(Scorer.bind(), route_prefix="/predict")  # type: ignore[attr-defined]
    signal.sigwait([signal.SIGTERM, signal.SIGINT])
    serve.shutdown()  # type: ignore[no-untyped-call]
    ray.shutdown()
