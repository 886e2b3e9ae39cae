"""A compose file for one host: one container, read-only, with its log on a volume."""

from __future__ import annotations

from taxiway.release.deploy.place import LOG, USER, Document, Place


def compose(place: Place) -> Document:
    """The document of compose.yaml. It publishes on loopback: what faces others is a proxy."""
    port = place.asked.port
    ready = f"http://127.0.0.1:{port}/ready"
    return {
        "name": place.name,
        "services": {
            "endpoint": {
                "image": place.image,
                "build": {"context": "."},
                "restart": "unless-stopped",
                "read_only": True,
                "user": f"{USER}:{USER}",
                "cap_drop": ["ALL"],
                "security_opt": ["no-new-privileges:true"],
                "tmpfs": ["/tmp:size=64m,mode=1777"],  # noqa: S108 - of a container
                "environment": {
                    "TAXIWAY_API_KEY": "${TAXIWAY_API_KEY:?set it to the key that callers send}",
                    **place.variables,
                },
                "ports": [f"127.0.0.1:{port}:{port}"],
                "volumes": [f"decisions:{LOG}"],
                "stop_grace_period": "30s",
                "healthcheck": {
                    "test": [
                        "CMD",
                        "python",
                        "-c",
                        f"import urllib.request as r; r.urlopen('{ready}', timeout=4)",
                    ],
                    "interval": "10s",
                    "timeout": "5s",
                    "retries": 3,
                    "start_period": f"{place.start_seconds}s",
                },
                "deploy": {
                    "resources": {
                        "limits": {"memory": f"{2 * place.memory_mb}M"},
                        "reservations": {"memory": f"{place.memory_mb}M"},
                    }
                },
                "labels": {**place.labels, **place.annotations},
            }
        },
        "volumes": {"decisions": {}},
    }
