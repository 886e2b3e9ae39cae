"""The model behind LitServe."""

from __future__ import annotations

from typing import Any

import litserve
from bench.servers.model import Model, batch, port, workers


class Scorer(litserve.LitAPI):
    """Answers records with probabilities."""

    def setup(self, device: str) -> None:
        """Loads the model, once in each worker."""
        self.model = Model()

    # LitServe takes plain JSON where it finds no annotation.
    def decode_request(self, request):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
        """The records of a body."""
        records: list[dict[str, Any]] = request["records"]
        return records

    def predict(self, x: list[dict[str, Any]]) -> list[float]:
        """The probability for each record."""
        return self.model.probabilities(x)

    def encode_response(self, output: list[float]) -> dict[str, Any]:
        """The body of the answer."""
        return {"probabilities": output}


class Together(Scorer):
    """The same for requests that LitServe has put together: one call of the model for all."""

    def predict(self, x: list[list[dict[str, Any]]]) -> list[list[float]]:  # type: ignore[override]
        """The probabilities of each request."""
        found = iter(self.model.probabilities([record for records in x for record in records]))
        return [[next(found) for _ in records] for records in x]


if __name__ == "__main__":
    many = batch()
    scorer = Together(max_batch_size=many, batch_timeout=0.005) if many > 1 else Scorer()
    server = litserve.LitServer(scorer, accelerator="cpu", workers_per_device=workers(), timeout=60)
    server.run(
        host="127.0.0.1",
        port=port(),
        num_api_servers=1,
        log_level="warning",
        generate_client_file=False,
    )
