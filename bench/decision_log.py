"""What it costs to log a decision: processor time of a row, and how long an append takes.

    python bench/decision_log.py [--rows 200000] [--out FILE]

Decisions of about 700 bytes, appended in groups, durable and buffered; by two processes into a
segment each and into one that they share. Other programs on the machine make the times longer, and
the processor time a little; ratios within one run are what to look at.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from taxiway.adapters.decisions import DecisionLog
from taxiway.adapters.ids import new_id
from taxiway.core.decision import Decision

GROUPS = (1, 32, 256)
EVENT = datetime(2013, 3, 1, 5, tzinfo=UTC)
PAUSE_SECONDS = 0.001


def decisions(rows: int, channel: str = "http") -> list[Decision]:
    """Decisions as an endpoint makes them."""
    at = datetime.now(UTC)
    return [
        Decision(
            id=new_id(),
            model="flight-delays",
            release="flight-delays:1",
            release_digest="sha256:" + "a" * 64,
            environment="prod",
            channel=channel,
            key=f'{{"carrier":"UA","flight":{row},"time_hour":"2013-03-01T05:00:00.000000Z"}}',
            happened_at=EVENT.replace(microsecond=row % 1_000_000),
            at=at,
            inputs={
                "carrier": "UA",
                "flight": row,
                "origin": "JFK",
                "dest": "LAX",
                "distance": 719.0 + random.random(),  # noqa: S311 - figures to write
                "sched_dep_time": 1345,
                "sched_arr_time": 1705,
                "time_hour": "2013-03-01T05:00:00.000000Z",
                "temperature": random.gauss(50, 10),
                "wind": random.gauss(5, 1),
                "remark": "x" * 100,
                "gate": None,
            },
            output={
                "prediction": True,
                "probability": random.random(),  # noqa: S311
                "reasons": [
                    {"column": name, "effect": random.random()}  # noqa: S311
                    for name in ("distance", "carrier", "origin")
                ],
            },
            latency_us=812,
        )
        for row in range(rows)
    ]


def appended(log: DecisionLog, group: int, rows: int, *, durable: bool) -> dict[str, float]:
    """Appends that many rows, and says what it took."""
    took, processor = [], 0.0
    for _ in range(rows // group):
        made = decisions(group)
        busy, began = time.thread_time(), time.perf_counter()
        log.append(made, durable=durable)
        took.append(time.perf_counter() - began)
        processor += time.thread_time() - busy
    return {**spread(took), "processor_us_a_row": round(processor / rows * 1e6, 2)}


def spread(took: Sequence[float]) -> dict[str, float]:
    """Percentiles in milliseconds."""
    ordered = sorted(took)
    places = {"p50": 0.5, "p99": 0.99, "p999": 0.999, "longest": 1.0}
    return {
        f"{name}_ms": round(ordered[min(int(len(ordered) * part), len(ordered) - 1)] * 1e3, 2)
        for name, part in places.items()
    }


def one_of_two(path: Path, channel: str, groups: int, ready: Any, said: Any) -> None:
    """A process that appends groups of 32."""
    sets = [decisions(32, channel) for _ in range(groups)]
    took = []
    with closing(DecisionLog(path)) as log:
        ready.wait()
        began = time.perf_counter()
        for made in sets:
            start = time.perf_counter()
            log.append(made)
            took.append(time.perf_counter() - start)
            time.sleep(PAUSE_SECONDS)
        said.put((took, time.perf_counter() - began))


def side_by_side(folder: Path, channel: str, groups: int) -> dict[str, float]:
    """Two processes at once."""
    ready = multiprocessing.Barrier(2)
    said: Any = multiprocessing.Queue()
    path = folder / f"{channel}.db"
    DecisionLog(path).close()
    both = [
        multiprocessing.Process(target=one_of_two, args=(path, channel, groups, ready, said))
        for _ in range(2)
    ]
    for one in both:
        one.start()
    found = [said.get() for _ in both]
    for one in both:
        one.join()
    seconds = max(took for _, took in found)
    return {
        "groups_a_second": round(2 * groups / seconds),
        **spread([one for took, _ in found for one in took]),
    }


def main() -> None:
    """Measures everything, prints it, and writes it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--folder", type=Path, help="where to write (default: a temporary folder)")
    given = parser.parse_args()
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        for durable in (True, False):
            mode = "durable" if durable else "buffered"
            for group in GROUPS:
                rows = given.rows if group > 1 else given.rows // 20
                with closing(DecisionLog(folder / f"{mode}-{group}.db")) as log:
                    log.open()
                    found[f"{mode}, groups of {group}"] = appended(
                        log, group, rows, durable=durable
                    )
        for channel, what in (("http", "a segment each"), ("batch", "one segment")):
            found[f"two processes, {what}"] = side_by_side(folder, channel, given.rows // 200)
    for what, figures in found.items():
        print(f"{what:34}", "  ".join(f"{key} {value:g}" for key, value in figures.items()))
    if given.out:
        given.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
