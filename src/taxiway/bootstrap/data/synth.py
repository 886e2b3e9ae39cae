"""Wires `taxiway data synth`: made-up rows that keep a contract, alone or like given data."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxiway.bootstrap.data.rows import Asked, contract_of, rows_of
from taxiway.bootstrap.extras import extras
from taxiway.core.errors import InputError

if TYPE_CHECKING:
    import polars as pl

    from taxiway.core.contract import Contract
    from taxiway.data.synthesis.likeness import Likeness

Step = Callable[[str], None]
ROWS = 1_000
"""How many rows are made where nobody says."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was made."""

    out: Path
    rows: int
    columns: int
    like: str
    """The source that the rows are like; empty if a contract was all there was."""
    likeness: Likeness | None
    protected: dict[str, int]
    """Column -> rows of the source whose value is too rare to come back."""
    notes: tuple[str, ...] = ()

    def found(self) -> dict[str, Any]:
        """Plain data, for machines."""
        plain = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        plain["likeness"] = self.likeness.found() if self.likeness else None
        return plain


def synth(
    asked: Asked,
    out: Path,
    *,
    rows: int | None,
    seed: int,
    overwrite: bool = False,
    step: Step = lambda _: None,
) -> Made:
    """Writes made-up rows that keep a contract, marked as such.

    They are like the rows of the source that was asked for; without one, whatever the contract
    allows. Without a number of `rows` they are a thousand, or as many as the contract's key leaves
    room for. Raises `InputError` if no rows can be drawn that keep it.
    """
    with extras():
        from taxiway.data.table import require_writable

        if out.suffix.lower() not in {".parquet", ".csv"}:
            raise InputError(f"{out.name} is no CSV or Parquet file; expected .csv or .parquet.")
        require_writable(out, overwrite=overwrite)
        if asked.source is None:
            made, contract, told = _of_contract(asked, rows, seed, step)
        else:
            made, contract, told = _like(asked, rows, seed, step)
        step("Writing, and holding the rows against the contract")
        _write(made, out, contract)
        if made.height < (rows or ROWS):
            fewer = f"no more rows than {made.height:,} have keys of their own"
            told["notes"] = (*told.get("notes", ()), fewer)
        return Made(out, made.height, made.width, **told)


def _of_contract(
    asked: Asked, rows: int | None, seed: int, step: Step
) -> tuple[pl.DataFrame, Contract, dict[str, Any]]:
    from taxiway.data.synthesis.promised import promised

    contract = contract_of(asked)
    wanted = rows or ROWS
    step(f"Drawing {wanted:,} rows from the contract {contract.id}")
    now = datetime.now(UTC).replace(microsecond=0)
    made = promised(contract, wanted, seed=seed, now=now, or_fewer=rows is None)
    return made, contract, {"like": "", "likeness": None, "protected": {}}


def _like(
    asked: Asked, rows: int | None, seed: int, step: Step
) -> tuple[pl.DataFrame, Contract, dict[str, Any]]:
    from taxiway.data.synthesis.copula import draw, learn
    from taxiway.data.synthesis.likeness import likeness
    from taxiway.data.synthesis.promised import keeping

    step("Reading rows")
    given = rows_of(asked, labelled=False)
    step("Learning how columns are spread and depend on each other")
    model = learn(given.frame, given.typed, seed=seed)
    wanted = rows or ROWS
    step(f"Drawing {wanted:,} rows")
    round_ = iter(range(1_000))
    made = keeping(
        lambda: draw(model, wanted, seed=seed + next(round_)),
        model.contract,
        wanted,
        or_fewer=rows is None,
    )
    step("Looking for the nearest real rows")
    told = {
        "like": given.called,
        "likeness": likeness(given.frame.select(made.columns), made),
        "protected": model.protected,
        "notes": given.notes,
    }
    return made, model.contract, told


def _spelled(made: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Rows for a text file: dates and times as the contract says that they are spelled."""
    import polars as pl

    columns: list[pl.Expr] = []
    for column in contract.columns:
        if not column.format or not made.schema[column.name].is_temporal():
            continue
        value = pl.col(column.name)
        if column.type == "timestamp":
            value = value.dt.convert_time_zone(column.timezone or "UTC")
        columns.append(value.dt.to_string(column.format))
    return made.with_columns(columns)


def _write(made: pl.DataFrame, out: Path, contract: Contract) -> None:
    """Writes rows, there whole or not at all; before that they have to keep the contract."""
    import tempfile

    from taxiway.data.checked import refuse_failures
    from taxiway.data.source import open_source
    from taxiway.data.synthesis.mark import marked, write_marked
    from taxiway.data.validation import validate

    with tempfile.TemporaryDirectory(dir=out.absolute().parent, prefix=f".{out.name}.") as folder:
        whole = Path(folder) / f"rows{out.suffix.lower()}"
        if out.suffix.lower() == ".parquet":
            write_marked(made, whole)
        else:
            from taxiway.data.frame import plain_frame

            marked(plain_frame(_spelled(made, contract))).write_csv(whole)
        source = open_source(whole)
        # A table that is made for a test need not be as large as the real one.
        held = dataclasses.replace(contract, minimum_rows=1, references=None)
        refuse_failures(source, validate(source, held), so="Nothing was written.")
        whole.replace(out)
