"""The lean image, built by hand: what is installed to serve a compiled model, and how large it is.

    python -m bench.lean                      (trains its model into build/bench, once)

Renders a model for containers and does what its Dockerfile says, without Docker: a fresh
environment, `pip install` of the rendered requirements under the rendered constraints, the bundle
and the server's own process, which is asked for a decision. Prints the installed size by package
and ends with 1 if something of training came along. Downloads packages from the index that pip is
set to. Writes build/bench/lean.json.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.cold import MODEL, RECORD, asked, family, peak_mb
from bench.running import ROOT, free_port
from bench.trained import BUILD, TAXIWAY, train, variables

LEFT_OUT = ("pandas", "scikit-learn", "skops", "mlflow", "scipy", "treelite", "onnx", "xgboost")
FOLDER = BUILD / "lean"


def rendered() -> Path:
    """What `taxiway deploy render` writes for the model in dev, with this taxiway."""
    out, wheels = FOLDER / "rendered", FOLDER / "wheels"
    env = variables()
    shutil.rmtree(FOLDER, ignore_errors=True)
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)]
    subprocess.run(build, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    (wheel,) = wheels.glob("taxiway-*.whl")
    words = ["deploy", "render", MODEL, "--env", "dev", "--to", str(out), "--wheel", str(wheel)]
    subprocess.run([TAXIWAY, *words], env=env, check=True, stdout=subprocess.DEVNULL)
    return out


def installed(context: Path) -> Path:
    """The environment of the image's first stage."""
    home = FOLDER / "opt"
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    pip = [str(home / "bin" / "pip"), "--disable-pip-version-check"]
    words = ["--find-links", "wheels", "--constraint", "constraints.txt"]
    install = [*pip, "install", "--quiet", *words, "--requirement", "requirements.txt"]
    subprocess.run(install, cwd=context, check=True)
    remove = [*pip, "uninstall", "--quiet", "--yes", "pip", "setuptools"]
    subprocess.run(remove, cwd=context, check=True)
    return home


def megabytes(folder: Path) -> float:
    return sum(one.stat().st_size for one in folder.rglob("*") if one.is_file()) / 1e6


def served(context: Path, home: Path) -> dict[str, float]:
    """The image's command as a process with the image's variables: it has to answer."""
    dockerfile = (context / "Dockerfile").read_text().replace("\\\n", " ")
    env = dict(
        one.split("=", 1) for one in re.findall(r"^ENV (.*)$", dockerfile, re.MULTILINE)[0].split()
    )
    command = json.loads(re.findall(r"^CMD (.*)$", dockerfile, re.MULTILINE)[0])
    log, port = FOLDER / "log", free_port()
    log.mkdir()
    env |= {
        "PATH": f"{home}/bin:{os.environ['PATH']}",
        "TAXIWAY_WORKSPACE": str(context / "bundle"),
        "TAXIWAY_DECISIONS": str(log),
    }
    words = [*command[1:], "--host", "127.0.0.1", "--port", str(port)]
    began = time.perf_counter()
    server = subprocess.Popen([str(home / "bin" / "taxiway"), *words], env=env, cwd=log)
    try:
        while asked(port, "GET", "/ready") != 200:
            if server.poll() is not None or time.perf_counter() - began > 60:
                raise SystemExit("The server is not ready.")
            time.sleep(0.01)
        assert asked(port, "POST", "/predict", json.dumps(RECORD)) == 200
        seconds = time.perf_counter() - began
        memory = [peak_mb(pid) for pid in family(server.pid)]
        return {"decision_s": seconds, "memory_mb": max(memory), "all_memory_mb": sum(memory)}
    finally:
        server.terminate()
        server.wait(timeout=20)


def main() -> None:
    train([MODEL], print, fresh=False)
    context = rendered()
    home = installed(context)
    found = served(context, home)
    site = next(home.glob("lib/python*/site-packages"))
    sizes = {one.name: megabytes(one) for one in site.iterdir() if one.is_dir()}
    total, bundle = megabytes(home), megabytes(context / "bundle")
    for name, size in sorted(sizes.items(), key=lambda one: -one[1])[:12]:
        print(f"{size:8.1f} MB  {name}")
    print(f"{total:8.1f} MB  installed beside the base image; the bundle has {bundle:.1f} MB")
    print(
        f"first decision after {found['decision_s']:.2f} s; {found['memory_mb']:.0f} MB in the"
        f" process that answers, {found['all_memory_mb']:.0f} MB in all"
    )
    names = {
        one.name.partition("-")[0].replace("_", "-").lower() for one in site.glob("*.dist-info")
    }
    along = [name for name in LEFT_OUT if name in names]
    document: dict[str, Any] = {
        "installed_mb": total,
        "bundle_mb": bundle,
        "packages": sorted(names),
    }
    (BUILD / "lean.json").write_text(json.dumps(document | found, indent=2) + "\n")
    if along:
        raise SystemExit(f"Of training, these came along: {', '.join(along)}.")


if __name__ == "__main__":
    main()
