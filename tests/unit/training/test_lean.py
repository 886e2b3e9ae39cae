"""What is left of a model's code when only `features` is needed, and when nothing may be."""

from __future__ import annotations

import textwrap

import pytest

from taxiway.training.lean import only_features


def lean(source: str) -> str | None:
    found = only_features(textwrap.dedent(source).encode())
    return None if found is None else found.decode()


def test_the_estimator_and_its_imports_are_left_out() -> None:
    found = lean(
        '''
        """A model."""
        from __future__ import annotations

        import polars as pl
        from sklearn.ensemble import RandomForestClassifier
        from os import path, sep

        LIMIT: int = 3
        NAMES, OTHER = ["a"], 5

        def helper(frame):
            return frame.head(LIMIT)

        def features(frame):
            return helper(frame).select(NAMES).with_columns(pl.lit(sep))

        def estimator(seed):
            return RandomForestClassifier(random_state=seed)
        '''
    )
    assert found is not None
    assert "sklearn" not in found
    assert "estimator" not in found
    assert "path" not in found
    for kept in ("__future__", "import polars as pl", "import sep", "LIMIT", "NAMES", "helper"):
        assert kept in found
    assert found.startswith("from __future__")


def test_what_a_kept_function_needs_is_kept_however_far_away() -> None:
    found = lean(
        """
        import math
        A = math.pi
        B = [A for _ in range(2)]
        class Rule:
            factor = B[0]
        def deco(f):
            return f
        @deco
        def features(x, rule=Rule):
            return x * rule.factor
        """
    )
    assert found is not None
    namespace: dict[str, object] = {}
    exec(found, namespace)  # noqa: S102 - the test's own source
    features = namespace["features"]
    assert callable(features)
    assert features(2) == 2 * 3.141592653589793


@pytest.mark.parametrize(
    "source",
    [
        "import polars\npolars.Config.set_tbl_rows(3)\ndef features(f): return f\n",
        "from polars import *\ndef features(f): return f\n",
        "def features(f): return globals()['x'](f)\n",
        "try:\n    import polars\nexcept ImportError:\n    pass\ndef features(f): return f\n",
        "if True:\n    def features(f): return f\n",
        "def f():\n    global x\n    x = 1\ndef features(f): return f\n",
        "features = lambda f: f\n",
        "import polars\npolars.x = 1\ndef features(f): return polars.col(f)\n",
        "A = []\n_ = A.append(1)\ndef features(f): return A\n",
        "def other(f): return f\n",
        "def features(f:\n",
        "x = 1\0\n",
    ],
)
def test_where_it_can_t_be_told_nothing_is_left_out(source: str) -> None:
    assert only_features(source.encode()) is None
