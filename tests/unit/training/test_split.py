import polars as pl
import pytest

from taxiway.core.errors import InputError
from taxiway.training.split import split_by_time


def test_the_newest_rows_are_the_holdout(frame: pl.DataFrame) -> None:
    split = split_by_time(
        frame.sample(fraction=1, shuffle=True, seed=1), time="asked_at", share=0.2
    )
    assert split.train.height == 1600
    assert split.holdout.height == 400
    assert split.train["id"].max() == 1599
    assert split.cut == split.holdout["asked_at"].min()


def test_rows_of_one_moment_stay_together(frame: pl.DataFrame) -> None:
    daily = frame.with_columns(pl.col("asked_at").dt.truncate("30d"))
    split = split_by_time(daily, time="asked_at", share=0.2)
    assert not set(split.train["asked_at"]) & set(split.holdout["asked_at"])


@pytest.mark.parametrize(
    ("rows", "time", "message"),
    [
        (99, "asked_at", "99 rows with a label can't be split: each side needs 50"),
        (2000, "constant", "leaves 0 rows for training and 2000 for"),
    ],
)
def test_too_little_to_split_is_refused(
    rows: int, time: str, message: str, frame: pl.DataFrame
) -> None:
    frame = frame.head(rows).with_columns(constant=pl.col("asked_at").min())
    with pytest.raises(InputError, match=message):
        split_by_time(frame, time=time, share=0.2)
