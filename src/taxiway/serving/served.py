"""A model of a server: who answers for it, who may ask, and the threads that decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taxiway.core.decision import Decision
from taxiway.serving.access import Gate
from taxiway.serving.cast import Cast
from taxiway.serving.deciding import STUB
from taxiway.serving.grouping import Deliver, Grouping
from taxiway.serving.guardrail import Breach
from taxiway.serving.lineup import Answering
from taxiway.serving.metrics import ModelMetrics
from taxiway.serving.request import Worked
from taxiway.serving.shadow import Shadow
from taxiway.serving.splitting import Tried

BUFFERED = "buffered: a loss of power may lose the decisions of the last second"
"""What `/ready` says of a log that answers do not wait for."""


class Served:
    """One model of a server. It answers from `start` until `close`."""

    def __init__(self, name: str, lineup: Answering, gate: Gate) -> None:
        self.name = name
        self.lineup = lineup
        self.gate = gate
        self.grouping: Grouping
        self._shadow = Shadow()
        self.metrics = ModelMetrics(shadow=self._shadow.counts)

    def start(self, deliver: Deliver) -> None:
        """Starts the thread that decides; `deliver` takes its answers back to who asked."""
        self.grouping = Grouping(
            self.lineup.answering, deliver, worked=self._worked, shadowed=self._shadowed
        )

    def close(self) -> None:
        """Answers what waits, and ends."""
        self.grouping.close()
        self._shadow.close()

    def refresh(self) -> None:
        """Looks again who may ask, and who answers."""
        # The gate first: whoever is told that the endpoint is ready may be let in.
        self.gate.refresh()
        self.lineup.refresh()

    @property
    def ready(self) -> bool:
        return self.lineup.current is not None

    def told(self) -> dict[str, Any]:
        """What `/ready` says of it."""
        cast = self.lineup.current
        if cast is None:
            return {"ready": False, "problem": self.lineup.problem}
        decider = cast.champion
        note = {"note": said} if (said := self.lineup.note) else {}
        log = {"log": BUFFERED} if decider.buffered else {}
        stub = {"stub": True} if decider.channel == STUB else {}
        completing = decider.completing
        views = {"features_from": list(completing.pinned.views)} if completing else {}
        return {
            "ready": True,
            "release": decider.artefact.release,
            "digest": decider.artefact.digest,
            "environment": decider.environment,
            "golden_predictions": self.lineup.golden,
            **_others(cast),
            **note,
            **log,
            **views,
            **stub,
        }

    def listed(self) -> dict[str, Any]:
        """What `/v1/models` says of it."""
        cast = self.lineup.current
        if cast is None:
            return {"name": self.name, "ready": False, "releases": []}
        roles = [("champion", cast.champion, 100 - (cast.canary.share if cast.canary else 0))]
        if cast.canary:
            roles.append(("canary", cast.canary.decider, cast.canary.share))
        if cast.challenger:
            roles.append(("challenger", cast.challenger, 0))
        return {
            "name": self.name,
            "ready": True,
            "environment": cast.champion.environment,
            "releases": [
                {
                    "release": decider.artefact.release,
                    "digest": decider.artefact.digest,
                    "role": role,
                    "share": share,
                }
                for role, decider, share in roles
            ],
        }

    def measured(self) -> ModelMetrics:
        """Its metrics, as they are now."""
        self.metrics.waiting = self.grouping.waiting
        cast = self.lineup.current
        made = [one.completing.counts for one in cast.deciders if one.completing] if cast else []
        if made:  # the champion and the canary count together, and with those before them
            self.metrics.looked_up = made[0].copy()
        return self.metrics

    def _worked(self, worked: Worked) -> None:
        self.metrics.worked(worked)
        if worked.tried is not None:
            self._judge(worked.tried)

    def _judge(self, tried: Tried) -> None:
        canary = tried.canary
        self.metrics.failures[canary.decider.artefact.release] += tried.trial.failures
        try:
            breach = canary.guardrail.saw(tried.trial)
        except Exception as error:  # noqa: BLE001 - a canary that nobody can watch does not stay
            what = f"it can't be watched: {type(error).__name__}: {error}"
            release = canary.decider.artefact.release
            breach = Breach(canary.deployment, release, "watched", what, {}, {})
        if breach is not None:
            self.lineup.take_off(breach)

    def _shadowed(self, cast: Cast, decisions: Sequence[Decision]) -> None:
        if cast.challenger is not None:
            self._shadow.offer(cast.challenger, cast.champion, decisions)


def _others(cast: Cast) -> dict[str, Any]:
    """The canary and the challenger, where there is one."""
    canary, challenger = cast.canary, cast.challenger
    return (
        {"canary": {"release": canary.decider.artefact.release, "share": canary.share}}
        if canary
        else {}
    ) | ({"challenger": {"release": challenger.artefact.release}} if challenger else {})
