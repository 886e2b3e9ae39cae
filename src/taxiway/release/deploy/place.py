"""A place for an endpoint: what all files of a rendering agree on, and what may be asked for."""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from taxiway.core.charter import Charter
from taxiway.core.digest import short
from taxiway.core.errors import Problem
from taxiway.core.facts import Model, Release

USER = 10001
"""The numeric user of the container: Kubernetes can only prove of a number that it is not root."""
BUNDLE = "/srv/taxiway"
LOG = "/var/lib/taxiway"
LONGEST_NAME = 40
"""Kubernetes allows 63 characters, and adds its own to the names of pods and volumes."""

IMAGE = re.compile(
    r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?::[0-9]{1,5}(?=/))?(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*"
)

URL = re.compile(r"https?://[A-Za-z0-9.:\[\]_-]+(?:/[A-Za-z0-9._~/-]*)?")

MOST_REPLICAS = 1_000
MOST_WORKERS = 64
BYTES_OF_A_DECISION = 2_048
"""In the log, with room: one of the flights' takes 900 with its indexes."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the caller of a rendering chooses."""

    image: str | None = None
    """Without its tag; None: the name of the endpoint."""
    port: int = 8000
    workers: int = 1
    minimum: int = 2
    maximum: int = 6
    spans_to: str | None = None
    """The base URL of a collector that takes OTLP over HTTP; None: no spans."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a rehearsal found out about a release as a process; the defaults are of none."""

    memory_mb: float = 200.0
    start_seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where and how a release will answer."""

    name: str
    model: str
    environment: str
    tier: str
    owner: str
    release: Release
    taxiway: str
    """The version that renders, and that will serve."""
    python: str
    """Major and minor version of the interpreter that the release was made with."""
    bundle: str
    """Digest of the sealed record."""
    asked: Asked
    wheels: bool
    """Whether packages are installed from files beside the Dockerfile, too."""
    memory_mb: int
    start_seconds: int
    log_gib: int
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)

    @property
    def image(self) -> str:
        """With a tag that no other bundle has."""
        tag = f"{self.release.number}-{short(self.bundle)}"
        return f"{self.asked.image or self.name}:{tag}"

    @property
    def command(self) -> list[str]:
        """What runs in the container."""
        where = ["--env", self.environment, "--host", "0.0.0.0", "--port", str(self.asked.port)]  # noqa: S104 - of a container
        workers = ["--workers", str(self.asked.workers)] if self.asked.workers > 1 else []
        return ["taxiway", "serve", self.model, *where, *workers]

    @property
    def variables(self) -> dict[str, str]:
        """What the server is told, beside the API key."""
        spans = self.asked.spans_to
        traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": spans, "OTEL_SERVICE_NAME": self.name}
        return {"TAXIWAY_BUNDLE": self.bundle} | ({k: v for k, v in traced.items() if v and spans})

    @property
    def secret(self) -> str:
        """The secret that holds the API key; it is made by hand and rendered nowhere."""
        return f"{self.name}-api-key"


def place_of(
    model: Model,
    charter: Charter,
    release: Release,
    *,
    environment: str,
    taxiway: str,
    python: str,
    bundle: str,
    measured: Measured,
    asked: Asked,
    wheels: bool,
) -> Place:
    """The place that follows from a release, its charter and its rehearsal."""
    name = name_of(model.id, environment)
    owner = model.owners.get("engineering") or model.owners.get("business") or "nobody"
    return Place(
        name=name,
        model=model.id,
        environment=environment,
        tier=model.tier,
        owner=owner,
        release=release,
        taxiway=taxiway,
        python=python,
        bundle=bundle,
        asked=asked,
        wheels=wheels,
        # What was measured is the process that answers; there is also the one that starts it.
        memory_mb=_rounded_up(measured.memory_mb * 1.25 * asked.workers + 64, 64),
        # Ten times what it took here: another machine, a cold disk, a busy node.
        start_seconds=max(30, _rounded_up(measured.start_seconds * 10, 5)),
        log_gib=_log_gib(charter, asked),
        labels={
            "app.kubernetes.io/name": model.id.rstrip("-"),
            "app.kubernetes.io/instance": name,
            "app.kubernetes.io/version": str(release.number),
            "app.kubernetes.io/component": "endpoint",
            "app.kubernetes.io/managed-by": "taxiway",
            "taxiway/environment": environment,
            "taxiway/tier": model.tier,
        },
        annotations={
            "taxiway/release": release.id,
            "taxiway/release-digest": release.digest,
            "taxiway/bundle-digest": bundle,
            "taxiway/owner": owner,
        },
    )


def name_of(model: str, environment: str) -> str:
    """The name of an endpoint, which every cluster and registry takes.

    >>> name_of("flight-delays", "prod")
    'flight-delays-prod'
    >>> len(name_of("a" * 63, "prod"))
    40
    """
    name = f"{model.rstrip('-')}-{environment}"
    if len(name) <= LONGEST_NAME:
        return name
    told_apart = hashlib.sha256(name.encode()).hexdigest()[:6]
    return f"{name[: LONGEST_NAME - 7].rstrip('-')}-{told_apart}"


def problems_of(asked: Asked) -> list[Problem]:
    """Everything that can't be asked for."""
    problems = []
    if asked.image is not None and not IMAGE.fullmatch(asked.image):
        problems.append(
            Problem(
                "the image's name can't be used",
                where="--image",
                found=asked.image,
                expected="a name without a tag, such as registry.example/team/flight-delays",
            )
        )
    if not 1024 <= asked.port <= 65535:
        problems.append(
            Problem(
                "the port can't be used by a user who is not root",
                where="--port",
                found=str(asked.port),
                expected="1024 to 65535",
            )
        )
    if not 1 <= asked.workers <= MOST_WORKERS:
        problems.append(
            Problem(
                "so many processes can't be had in a pod",
                where="--workers",
                found=str(asked.workers),
                expected=f"1 to {MOST_WORKERS}",
            )
        )
    if not 1 <= asked.minimum <= asked.maximum <= MOST_REPLICAS:
        problems.append(
            Problem(
                "so many replicas can't be had",
                where="--replicas",
                found=f"{asked.minimum} {asked.maximum}",
                expected=f"two numbers from 1 to {MOST_REPLICAS:,}, the smaller one first",
            )
        )
    if asked.spans_to is not None and collector(asked.spans_to) is None:
        problems.append(
            Problem(
                "no collector can be reached there",
                where="--spans-to",
                found=asked.spans_to,
                expected="a URL such as http://collector:4318, without a password",
            )
        )
    return problems


def collector(url: str) -> int | None:
    """The port of a collector's URL; None if it is none, or holds a secret.

    >>> collector("http://collector:4318"), collector("https://otlp.example/v1")
    (4318, 443)
    >>> collector("collector:4318"), collector("http://me:secret@collector:4318")
    (None, None)
    """
    if not URL.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None
    return port if parts.hostname and parts.username is None else None


def python_of(lock: str) -> str | None:
    """The interpreter's major and minor version, from the first line of a release's lock.

    >>> python_of("# Python 3.11.7, linux-x86_64\\nnumpy==2.3.0\\n")
    '3.11'
    """
    found = re.match(r"# Python (\d+\.\d+)", lock)
    return found[1] if found else None


def _log_gib(charter: Charter, asked: Asked) -> int:
    """GiB for the decisions that a replica keeps, if the fewest replicas share all of them."""
    days = charter.deployment.retention_days
    decisions = charter.risk.decisions_per_month * days / 30 / asked.minimum
    return max(1, math.ceil(decisions * BYTES_OF_A_DECISION / 2**30))


def _rounded_up(value: float, to: int) -> int:
    return math.ceil(value / to) * to


Document = dict[str, Any]
"""One YAML document."""
