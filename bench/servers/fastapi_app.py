"""What a team writes by hand: FastAPI, a pandas frame, and the pipeline."""

from __future__ import annotations

from typing import Any

from bench.servers.model import Model
from fastapi import FastAPI, Request

app = FastAPI()
model = Model()


@app.post("/predict")
async def predict(request: Request) -> dict[str, Any]:
    """The probability for each record."""
    body = await request.json()
    return {"probabilities": model.probabilities(body["records"])}
