"""The model file: a fitted estimator stored with skops, whose loading constructs only known types.

A pickle runs whatever it says when it is loaded; this format is audited first, and everything that
is not on the allow-list is refused, when packaging and again when loading.
"""

from __future__ import annotations

from typing import Any

from taxiway.core.errors import IntegrityError
from taxiway.release.archive import require_plain

NAME = "model.skops"
MODULE_OF_USER = "taxiway_model."
"""Where the release's own code lives once it is loaded: it was signed together with the model."""

ALLOWED = frozenset(
    {
        # Parts of scikit-learn's own estimators that skops does not count as safe by itself. The
        # functions are only constructed, never called, while loading.
        "functools.partial",
        "scipy._lib.array_api_compat.numpy._aliases.asarray",
        "scipy.interpolate._bsplines.BSpline",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "numpy.dtype",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.metrics._dist_metrics.EuclideanDistance64",
        "sklearn.neighbors._ball_tree.BallTree",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
        # Trees are arrays of nodes. A crafted one could break the process, though it runs no code
        # of its own: like everything here it is only loaded after its signature held.
        "sklearn.tree._tree.Tree",
        "sklearn.utils._bunch.Bunch",
        "sklearn.utils.validation.check_array",
        # Boosters hold their trees as bytes that their own library parses.
        "collections.OrderedDict",
        "lightgbm.basic.Booster",
        "lightgbm.sklearn.LGBMClassifier",
        "lightgbm.sklearn.LGBMRegressor",
        "xgboost.core.Booster",
        "xgboost.sklearn.XGBClassifier",
        "xgboost.sklearn.XGBRegressor",
    }
)


def dump(estimator: Any) -> bytes:
    """The estimator as bytes. Raises `IntegrityError` if it could not be loaded again."""
    from skops import io

    content: bytes = io.dumps(estimator)
    audited(content)
    return content


def audited(content: bytes) -> list[str]:
    """The types beyond skops' own safe ones that the file needs, all of them on the allow-list."""
    from skops import io

    require_plain(content, NAME)
    try:
        needed: list[str] = io.get_untrusted_types(data=content)
    except Exception as error:
        raise IntegrityError(f"{NAME} can't be read: {type(error).__name__}: {error}") from error
    refused = [t for t in needed if t not in ALLOWED and not t.startswith(MODULE_OF_USER)]
    if refused:
        raise IntegrityError(
            f"The model holds types that are not on the allow-list: {', '.join(refused[:10])}.",
            todo="Use estimators of scikit-learn, or define the class in model.py.",
        )
    return needed


def load(content: bytes) -> Any:
    """The estimator. Only call it with bytes whose digest and signature were verified."""
    from skops import io

    return io.loads(content, trusted=audited(content))
