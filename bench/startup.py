"""Start-up, side by side in one run: `python -c pass`, taxiway, MLflow and Kedro.

    make bench                 (downloads the neighbours into build/bench, once)
    python bench/startup.py --without-neighbours

Whole processes, median of the rounds; every command is timed in each round, so that a noisy moment
hits all of them. The bars: `taxiway --help` within 8 times and `taxiway status` within 12 times
`python -c pass`. Writes build/bench/startup.json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "bench"
ROUNDS = 11
NEIGHBOURS = {"mlflow": "mlflow", "kedro": "kedro"}
BARS = {"taxiway --help": 8.0, "taxiway status": 12.0}


def neighbour(package: str) -> Path:
    """The folder of executables of a package in an environment of its own."""
    home = BUILD / package
    binaries = home / "bin"
    if not (binaries / package).exists():
        uv = shutil.which("uv") or str(ROOT / ".venv-uv" / "bin" / "uv")
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, home], check=True)
        subprocess.run(
            [uv, "pip", "install", "--quiet", "--python", binaries / "python", package],
            check=True,
            env=os.environ | {"UV_COMPILE_BYTECODE": "1"},
        )
    return binaries


def seconds(command: list[str], folder: Path, environment: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--without-neighbours", action="store_true")
    given = parser.parse_args()
    python = Path(sys.executable)
    ours = str(python.parent / "taxiway")
    commands = {
        "python -c pass": [str(python), "-c", "pass"],
        "taxiway --help": [ours, "--help"],
        "taxiway status": [ours, "status"],
    }
    if not given.without_neighbours:
        for name, package in NEIGHBOURS.items():
            commands[f"{name} --help"] = [str(neighbour(package) / name), "--help"]
    # Bytecode is compiled once, as an installed package has it; the rounds then only read it.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [ours, "init", folder], check=True, env=environment, stdout=subprocess.DEVNULL
        )
        for command in commands.values():
            seconds(command, Path(folder), environment)
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                times[name].append(seconds(command, Path(folder), environment))
    median = {name: statistics.median(values) for name, values in times.items()}
    limit = median["python -c pass"]
    print(f"{'command':18} {'median ms':>10} {'times pass':>11} {'bar':>6}")
    for name, value in median.items():
        bar = f"{BARS[name]:g}" if name in BARS else ""
        print(f"{name:18} {value * 1000:10.0f} {value / limit:11.1f} {bar:>6}")
    BUILD.mkdir(parents=True, exist_ok=True)
    ratios = {name: value / limit for name, value in median.items()}
    result = {"median_seconds": median, "times_pass": ratios, "bars": BARS, "rounds": ROUNDS}
    (BUILD / "startup.json").write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
