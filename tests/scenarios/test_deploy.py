"""An endpoint rendered for elsewhere: manifests that hold, and a bundle that really answers."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from taxiway import Workspace
from taxiway.adapters.decisions import DecisionLog
from taxiway.adapters.ids import new_id
from taxiway.core.digest import digest_bytes

from .conftest import ENGINEER, MODEL, OWNER, RECORD, Firm, in_environment, soon
from .test_endpoint import Client, free_port, serving

NAME = f"{MODEL}-prod"
KUBERNETES = ("1.30", "1.34", "1.37")
LABEL = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
DNS_NAME = re.compile(r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?")
KEY = "secret-of-the-test"

HEAVY = ("pandas", "sklearn", "skops", "scipy", "mlflow", "onnx", "lightgbm", "xgboost")
"""What only training needs."""
SLOW = ("pydantic", "sqlalchemy", "alembic", "rich", "yaml")
"""What the command line needs, and an endpoint that starts does not."""
WITHOUT = """
import sys

class Without:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"{{name}} is left out by the test", name=name)

sys.meta_path.insert(0, Without())
"""


@pytest.fixture
def rendered(running: Firm) -> Path:
    out = running.folder / "deploy"
    running.run("deploy", "render", MODEL, "--to", out)
    return out


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def documents(folder: Path) -> dict[str, Any]:
    return {
        path.stem: yaml.safe_load(path.read_bytes()) for path in folder.glob("kubernetes/*.yaml")
    }


# What is written


def test_the_same_release_gives_the_same_bytes(running: Firm, rendered: Path) -> None:
    first = contents(rendered)
    running.run("deploy", "render", MODEL, "--to", rendered)
    assert contents(rendered) == first
    other = running.folder / "other"
    before = running.ask("deploy", "render", MODEL, "--to", other, "--dry-run")
    assert not other.exists()
    usual = os.umask(0o077)
    try:
        assert running.ask("deploy", "render", MODEL, "--to", other) == before
    finally:
        os.umask(usual)
    assert contents(other) == first
    assert all(path.stat().st_mode & 0o004 for path in (other, *other.rglob("*")))
    said = json.loads(first["rendered.json"])
    assert said["files"] == {n: digest_bytes(c) for n, c in first.items() if n != "rendered.json"}
    for name in ("Dockerfile", "compose.yaml", "kubernetes/stateful-set.yaml"):
        assert b"# Made by taxiway" in first[name]
        assert said["release_digest"].encode() in first[name]


def test_kubernetes_takes_every_manifest(rendered: Path) -> None:
    found = documents(rendered)
    assert len(found) == 7
    for document in found.values():
        for version in KUBERNETES:
            kubernetes_validate.validate(document, version, strict=True)
        meta = document["metadata"]
        assert DNS_NAME.fullmatch(meta["name"])
        assert all(LABEL.fullmatch(value) for value in meta["labels"].values())
        assert meta["annotations"]["taxiway/release"] == f"{MODEL}:1"
    broken = found["stateful-set"] | {"spec": {**found["stateful-set"]["spec"], "replica": 1}}
    with pytest.raises(kubernetes_validate.ValidationError, match="replica"):
        kubernetes_validate.validate(broken, KUBERNETES[-1], strict=True)


def test_the_manifests_name_each_other_and_hold_the_pod_tight(rendered: Path) -> None:
    found = documents(rendered)
    spec = found["stateful-set"]["spec"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    labels = spec["template"]["metadata"]["labels"]
    for selector in (
        spec["selector"]["matchLabels"],
        found["service"]["spec"]["selector"],
        found["pods"]["spec"]["selector"],
        found["disruption-budget"]["spec"]["selector"]["matchLabels"],
        found["network-policy"]["spec"]["podSelector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items()
        assert "app.kubernetes.io/version" not in selector, "it has to hold for the next release"
    assert spec["serviceName"] == found["pods"]["metadata"]["name"]
    assert found["autoscaler"]["spec"]["scaleTargetRef"]["name"] == NAME
    assert pod["serviceAccountName"] == found["service-account"]["metadata"]["name"]
    assert found["service-account"]["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    probes = {name: container[name]["httpGet"]["path"] for name in container if "Probe" in name}
    assert probes == {
        "startupProbe": "/ready",
        "readinessProbe": "/ready",
        "livenessProbe": "/live",
    }
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    (claim,) = spec["volumeClaimTemplates"]
    assert mounted == {claim["metadata"]["name"], *(volume["name"] for volume in pod["volumes"])}
    variables = {one["name"]: one for one in container["env"]}
    assert "value" not in variables["TAXIWAY_API_KEY"]
    assert spec["persistentVolumeClaimRetentionPolicy"]["whenScaled"] == "Retain"


def test_one_host_gets_the_same(rendered: Path) -> None:
    document = yaml.safe_load((rendered / "compose.yaml").read_bytes())
    (service,) = document["services"].values()
    dockerfile = (rendered / "Dockerfile").read_text()
    (container,) = documents(rendered)["stateful-set"]["spec"]["template"]["spec"]["containers"]
    assert service["image"] == container["image"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["ports"] == ["127.0.0.1:8000:8000"]
    (volume,) = service["volumes"]
    assert volume.partition(":")[0] in document["volumes"]
    assert f"VOLUME {volume.partition(':')[2]}\n" in dockerfile
    assert f"USER {service['user']}\n" in dockerfile
    assert f"TAXIWAY_BUNDLE={service['environment']['TAXIWAY_BUNDLE']} " in dockerfile
    assert f"CMD {json.dumps(container['args'])}\n" in dockerfile
    # What is copied is there.
    for line in dockerfile.splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            assert all((rendered / name).exists() for name in line.split()[1:-1])


def test_versions_are_those_of_the_release_and_training_stays_at_home(rendered: Path) -> None:
    wanted = _lines(rendered / "requirements.txt")
    pins = dict(line.split("==") for line in _lines(rendered / "constraints.txt"))
    assert wanted[0].startswith("taxiway[serve]==")
    assert {"polars", "numpy", "granian"} <= pins.keys()
    assert "taxiway" not in pins
    assert not [line for line in wanted if line.partition("==")[0] in HEAVY]


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if not line.startswith("#")]


def test_nothing_secret_and_nothing_of_others_is_in_it(running: Firm) -> None:
    purpose = "planning of gates and connections for the coming days"
    words = ["consumers", "add", "gates", "--purpose", purpose, "--until", soon(30)]
    key = running.ask(*words, by=OWNER)["key"]
    out = running.folder / "deploy"
    running.run("deploy", "render", MODEL, "--to", out)
    everything = b"".join(contents(out).values())
    for secret in (key.encode(), b"PRIVATE KEY", str(running.folder).encode()):
        assert secret not in everything
    record = json.loads((out / "bundle" / ".taxiway" / "record.json").read_bytes())
    assert record["facts"].keys() == {"consumer", "deployment", "model", "person", "release"}
    assert [one["id"] for one in record["facts"]["person"]] == ["flights-developer"]


def test_what_is_asked_for_is_what_is_written(running: Firm) -> None:
    out = running.folder / "deploy"
    sizes = ["--replicas", 3, 9, "--port", 9000, "--workers", 2]
    image = "registry.example:5000/team/flights"
    sizes += ["--spans-to", "http://collector.telemetry:4318"]
    running.run("deploy", "render", MODEL, "--to", out, *sizes, "--image", image)
    found = documents(out)
    for document in found.values():
        kubernetes_validate.validate(document, KUBERNETES[-1], strict=True)
    allowed = found["network-policy"]["spec"]["egress"]
    assert [one["port"] for rule in allowed for one in rule["ports"]] == [4318, 53, 53]
    assert _lines(out / "requirements.txt")[0].startswith("taxiway[serve,otel]==")
    autoscaler = found["autoscaler"]["spec"]
    assert (autoscaler["minReplicas"], autoscaler["maxReplicas"]) == (3, 9)
    (container,) = found["stateful-set"]["spec"]["template"]["spec"]["containers"]
    assert container["image"].startswith(f"{image}:1-")
    assert container["ports"][0]["containerPort"] == 9000
    assert container["args"][-4:] == ["--port", "9000", "--workers", "2"]
    assert container["resources"]["requests"]["cpu"] == "1000m"
    variables = {one["name"]: one.get("value") for one in container["env"]}
    assert variables["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://collector.telemetry:4318"
    assert variables["OTEL_SERVICE_NAME"] == NAME
    running.run("deploy", "render", MODEL, "--to", out, "--only", "compose")
    assert set(contents(out)) == {"compose.yaml", "rendered.json"}


# What is refused


def test_everything_that_is_wrong_is_said_at_once(trained: Firm) -> None:
    out = trained.folder / "deploy"
    words = ["deploy", "render", MODEL, "--to", out]
    sizes = ["--replicas", 0, -1, "--port", 80, "--workers", 0, "--spans-to", "ftp://x"]
    bad = [*sizes, "--image", "Flights:latest", "--wheel", trained.folder / "no.whl"]
    said = trained.run(*words, *bad, code=2)
    for place in ("--replicas", "--workers", "--port", "--image", "--wheel", "--spans-to"):
        assert f"{place}: " in said
    assert "no champion in prod" in said
    assert "no champion in prod" in trained.run(*words, code=3)
    assert "Did you mean 'flight-delays'?" in trained.run(
        "deploy", "render", "flihgt-delays", "--to", out, code=3
    )
    assert not out.exists()


def test_a_release_that_is_not_sound_is_not_rendered(running: Firm) -> None:
    for path in (running.store / "objects").rglob("*"):
        if path.is_file() and b'"code_main"' in path.read_bytes():
            manifest = json.loads(path.read_bytes())
    digest = manifest["files"]["model.skops"].removeprefix("sha256:")
    broken = running.store / "objects" / digest[:2] / digest[2:]
    broken.chmod(0o644)
    broken.write_bytes(broken.read_bytes() + b"x")
    out = running.folder / "deploy"
    assert "not what was signed" in running.run("deploy", "render", MODEL, "--to", out, code=5)
    assert not out.exists()


def test_what_somebody_put_there_is_kept(running: Firm, rendered: Path, tmp_path: Path) -> None:
    words = ["deploy", "render", MODEL, "--to"]
    (tmp_path / "notes.txt").write_text("mine")
    assert "no rendering made them" in running.run(*words, tmp_path, "--overwrite", code=6)
    assert "is no folder" in running.run(*words, tmp_path / "notes.txt", code=6)
    edited = rendered / "kubernetes" / "service.yaml"
    before = edited.read_text()
    edited.write_text(before.replace("ClusterIP", "NodePort"))
    (rendered / "kubernetes" / "ingress.yaml").write_text("kind: Ingress\n")
    said = running.run(*words, rendered, code=6)
    assert "holds 2 files" in said
    assert "kubernetes/service.yaml" in said
    running.run(*words, rendered, "--overwrite")
    assert edited.read_text() == before
    assert not (rendered / "kubernetes" / "ingress.yaml").exists()


# What answers


@dataclasses.dataclass(frozen=True)
class Container:
    """What a container of the image would see, without one: its files and its variables."""

    bundle: Path
    log: Path
    variables: dict[str, str]
    command: list[str]

    @contextmanager
    def running(self, **more: str) -> Iterator[Client]:
        """A server of the bundle, ready; with no key, no workspace and no project in reach."""
        port = free_port()
        # The command of the image, but for the address: no test listens for other machines.
        words = [*self.command[1:], "--host", "127.0.0.1", "--port", str(port)]
        with subprocess.Popen(
            [sys.executable, "-m", "taxiway.cli", *words],
            cwd=self.log,
            env={"PATH": os.environ["PATH"], **self.variables, **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as server:
            try:
                with closing(Client(port)) as client:
                    _wait(client, server)
                    yield client
            finally:
                server.terminate()
                server.communicate(timeout=30)


def _wait(client: Client, server: subprocess.Popen[bytes]) -> None:
    deadline, said = time.monotonic() + 60, None
    while True:
        assert server.poll() is None, server.communicate()
        assert time.monotonic() < deadline, f"the server is not ready after a minute: {said}"
        try:
            status, said = client.send("GET", "/ready")
            if status == 200:
                return
        except OSError:
            client.close()
        time.sleep(0.05)


def container_of(rendered: Path, place: Path) -> Container:
    """Does by hand what the Dockerfile does: copies the bundle, sets what ENV says, runs CMD."""
    dockerfile = (rendered / "Dockerfile").read_text().replace("\\\n", " ")
    (env,) = re.findall(r"^ENV (.*)$", dockerfile, re.MULTILINE)
    (command,) = re.findall(r"^CMD (.*)$", dockerfile, re.MULTILINE)
    log = place / "log"
    log.mkdir()
    shutil.copytree(rendered / "bundle", place / "bundle")
    variables = dict(one.split("=", 1) for one in env.split())
    variables |= {
        "TAXIWAY_WORKSPACE": str(place / "bundle"),
        "TAXIWAY_DECISIONS": str(log),
        "TAXIWAY_API_KEY": KEY,
        "HOME": str(log),
    }
    del variables["PATH"]
    return Container(place / "bundle", log, variables, json.loads(command))


def test_the_bundle_answers_as_the_workspace_does_and_nothing_of_it_changes(
    running: Firm, rendered: Path, tmp_path: Path
) -> None:
    place = tmp_path / "container"
    place.mkdir()
    made = container_of(rendered, place)
    body = json.dumps(RECORD).encode()
    with serving(running) as (client, _):
        _, expected = client.predict(RECORD)
    shutil.move(running.folder / ".taxiway", running.folder / "away")
    before = contents(made.bundle)
    left_out = tmp_path / "without"
    left_out.mkdir()
    (left_out / "sitecustomize.py").write_text(WITHOUT.format(names=set(HEAVY + SLOW)))
    with made.running(PYTHONPATH=str(left_out)) as client:
        _, ready = client.send("GET", "/ready")
        assert client.send("POST", "/predict", body)[0] == 401
        status, answered = client.send("POST", "/predict", body, authorization=f"Bearer {KEY}")
        several = json.dumps([RECORD] * 3).encode()
        assert client.send("POST", "/predict", several, authorization=f"Bearer {KEY}")[0] == 200
    assert status == 200
    assert ready["golden_predictions"] == 100
    for name in ("release", "prediction", "probability", "reasons"):
        assert answered[name] == expected[name]
    assert contents(made.bundle) == before
    # Its decisions come home, once, and can be made again there.
    shutil.move(running.folder / "away", running.folder / ".taxiway")
    collect = ["deploy", "collect", made.log, "--model", MODEL]
    assert running.ask(*collect, "--dry-run")["added"] == 4
    assert running.ask(*collect)["added"] == 4
    assert running.ask(*collect)["added"] == 0
    assert running.ask("replay", answered["decision"])["equal"]
    assert "no decision log" in running.run("deploy", "collect", place, "--model", MODEL, code=3)


def test_decisions_of_releases_that_nobody_knows_stay_out(running: Firm, tmp_path: Path) -> None:
    folder = tmp_path / "volume"
    folder.mkdir()
    with in_environment(running), Workspace.open() as workspace:
        known = next(iter(workspace.decisions.scan(MODEL)))
    own = dataclasses.replace(known, id=new_id())
    with closing(DecisionLog(folder / "decisions.db")) as log:
        log.append([own, dataclasses.replace(own, id=new_id(), release_digest="sha256:0")])
    said = running.run("deploy", "collect", folder, "--model", MODEL, code=2)
    assert f"decisions of {MODEL}:1" in said
    assert running.run("replay", own.id, code=3)


def test_a_bundle_of_another_rendering_is_not_served(rendered: Path, tmp_path: Path) -> None:
    made = container_of(rendered, tmp_path)
    other = made.variables | {"TAXIWAY_BUNDLE": "sha256:" + "0" * 64}
    done = subprocess.run(
        [sys.executable, "-m", "taxiway.cli", *made.command[1:], "--host", "127.0.0.1"],
        env={"PATH": os.environ["PATH"], **other},
        cwd=made.log,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 5
    assert "of two renderings" in done.stderr
    assert "Traceback" not in done.stderr
    assert ENGINEER not in done.stderr
