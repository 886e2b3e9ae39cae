"""The example: the flights of New York hold their contract, all 336,776 of them."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

from taxiway.adapters.yaml_document import read_document
from taxiway.core.contract import Contract
from taxiway.data.column_types import schema_of
from taxiway.data.odcs import read_contract
from taxiway.data.profile import profile
from taxiway.data.source import open_source
from taxiway.data.validation import validate

EXAMPLE = Path(__file__).parents[3] / "examples" / "flights"
PREPARE = EXAMPLE / "prepare.py"


@pytest.fixture(scope="module")
def flights_contract() -> Contract:
    return read_contract(read_document(EXAMPLE / "contracts" / "flights.yaml"))


@pytest.fixture(scope="module")
def prepare() -> ModuleType:
    spec = importlib.util.spec_from_file_location("prepare", PREPARE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def year(prepare: ModuleType) -> pl.DataFrame:
    frame: pl.DataFrame = prepare.months(1, 12)
    return frame


def test_all_flights_hold_their_contract(
    year: pl.DataFrame, flights_contract: Contract, tmp_path: Path
) -> None:
    path = tmp_path / "flights.parquet"
    year.write_parquet(path)
    found = validate(open_source(path), flights_contract, target="arr_delay > 15")
    assert found.failures == ()
    # 336,776 rows and 327,346 arrivals are the figures of the data's own documentation.
    assert found.rows == 336_776
    assert found.labels is not None
    assert found.labels.rows == 327_346
    assert found.extra_columns == ()


def test_limits_of_the_contract_are_no_wider_than_makes_sense(
    year: pl.DataFrame, flights_contract: Contract
) -> None:
    """Each column that may be missing is missing somewhere, and each one that may not is not."""
    for column in flights_contract.columns:
        assert column.nullable == (year.get_column(column.name).null_count() > 0), column.name


def test_moments(flights_contract: Contract) -> None:
    late = {n for n in flights_contract.names if not flights_contract.is_known(n)}
    assert late == {"dep_time", "dep_delay", "tailnum", "arr_time", "arr_delay", "air_time"}
    assert flights_contract.known_at("arr_delay") == "arrival"


def test_schedule_is_what_is_known_at_the_decision(
    prepare: ModuleType, flights_contract: Contract
) -> None:
    known = [n for n in flights_contract.names if flights_contract.is_known(n)]
    assert list(prepare.KNOWN_AT_SCHEDULING) == known
    assert set(prepare.KEY) == set(flights_contract.key)


def test_types_are_those_of_the_contract(year: pl.DataFrame, flights_contract: Contract) -> None:
    assert year.schema == schema_of(flights_contract)


def test_profile_of_january(year: pl.DataFrame, flights_contract: Contract) -> None:
    january = year.filter(pl.col("month") == 1)
    found = profile(january, flights_contract)
    assert found["rows"] == 27_004  # counted with `zcat | awk -F, '$2 == 1'`
    for column in found["columns"]:
        assert sum(column["counts"]) in {0, 27_004}
        assert column["bins"] == "none" or column["counts"][-2] >= 0


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(PREPARE), *arguments], capture_output=True, text=True, check=False
    )


def test_command_line(tmp_path: Path) -> None:
    out = tmp_path / "week.parquet"
    done = run("--months", "3", "--days", "1-7", "--schedule", "--out", str(out))
    assert done.returncode == 0, done.stderr
    week = pl.read_parquet(out)
    assert week.width == 13
    assert week.get_column("day").max() == 7
    assert "6,530 flights, 13 columns" in done.stdout
    done = run("--months", "3-3", "--outcomes", "--out", str(out))
    assert pl.read_parquet(out).columns == ["time_hour", "carrier", "flight", "arr_delay"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--months", "2-1"], "does not run from a first to a last number"),
        (["--months", "x"], "is not a span such as 1-2"),
        (["--months", "13"], "There are no flights in those months and days"),
        (["--schedule", "--outcomes"], "not allowed with argument"),
    ],
)
def test_bad_arguments(tmp_path: Path, arguments: list[str], message: str) -> None:
    done = run(*arguments, "--out", str(tmp_path / "x.parquet"))
    assert done.returncode != 0
    assert message in done.stderr
    assert not list(tmp_path.iterdir())
