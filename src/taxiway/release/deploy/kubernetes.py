"""Kubernetes manifests: pods that each keep a log of their own, behind one service.

A StatefulSet and not a Deployment: a decision log has one writer and has to outlive its pod, so
every replica has a volume of its own, which stays when the pod goes, and when the set shrinks.
"""

from __future__ import annotations

from typing import Any

from taxiway.release.deploy.place import LOG, USER, Document, Place, collector

CPU_SHARE = 70
"""Per cent of the requested CPU from which another replica is started."""
SCALE_DOWN_SECONDS = 300


def manifests(place: Place) -> dict[str, Document]:
    """Name of a file -> its document."""
    return {
        "service-account": _service_account(place),
        "service": _service(place),
        "pods": _headless(place),
        "stateful-set": _stateful_set(place),
        "autoscaler": _autoscaler(place),
        "disruption-budget": _disruption_budget(place),
        "network-policy": _network_policy(place),
    }


def _object(place: Place, api: str, kind: str, name: str | None = None) -> Document:
    return {
        "apiVersion": api,
        "kind": kind,
        "metadata": {
            "name": name or place.name,
            "labels": dict(place.labels),
            "annotations": dict(place.annotations),
        },
    }


def _selector(place: Place) -> dict[str, str]:
    """What tells the pods of this endpoint from all others; it never changes with a release."""
    return {
        "app.kubernetes.io/instance": place.name,
        "app.kubernetes.io/component": "endpoint",
    }


def _service_account(place: Place) -> Document:
    return _object(place, "v1", "ServiceAccount") | {"automountServiceAccountToken": False}


def _service(place: Place) -> Document:
    return _object(place, "v1", "Service") | {
        "spec": {
            "type": "ClusterIP",
            "selector": _selector(place),
            "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}],
        }
    }


def _headless(place: Place) -> Document:
    return _object(place, "v1", "Service", f"{place.name}-pods") | {
        "spec": {
            "clusterIP": "None",
            "selector": _selector(place),
            "ports": [{"name": "http", "port": place.asked.port, "protocol": "TCP"}],
        }
    }


def _stateful_set(place: Place) -> Document:
    return _object(place, "apps/v1", "StatefulSet") | {
        "spec": {
            # How many there are is the autoscaler's to say; a number here would undo what it did.
            "serviceName": f"{place.name}-pods",
            "podManagementPolicy": "Parallel",
            "updateStrategy": {"type": "RollingUpdate"},
            "persistentVolumeClaimRetentionPolicy": {
                "whenDeleted": "Retain",
                "whenScaled": "Retain",
            },
            "selector": {"matchLabels": _selector(place)},
            "template": {
                "metadata": {
                    "labels": dict(place.labels),
                    "annotations": dict(place.annotations),
                },
                "spec": _pod(place),
            },
            "volumeClaimTemplates": [
                {
                    "metadata": {"name": "decisions", "labels": _selector(place)},
                    "spec": {
                        "accessModes": ["ReadWriteOnce"],
                        "resources": {"requests": {"storage": f"{place.log_gib}Gi"}},
                    },
                }
            ],
        }
    }


def _pod(place: Place) -> Document:
    return {
        "serviceAccountName": place.name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 30,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": _selector(place)},
            }
        ],
        "containers": [_container(place)],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}],
    }


def _container(place: Place) -> Document:
    period = 2
    return {
        "name": "endpoint",
        "image": place.image,
        "args": place.command,
        "ports": [{"name": "http", "containerPort": place.asked.port, "protocol": "TCP"}],
        "env": [
            *({"name": name, "value": value} for name, value in place.variables.items()),
            {
                "name": "TAXIWAY_API_KEY",
                "valueFrom": {"secretKeyRef": {"name": place.secret, "key": "key"}},
            },
        ],
        "startupProbe": _probe("/ready", period, failures=-(-place.start_seconds // period)),
        "readinessProbe": _probe("/ready", 5, failures=2),
        "livenessProbe": _probe("/live", 10, failures=3),
        # A pod that ends is still sent requests until every node has heard of it.
        "lifecycle": {"preStop": {"exec": {"command": ["sleep", "5"]}}},
        "resources": {
            "requests": {"cpu": f"{500 * place.asked.workers}m", "memory": f"{place.memory_mb}Mi"},
            "limits": {"memory": f"{2 * place.memory_mb}Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "privileged": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "decisions", "mountPath": LOG},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - of a container
        ],
    }


def _probe(path: str, period: int, *, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": path, "port": "http"},
        "periodSeconds": period,
        "timeoutSeconds": 4,
        "failureThreshold": failures,
    }


def _autoscaler(place: Place) -> Document:
    return _object(place, "autoscaling/v2", "HorizontalPodAutoscaler") | {
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": place.name},
            "minReplicas": place.asked.minimum,
            "maxReplicas": place.asked.maximum,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {
                        "name": "cpu",
                        "target": {"type": "Utilization", "averageUtilization": CPU_SHARE},
                    },
                }
            ],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": SCALE_DOWN_SECONDS}},
        }
    }


def _disruption_budget(place: Place) -> Document:
    # Not `minAvailable`: with one replica it would keep its node from ever being drained.
    return _object(place, "policy/v1", "PodDisruptionBudget") | {
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": _selector(place)}}
    }


def _network_policy(place: Place) -> Document:
    """Pods of the same namespace may ask; the endpoint itself asks nobody, not even for names,
    unless it sends spans."""
    port = collector(place.asked.spans_to) if place.asked.spans_to else None
    spans = [
        {"ports": [{"port": port, "protocol": "TCP"}]},
        {"ports": [{"port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")]},
    ]
    return _object(place, "networking.k8s.io/v1", "NetworkPolicy") | {
        "spec": {
            "podSelector": {"matchLabels": _selector(place)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [
                {
                    "from": [{"podSelector": {}}],
                    "ports": [{"port": "http", "protocol": "TCP"}],
                }
            ],
            "egress": spans if port else [],
        }
    }
