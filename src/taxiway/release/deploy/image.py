"""The image: a Dockerfile in two stages, and what is installed in it."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Mapping, Sequence

from taxiway.release.deploy.place import BUNDLE, LOG, USER, Place

REQUIREMENTS, CONSTRAINTS = "requirements.txt", "constraints.txt"
OWN = "taxiway"
SERVED_WITH = frozenset({"taxiway", "numpy", "polars", "msgspec", "granian", "onnxruntime"})
"""What the extra `serve` brings anyway."""


def dockerfile(place: Place) -> str:
    """Builds in one stage what the other carries: no compiler, no cache and no pip's leftovers."""
    port, command = place.asked.port, ", ".join(f'"{word}"' for word in place.command)
    ready = f"http://127.0.0.1:{port}/ready"
    asks = f"import urllib.request as r; r.urlopen('{ready}', timeout=4)"
    labels = {
        "org.opencontainers.image.title": place.name,
        "org.opencontainers.image.version": place.release.id,
        **place.annotations,
    }
    said = " \\\n      ".join(f'{name}="{value}"' for name, value in labels.items())
    copied, found = ("COPY wheels ./wheels\n", "--find-links wheels ") if place.wheels else ("", "")
    return f"""\
# Build it in this folder: docker build --tag {place.image} .
# BASE may be any image with Python {place.python}; pin it by its digest to build the same again.
ARG BASE=python:{place.python}-slim

FROM ${{BASE}} AS build
WORKDIR /build
COPY {REQUIREMENTS} {CONSTRAINTS} ./
{copied}RUN python -m venv /opt/taxiway \\
 && /opt/taxiway/bin/pip install --no-cache-dir --disable-pip-version-check \\
      {found}--constraint {CONSTRAINTS} --requirement {REQUIREMENTS} \\
 && /opt/taxiway/bin/pip uninstall --yes --quiet pip setuptools

FROM ${{BASE}}
LABEL {said}
COPY --from=build /opt/taxiway /opt/taxiway
COPY bundle {BUNDLE}
RUN install --directory --owner={USER} --group={USER} --mode=0700 {LOG}
ENV PATH=/opt/taxiway/bin:$PATH \\
    PYTHONDONTWRITEBYTECODE=1 \\
    PYTHONUNBUFFERED=1 \\
    HOME=/tmp \\
    TAXIWAY_WORKSPACE={BUNDLE} \\
    TAXIWAY_BUNDLE={place.bundle} \\
    TAXIWAY_DECISIONS={LOG}
USER {USER}:{USER}
WORKDIR /tmp
EXPOSE {port}
VOLUME {LOG}
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period={place.start_seconds}s \\
  CMD ["python", "-c", "{asks}"]
# It needs TAXIWAY_API_KEY, which no image holds.
CMD [{command}]
"""


def requirements(place: Place, others: Mapping[str, str], *, original: bool) -> str:
    """What is installed: the extra for serving, and what the model's own code imports.

    `original`: the release is served by the estimator itself, which needs its libraries.
    """
    extras = [
        "serve",
        *(["train"] if original else []),
        *(["otel"] if place.asked.spans_to else []),
    ]
    wanted = [f"taxiway[{','.join(extras)}]=={place.taxiway}"]
    return "".join(f"{one}\n" for one in [*wanted, *(f"{n}=={v}" for n, v in others.items())])


def constraints(lock: str) -> str:
    """The versions that the release was made with; what is not installed is not held against it.

    taxiway itself is the one that rendered: a bundle is made for the version that serves it.
    """
    pins = [
        line
        for line in lock.splitlines()
        if re.match(r"[a-z0-9][a-z0-9._-]*==", line) and not line.startswith(f"{OWN}==")
    ]
    return "".join(f"{pin}\n" for pin in pins)


def pinned(lock: str) -> dict[str, str]:
    """Distribution -> version of a lock."""
    return dict(line.split("==", 1) for line in lock.splitlines() if "==" in line)


def imported(sources: Sequence[bytes], own: Sequence[str]) -> list[str]:
    """The modules that code imports at any place, without Python's, its own, and the extra's."""
    found = set[str]()
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module)
    top = {name.partition(".")[0] for name in found}
    return sorted(top - sys.stdlib_module_names - set(own) - SERVED_WITH)
