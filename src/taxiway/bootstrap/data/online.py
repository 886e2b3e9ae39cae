"""Wires the online store of features, for commands and for the endpoint, which has no YAML."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from taxiway.bootstrap.extras import extras
from taxiway.config import STORE
from taxiway.core.errors import MissingError, RefusedError
from taxiway.core.ports import OnlineFeatures

FILE = "features.db"
REDIS = ("redis://", "rediss://", "unix://")


def open_store(named: str | None, root: Path | None) -> OnlineFeatures:
    """The online store: a Redis by its address, a file by its name, or the workspace's own."""
    if named and named.startswith(REDIS):
        with extras():
            from taxiway.adapters.features_redis import RedisFeatures

            return RedisFeatures(named)
    from taxiway.adapters.features_sqlite import SqliteFeatures

    if named is None and root is None:
        raise MissingError(
            "Which online store? This folder lies in no workspace.",
            todo="Name a file or a Redis: --store features.db, --store redis://127.0.0.1:6379/0",
        )
    return SqliteFeatures(Path(named) if named else own_store(root or Path()))


def own_store(root: Path) -> Path:
    """Where a workspace has its own online store, once something is materialised."""
    return root / STORE / FILE


def require_held(digests: Mapping[str, str], store: OnlineFeatures) -> None:
    """Raises what stands between views, by name and version -> digest, and the store."""
    missing = [view for view in digests if store.about(view) is None]
    if missing:
        raise MissingError(
            f"The online store does not hold {', '.join(missing)}.",
            todo="Fill it with: taxiway data features materialise",
        )
    require_same(digests, store)


def require_same(digests: Mapping[str, str], store: OnlineFeatures) -> None:
    """A version in the store never changes its meaning."""
    for view, digest in digests.items():
        about = store.about(view)
        if about and about["digest"] != digest:
            version = int(view.rpartition("@")[2])
            raise RefusedError(
                f"The online store holds {view} by another definition, and a version never"
                " changes.",
                todo=f"Give the edited view version {version + 1}.",
            )
