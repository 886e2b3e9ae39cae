"""What of a model's answer is a sum over its columns, so that it has exact contributions.

Without a calibrator that is the score behind the answer. A sigmoid of the score is a straight line
in log-odds, so behind one there is a sum still. The mean of several calibrated members is none, nor
is what a curve makes of a score: there it is the mean of the members' own sums; the unit says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from taxiway.adapters.engines.columns import places, runner
from taxiway.adapters.engines.trees import IDENTITY, LOGISTIC, UNITS
from taxiway.core.engine import Contributions

Added = Callable[[int, Sequence[int], int, float], tuple[float, Callable[[Any], Any]] | None]
"""(member, group of each column of its matrix, number of groups, factor) -> (expected score, a
function from the matrix to what each group adds to the score), both times the factor; None if that
were slow."""


def contributing(
    plan: Mapping[str, Any], added: Added, scores: Callable[[], Sequence[Callable[[Any], Any]]]
) -> Contributions | None:
    """Contributions to the mean of the members' margins, by the frame's columns.

    What several columns of a matrix add that one column of the frame became is taken together.
    `scores` makes the members' scores, which only a proof asks for.
    """
    matrices, described = plan["matrices"], plan["members"]
    margins = [found for one in described if (found := _margin(one))]
    if len(margins) < len(described):
        return None
    sources = [[name for name, _ in places(blocks)] for blocks in matrices]
    columns = tuple(dict.fromkeys(name for one in sources for name in one))
    groups = [[columns.index(name) for name in one] for one in sources]
    count = len(described)
    made, expected = [], 0.0
    for at, (one, (factor, plus, _)) in enumerate(zip(described, margins, strict=True)):
        one_added = added(at, groups[one["matrix"]], len(columns), factor / count)
        if one_added is None:
            return None
        of_member, contribute = one_added
        expected += of_member + plus / count
        made.append((one["matrix"], contribute))
    readers = [runner(blocks) for blocks in matrices]

    def of(frame: Any) -> Any:
        found = np.zeros((frame.height, len(columns)))
        if frame.height:
            numbers = [read(frame) for read in readers]
            for matrix, contribute in made:
                found += contribute(numbers[matrix])
        return found

    def margin(frame: Any) -> Any:
        numbers = [read(frame) for read in readers]
        return sum(
            (score(numbers[one["matrix"]]) * factor + plus) / count
            for one, score, (factor, plus, _) in zip(described, scores(), margins, strict=True)
        )

    unit = margins[0][2]
    is_answer = count == 1 and unit in UNITS.values()
    return Contributions(
        columns, expected, unit if count == 1 else f"mean {unit}", of, None if is_answer else margin
    )


def _margin(member: Mapping[str, Any]) -> tuple[float, float, str] | None:
    """(factor, plus, unit): the score times `factor` and `plus` is what columns add up to.

    None where a calibrator turns the score around, so that nothing before it speaks for the answer.
    """
    link, scale, calibrator = member["link"], member["scale"], member["calibrator"]
    if calibrator is None:
        return scale, 0.0, UNITS[link]
    if calibrator["kind"] == "sigmoid" and (calibrator["of"] == "score" or link == IDENTITY):
        return -calibrator["a"], -calibrator["b"], UNITS[LOGISTIC]
    if calibrator["kind"] == "sigmoid" and calibrator["a"] >= 0:
        return None
    # What is behind a sigmoid of a probability, or behind steps, rises with the score before it.
    return scale, 0.0, f"{UNITS[link]} before calibration"
