"""Pages: what a server says of itself and of the models that it serves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import version

from taxiway.core.errors import MissingError, shortened
from taxiway.serving import inference
from taxiway.serving.call import Call
from taxiway.serving.deciding import Decider
from taxiway.serving.figures import Figures
from taxiway.serving.metrics import CONTENT_TYPE, Metrics
from taxiway.serving.openapi import openapi
from taxiway.serving.replies import Reply, refused
from taxiway.serving.routes import NAME
from taxiway.serving.served import Served

CLOSED = {"/openapi.json", "/metrics", "/v1/models", f"/v1/models/{NAME}", f"/v2/models/{NAME}"}
"""Pages that need the key, like every decision."""


class Pages:
    """The pages of one server, and the models that its paths name."""

    def __init__(
        self, models: Mapping[str, Served], metrics: Metrics, figures: Figures | None
    ) -> None:
        self._models = models
        self._metrics = metrics
        self._figures = figures

    def routes(self) -> dict[str, Callable[[Call], Awaitable[Reply]]]:
        """Path -> what answers a GET of it."""
        return {
            "/ready": self._ready,
            "/live": self._live,
            "/ping": self._ready,
            "/openapi.json": self._openapi,
            "/metrics": self._show_metrics,
            "/v1/models": self._list,
            f"/v1/models/{NAME}": self._list,
            "/v2": self._server,
            "/v2/health/live": self._live,
            "/v2/health/ready": self._ready,
            f"/v2/models/{NAME}": self._model,
            f"/v2/models/{NAME}/ready": self._model_ready,
        }

    def served(self, call: Call) -> Served:
        """The model that a path names. Raises `MissingError` if it is not served here."""
        if call.route.served is not None:
            return call.route.served
        if call.route.unknown is not None:
            raise MissingError.named("model", call.route.unknown, self._models)
        raise MissingError(
            f"{call.route.shown} names no model, and {len(self._models)} are served here.",
            todo=f"Ask /v1/models/NAME/predict; there are {shortened(', '.join(self._models))}.",
        )

    def decider(self, call: Call) -> Decider:
        """Who answers now: the champion, or the release that a path names."""
        return self.served(call).lineup.answering().answering(call.route.release)

    def figures(self) -> str:
        """The metrics of this process."""
        return self._metrics.text({name: one.measured() for name, one in self._models.items()})

    def _seen(self, call: Call) -> list[Served]:
        """The models that whoever calls may know of."""
        if call.route.served is not None:
            return [call.route.served]
        models = list(self._models.values())
        return models if len(models) == 1 else [m for m in models if not m.gate.admit(call.key)]

    async def _ready(self, _: Call) -> Reply:
        told = {name: one.told() for name, one in self._models.items()}
        problems = [f"{name}: {one['problem']}" for name, one in told.items() if not one["ready"]]
        if len(told) == 1:
            (only,) = told.values()
            problems = [only["problem"]] if problems else []
        if problems:
            return refused(503, "TW-4", f"Not ready: {'; '.join(problems)}")
        return Reply(only if len(told) == 1 else {"ready": True, "models": told})

    async def _live(self, _: Call) -> Reply:
        return Reply({"live": True})

    async def _openapi(self, call: Call) -> Reply:
        seen = [one.lineup.answering().champion.artefact for one in self._seen(call)]
        return Reply(openapi(*seen))

    async def _show_metrics(self, _: Call) -> Reply:
        own = self.figures()
        text = self._figures.added(own) if self._figures else own
        return Reply(text.encode(), headers=(("content-type", CONTENT_TYPE),))

    async def _list(self, call: Call) -> Reply:
        if call.route.named:
            return Reply(self.served(call).listed())
        return Reply({"models": [one.listed() for one in self._seen(call)]})

    async def _server(self, _: Call) -> Reply:
        return Reply({"name": "taxiway", "version": version("taxiway"), "extensions": []})

    async def _model(self, call: Call) -> Reply:
        cast = self.served(call).lineup.answering()
        artefact = cast.answering(call.route.release).artefact
        return Reply(inference.metadata(artefact, [one.artefact.release for one in cast.deciders]))

    async def _model_ready(self, call: Call) -> Reply:
        return Reply({"name": self.decider(call).artefact.model, "ready": True})
