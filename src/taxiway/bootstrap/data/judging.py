"""Wires what a charter says of rows that are judged: the metric, and what answers are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taxiway.core.kind import KINDS, LOWER_IS_BETTER

if TYPE_CHECKING:
    from taxiway.bootstrap.data.rows import Asked, Rows
    from taxiway.core.charter import Charter
    from taxiway.data.leaks.judged import Case, Measure
    from taxiway.data.leaks.table import Floats


def charter_of(asked: Asked, rows: Rows) -> Charter | None:
    """The charter that speaks of these rows and of their label."""
    speaks = rows.project is not None and rows.contract is not None and asked.target is None
    return rows.project.charter if speaks and rows.project else None


def measure_of(charter: Charter | None) -> Measure | None:
    """The metric that decides."""
    if charter is None:
        return None
    import numpy as np

    from taxiway.data.leaks.judged import Measure
    from taxiway.training.metrics import METRICS, labels_of

    name, kind = charter.training.bar.metric, KINDS[charter.kind]
    lower = name in LOWER_IS_BETTER

    def score(label: Floats, told: Floats) -> float:
        value = METRICS[name](labels_of(kind, label), told)(np.ones(len(label)))
        return -value if lower else value

    return Measure(name, score, lower)


def case_of(charter: Charter | None) -> Case | None:
    """What answers are worth, as the charter says."""
    from taxiway.data.leaks.judged import Case, of_answers, of_decisions

    if charter is None:
        return None
    value, threshold = charter.value, charter.threshold
    if value.per_decision is not None and threshold is not None:
        per = of_decisions(threshold, **value.per_decision.model_dump())
        return Case(per, value.currency)
    if value.per_answer is not None:
        return Case(of_answers(**value.per_answer.model_dump()), value.currency, "answer")
    return None
