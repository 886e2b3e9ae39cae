"""What a comparison says: what is different, how much, what it does, and what to ask for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from taxiway.core.errors import shortened
from taxiway.data.compare.columns import DIFFERENT, Compared
from taxiway.data.compare.maturity import MOVING
from taxiway.data.compare.times import Times
from taxiway.data.survey.bins import finite
from taxiway.data.survey.rows import NUMBER

if TYPE_CHECKING:
    from taxiway.data.compare.comparison import Comparison

TOLD = 12
"""Columns that get a sentence."""
FACTORS = {
    10: "tenths", 100: "cents or per cent", 1000: "thousands", 60: "minutes and seconds",
    3600: "hours and seconds", 24: "days and hours", 2.54: "inches", 1.609: "miles",
    2.205: "pounds",
}  # fmt: skip
"""Ratios of two units of one thing."""
CLOSE = 0.02
GREAT, SMALL = 0.75, 0.6


def sentences(of: Comparison) -> list[str]:
    """The verdict in plain words, the most important first."""
    return [
        _verdict(of),
        *(said for one in _worst(of) for said in [column_sentence(of, one)]),
        *_more(of),
        *_times(of),
        *_beyond(of),
        *_told(of),
        *_estimate(of),
        *_labels(of),
    ]


def asks(of: Comparison) -> list[str]:
    """What to ask the data team for."""
    found: list[str] = []
    for one in _worst(of):
        found += _ask(of, one)
    found += _ask_of_all(of)
    for times in of.times:
        if times.new_months and times.within < 0.5:
            found.append(f"Rows of training from {_listed(times.new_months)}: production has them.")
        for side, covered in (("training", times.training), ("production", times.production)):
            if covered.gaps:
                when = f"{covered.gaps[0]:%Y-%m-%d %H:%M}"
                found.append(
                    f"Why {side} has no rows at {len(covered.gaps)} times of {times.name},"
                    f" the first at {when}."
                )
        if times.training.grain != times.production.grain:
            found.append(
                f"{times.name} as exact in both: to the {times.training.grain} in training, to the"
                f" {times.production.grain} in production."
            )
    if of.equal and of.equal.test and of.equal.test.differs(of.limits.false_discovery_rate):
        found.append("Whether rows were loaded twice, or a join repeats them.")
    if of.maturity and of.maturity.verdict == MOVING:
        since = f"{of.maturity.moving[0]:%Y-%m-%d}"
        found.append(f"When a label is final; until then leave rows since {since} out of training.")
    if of.estimate and of.estimate.production is None:
        found.append("Labelled rows that are like production's: there is nothing to estimate by.")
    return found


def column_sentence(of: Comparison, one: Compared) -> str:
    """What is different in a column, in a line."""
    parts = [one.note] if one.note else []
    rate = of.limits.false_discovery_rate
    failed = {t.what: t for t in one.tests if t.differs(rate)}
    column, other = of.training.columns.get(one.name), of.production.columns.get(one.name)
    quiet = one.name in of.hidden
    if column and other and not one.note:
        shift = one.measures.get("mean_shift")
        apart = one.measures.get("kolmogorov_smirnov")
        if one.kind == NUMBER and "distribution" in failed and (abs(shift or 0) < 0.1) and apart:
            parts.append(f"up to {percent(apart)} more or fewer of the rows lie below some value")
        elif one.kind == NUMBER and shift is not None and {"mean", "distribution"} & set(failed):
            moved = "" if quiet else f" ({column.mean:.4g} -> {other.mean:.4g})"
            parts.append(f"the mean moved by {shift:+.2f} standard deviations{moved}")
        if "distribution" in failed and one.kind != NUMBER and not quiet:
            parts += _moved_values(one, of)
        if "missing" in failed or (column.nulls == 0) != (other.nulls == 0):
            shares = [c.nulls / max(1, c.rows) for c in (column, other)]
            parts.append(f"missing in {percent(shares[0])} -> {percent(shares[1])} of the rows")
        new = [w for w in one.only_production if not w.startswith("nothing (")]
        if new:
            parts.append(f"only in production: {_listed(new)}")
        if "distribution" in failed:
            parts.append(f"effect {failed['distribution'].effect:.2f}")
    return f"{shortened(one.name, 60)}: {'; '.join(parts) or 'differs'}"


def percent(share: float) -> str:
    """A share, with as many digits as say something."""
    if 0 < share < 0.01:
        return f"{share:.1%}" if share >= 0.001 else "<0.1%"
    return f"{share:.0%}"


def _verdict(of: Comparison) -> str:
    sides = f"{of.training.rows:,} rows of training and {of.production.rows:,} of production"
    if not of.enough and not of.different:
        return (
            f"There is insufficient data to tell: {sides}, and {of.limits.minimum_rows:,} of each"
            " are needed (--minimum-rows says how many)."
        )
    columns = [c for c in of.columns if c.verdict == DIFFERENT]
    if not of.different:
        return f"Production is like training: no difference that matters in {sides}."
    named = _listed(c.name for c in columns)
    what = f"in {len(columns)} of {len(of.columns)} columns ({named})" if columns else ""
    beyond = [d for d in of.different if d not in {c.name for c in columns}]
    more = f"in {_listed(beyond)}" if beyond else ""
    return f"Production differs from training {' and '.join(filter(None, [what, more]))}: {sides}."


def _worst(of: Comparison) -> list[Compared]:
    different = [c for c in of.columns if c.verdict == DIFFERENT]
    return sorted(different, key=lambda c: -max((t.effect / t.limit for t in c.tests), default=99))[
        :TOLD
    ]


def _more(of: Comparison) -> Iterator[str]:
    more = sum(c.verdict == DIFFERENT for c in of.columns) - TOLD
    if more > 0:
        yield f"And {more:,} more columns."


def _moved_values(one: Compared, of: Comparison) -> Iterator[str]:
    """The value whose share has moved most."""
    column, other = of.training.columns[one.name], of.production.columns[one.name]
    known = [v for v in list(column.values)[:30] if v in other.values or column.distinct]
    if not known:
        return

    def shares(value: str) -> tuple[float, float]:
        return (
            column.values.get(value, 0) / max(1, column.rows),
            other.values.get(value, 0) / max(1, other.rows),
        )

    most = max(known, key=lambda v: abs(shares(v)[0] - shares(v)[1]))
    before, after = shares(most)
    yield f"{shortened(most, 40)} in {percent(before)} -> {percent(after)} of the rows"


def _times(of: Comparison) -> Iterator[str]:
    for times in of.times:
        if times.name in of.hidden:
            continue
        sides = (times.training, times.production)
        spans = [f"{s.first:%Y-%m-%d} to {s.last:%Y-%m-%d}" for s in sides]
        said = f"{times.name}: training covers {spans[0]}, production {spans[1]}; {_overlap(times)}"
        if times.new_months and times.within < 0.5:
            said += f"; training has no {_listed(times.new_months)}"
        for side, covered in zip(("training", "production"), sides, strict=True):
            if covered.gaps:
                said += f"; {side} has no rows at {len(covered.gaps)} times in between"
        yield said + "."


def _overlap(times: Times) -> str:
    if times.within >= 0.995:
        return "all of production's rows lie in that time"
    if times.within > 0:
        return f"{percent(times.within)} of production's rows lie in that time"
    gap = times.production.first - times.training.last
    if gap.total_seconds() > 0:
        return f"production begins {_long(gap.total_seconds())} after training ends"
    return "no row of production lies in that time"


def _long(seconds: float) -> str:
    for name, unit in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * unit:
            return f"{seconds / unit:,.0f} {name}"
    return f"{seconds:,.0f} seconds"


def _beyond(of: Comparison) -> Iterator[str]:
    rate = of.limits.false_discovery_rate
    if of.missing.test and of.missing.test.differs(rate):
        columns, before, after = max(of.missing.patterns, key=lambda p: abs(p[1] - p[2]))
        yield (
            f"Missing together: {_listed(columns)} in {percent(before)} -> {percent(after)} of the"
            " rows."
        )
    equal = of.equal
    if equal and equal.test and equal.test.differs(rate):
        yield (
            f"Repeated rows: {percent(equal.training)} in training, {percent(equal.production)} in"
            " production."
        )
    if equal and equal.shared >= 0.01 and equal.training < 0.01:
        yield (
            f"{percent(equal.shared)} of production's rows are in training, value for value:"
            " those are no test of anything."
        )


def _told(of: Comparison) -> Iterator[str]:
    told = of.told
    if not told:
        return
    how = "can't tell"
    if told.test.differs(of.limits.false_discovery_rate):
        how = "tells" if told.auc >= GREAT else "partly tells"
    by = f", by {_listed(name for name, _ in told.columns[:5])}" if told.columns else ""
    yield (
        f"A model {how} rows of the two apart: AUC {told.auc:.2f} ({told.low:.2f} to"
        f" {told.high:.2f}; 0.50 is not at all){by}."
    )
    if of.rest:
        rest = of.rest
        by = f", by {_listed(name for name, _ in rest.columns[:5])}" if rest.columns else ""
        yield (
            f"Without {_listed(rest.without)} it is AUC {rest.auc:.2f} ({rest.low:.2f} to"
            f" {rest.high:.2f}){by}."
        )


def _estimate(of: Comparison) -> Iterator[str]:
    found = of.estimate
    if not found:
        return
    training = found.training
    now = f"{found.metric} of {found.scored_by} is {training.value:.3f} in training"
    if found.production is None:
        yield (
            f"{now}. What it is in production can't be estimated: only {found.effective_rows:,.0f}"
            " rows of training count as ones of production."
        )
    else:
        there = found.production
        besides = f" and {_listed(found.without)} changes nothing" if found.without else ""
        yield (
            f"{now}, and {there.value:.3f} ({there.low:.3f} to {there.high:.3f}) is expected in"
            f" production, as far as only the inputs differ{besides} ({found.effective_rows:,.0f}"
            f" of {found.rows:,} labelled rows count)."
        )
    if found.realised is not None:
        rates = f"{found.rate_training:.3g} -> {found.rate_production:.3g}"
        yield f"By production's own labels it is {found.realised:.3f}; the label's mean is {rates}."


def _labels(of: Comparison) -> Iterator[str]:
    if of.maturity:
        yield f"The newest labels: {of.maturity.verdict}. {of.maturity.reason.capitalize()}."


def _ask(of: Comparison, one: Compared) -> Iterator[str]:
    name, rate = shortened(one.name, 60), of.limits.false_discovery_rate
    failed = {t.what for t in one.tests if t.differs(rate)}
    if one.name not in of.production.columns:
        yield f"Whether production can send {name} in time for the decision; else do without it."
        return
    if one.note:
        yield f"{name} in one type on both sides: {one.note}."
        return
    if "missing" in failed:
        yield f"Why {name} is missing more or less often in production."
    new = [w for w in one.only_production if not w.startswith("nothing (")]
    unit = _unit(of, one) if one.kind == NUMBER and failed - {"missing"} else None
    if unit:
        yield f"In which unit {name} is: production's middle value is {unit}."
    elif one.kind != NUMBER and new and failed - {"missing"}:
        yield f"What is new in {name}, since when, and labelled rows of it: {_listed(new)}."


def _ask_of_all(of: Comparison) -> Iterator[str]:
    """One question for all columns that have changed without a hint of why."""
    rest = [one for one in _worst(of) if not list(_ask(of, one))]
    if rest:
        names = _listed(one.name for one in rest)
        yield f"What has changed in {names}: whether training is filtered, older or rescaled."


def _unit(of: Comparison, one: Compared) -> str | None:
    sides = [finite(s.sample.get_column(one.name)) for s in (of.training, of.production)]
    if not all(len(side) for side in sides):
        return None
    before, after = (float(np.median(side)) for side in sides)
    if not before or not after:
        return None
    for factor, what in FACTORS.items():
        for ratio, words in ((factor, "times"), (1 / factor, "of")):
            if abs(after / before / ratio - 1) <= CLOSE:
                said = f"{factor:g} times" if words == "times" else f"1/{factor:g} of"
                return f"{said} training's ({what}?)"
    return None


def _listed(names: object, most: int = 6) -> str:
    words = [shortened(str(n), 60) for n in names]  # type: ignore[attr-defined]
    more = len(words) - most
    return ", ".join(words[:most]) + (f" and {more} more" if more > 0 else "")
