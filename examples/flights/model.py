"""Will a flight arrive more than 15 minutes late? The notebook's code, as two plain functions.

`features` sees the contract's columns and must only use what is known when a flight is scheduled;
the flight check measures which columns it reads. `estimator` makes the model, unfitted.
"""

import polars as pl
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder

CATEGORIES = ["carrier", "origin", "dest"]


def minutes(clock: str) -> pl.Expr:
    """Minutes since midnight of a clock time written as hhmm, such as 1745."""
    return (pl.col(clock) // 100 * 60 + pl.col(clock) % 100).cast(pl.Float64)


def features(frame: pl.DataFrame) -> pl.DataFrame:
    """The model's columns, one row for each flight.

    The day of the week is left out on purpose: eight weeks of it teach the model which days had bad
    weather, and it then loses to a logistic regression on newer flights.
    """
    departure, arrival = minutes("sched_dep_time"), minutes("sched_arr_time")
    return frame.select(
        *CATEGORIES,
        pl.col("flight").cast(pl.Float64),
        pl.col("distance").cast(pl.Float64),
        departure.alias("departure"),
        arrival.alias("arrival"),
        ((arrival - departure) % 1440).alias("block"),
    )


def estimator(seed: int) -> Pipeline:
    """Gradient boosting with native categories; early stopping off, so that a rerun is equal."""
    return make_pipeline(
        make_column_transformer(
            (
                OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=float("nan")),
                CATEGORIES,
            ),
            remainder="passthrough",
            verbose_feature_names_out=False,
        ),
        HistGradientBoostingClassifier(
            max_iter=200,
            learning_rate=0.04,
            max_leaf_nodes=15,
            min_samples_leaf=100,
            categorical_features=list(range(len(CATEGORIES))),
            early_stopping=False,
            random_state=seed,
        ),
    )
