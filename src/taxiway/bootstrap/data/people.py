"""Wires `taxiway data privacy` and `bias`: whom the data speak of, and how."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from taxiway.bootstrap.data.rows import Asked, Rows, rows_of
from taxiway.bootstrap.extras import extras

if TYPE_CHECKING:
    import polars as pl

    from taxiway.data.bias.examined import Bias
    from taxiway.data.privacy.personal import Privacy

Step = Callable[[str], None]


def privacy(asked: Asked) -> tuple[Privacy, Rows]:
    """Which columns of a source hold personal data."""
    with extras():
        from taxiway.data.privacy.personal import privacy as examine

        rows = rows_of(asked, labelled=False)
        return examine(rows.frame, rows.contract), rows


def bias(
    asked: Asked,
    protected: Sequence[str],
    *,
    minimum_rows: int,
    models: bool = True,
    step: Step = lambda _: None,
) -> tuple[Bias, Rows]:
    """A source examined for bias in protected columns: those named, marked or recognised."""
    with extras():
        from taxiway.data.bias.examined import examine
        from taxiway.data.privacy.personal import protected_attribute

        rows = rows_of(asked)
        assert rows.label is not None  # noqa: S101 - rows_of has refused anything else
        frame = rows.frame
        chosen = list(protected)
        if not chosen and rows.contract is not None:
            chosen = [c.name for c in rows.contract.columns if c.protected and c.name in frame]
        if not chosen:
            chosen = [n for n in frame.columns if protected_attribute(frame.get_column(n))]
        apart = {*chosen, *rows.target_columns}
        permitted = [name for name in frame.columns if name not in apart]
        found = examine(
            frame,
            _told(rows),
            chosen,
            permitted,
            minimum_rows=minimum_rows,
            models=models,
            step=step,
        )
        return found, rows


def _told(rows: Rows) -> pl.Series:
    """A label of two values as true and false, so that groups have rates of it."""
    import polars as pl

    from taxiway.data.leaks.table import label_of

    label = rows.label
    assert label is not None  # noqa: S101 - rows_of has refused anything else
    if label.dtype == pl.Boolean:
        return label
    values, binary = label_of(label.drop_nulls())
    if not binary:
        return label
    whole = pl.Series(label.name, [None], dtype=pl.Boolean()).new_from_index(0, label.len())
    return whole.scatter(label.is_not_null().arg_true(), values.astype(bool).tolist())
