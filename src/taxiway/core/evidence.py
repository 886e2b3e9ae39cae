"""Evidence: what was examined, how much of it, what was found, what was required.

Every step writes evidence, checks read it, and nothing else is shared between them. The kinds are
the vocabulary of that agreement; each says who writes it, what it is about (`subject`), and what
`found` and `required` hold. `examined` counts rows, columns, files or requests, and zero of them
proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from taxiway.core.digest import digest_of

PLAN = "charter.plan"
"""By `plan` and `train`, about the model. examined: questions answered.
found: problems (int), tier, tier_reasons [text], inventory {field: text}, inventory_missing [name],
owners {business, data, development, engineering, validation: person},
value {promised_per_month, currency, baseline, review, per_decision}, oversight, monitoring {...},
retention_days (int), log (durable or buffered), withheld {column: keep, omit or pseudonym}.
digests: charter."""

PROVENANCE = "data.provenance"
"""By `data snapshot`, about the snapshot. examined: rows.
found: source, source_digest, rows, first_time, last_time, description, synthetic (only where it is
true), label {name, definition, known_at, rows} (rows with a label), mapped [{resolution, finding,
by, says, mapping}] (signed mappings that were done to the rows; not there if there were none).
digests: snapshot, data, contract."""

VALIDATION = "data.validation"
"""By `data snapshot`, about the snapshot. examined: rows.
found: failed_rows (int), failures [{column, rule, rows, expected, samples}], columns (int),
extra_columns [name], notes [text] (a constant column, a target with one class).
digests: contract, data."""

FILES = "data.files"
"""By `data snapshot --files`, about the snapshot of files as they are. examined: files.
found: name, bytes, new_bytes (of pieces that were not kept before). digests: snapshot (the list of
the files), pieces (where their content is)."""

FEATURE_VIEW = "features.view"
"""By `data features apply` and `data snapshot`, about a view by its name and version. examined:
features. found: name, version, owner, description, folder (where it was defined), features
[{name, type}], meaning {...} (what its values depend on). digests: view."""

FEATURES = "data.features"
"""By `data snapshot`, about a snapshot whose rows were joined with a feature set as of their own
time. examined: rows. found: set, time (the column that says as of when), time_known_at (its moment
in the contract), time_known (bool: when the model has to answer), entity_source, rows, views
[{view, digest, features [name], columns [name in the set], on {key: column that asks}, view_rows,
without_key, without_time, tied, found, expired, unknown}]. digests: each view by name and
version."""

FEATURE_PARITY = "data.feature_parity"
"""By `data features parity`, about the snapshot of a feature set. examined: keys that were asked
offline and online. found: set, differing (int), views [{view, digest, as_of, rows, differing,
columns [name]}]."""

LIKENESS = "data.likeness"
"""By `train`, about the release: training features against what production sends. By
`data compare`, about the release or the snapshot: its rows against production's.
examined: production rows.
found: source, training_rows, columns [{name, effect, p_value, verdict (same, different, left out,
insufficient data), only_production [text], only_training [text], kind, tests [{test, effect, limit,
p_value}], measures {name: value}, note}], different [name, or what goes beyond one column], mapped
(only where signed mappings were done to production's rows: as in PROVENANCE).
`data compare` adds production_rows, verdict, says [text], ask [text], times, missing_together,
repeated_rows, classifier, estimate, labels, hidden {column: reason}.
required: effect, false_discovery_rate, minimum_rows, and the other limits."""

RECONCILIATION = "data.reconciliation"
"""By `data reconcile` inside a project, about the model: sources held against one another.
examined: rows read. found: tables [name], contracts {table: digest of what it is said to hold},
own (the table that is the project's source, or null), rows, pairs [{left, right, rows, matched,
joins, same, unseen, notes}], findings [{id, content, kind, what, severity, confidence, left, right,
says, evidence, mapping, contracts}]. No values of personal columns."""

MEANING = "data.meaning"
"""Live, at each flight check: whether columns mean what is written. examined: contract columns.
found: undescribed [column], reconciliations (int: pairs of tables), tables [name], findings (int),
open [{id, kind, says, why}] (nobody has settled it, or the resolution is void: why),
resolved [{id, decision, by, says}]."""

CODE = "training.code"
"""By `train`, about the release. examined: files.
found: files {path: digest}, commit (text or null), dirty (bool), template, template_version.
digests: code."""

RERUN = "training.rerun"
"""By `train`, about the release: a second fit from the same inputs. examined: holdout rows.
found: identical (bool), first {metric: value}, second {metric: value}, differing_predictions (int).
digests: snapshot, code, environment."""

LEAKAGE = "training.leakage"
"""By `train`, about the release. examined: contract columns.
found: decision_at, columns_read [name] (measured, not declared), late [{column, known_at}],
target_columns [name] (columns of the target's definition that the features read),
split_overlap_rows (int: keys on both sides of the split), time_ordered (bool),
strongest {column, metric, value}. required: strongest_below."""

TRAPS = "data.traps"
"""By `train`, about the release: its features and labels, searched for leaks. examined: rows.
found: columns (int), leaks [{kind, columns [name], severity (blocks or look), says, todo}],
looked_for [text], skipped [text]."""

PRIVACY = "data.privacy"
"""By `train`, about the release: the columns of its data. examined: columns.
found: personal [{column, kind, how, confidence (sure or likely), marked (bool)}],
protected [{column, attribute, marked (bool)}], quasi_identifiers [name], unique_rows, small_rows,
read [name] (columns that the features read)."""

BIAS = "data.bias"
"""By `train`, about the release: people in its data. examined: rows.
found: protected [name], reason (why there is none), groups [{columns, values, rows, rate}],
small [text] (groups with fewer rows than `minimum_rows`), disparities [{column, low, high, ratio,
tells (bool)}], proxies [{protected, standing_in [name]}]. required: minimum_rows."""

METRICS = "training.metrics"
"""By `train`, about the release. examined: holdout rows.
found: primary, model / simple / trivial {metric: {value, low, high}},
gain {value, low, high} (the model's primary metric less the simple baseline's, paired),
train_rows, parameters, tuning; of a classification threshold, threshold_source, positives, of a
regression labels {mean, deviation}. required: metric, bar."""

SLICES = "training.slices"
"""By `train`, about the release. examined: holdout rows.
found: slices [{column, value, rows, metric, low, high, gap, protected (bool), selection_rate,
base_rate (of numbers: mean_prediction, mean_label)}],
skipped [{column, value, rows}] (too few rows), protected [column], protected_reason,
worst {column, value, gap} or null. required: maximum_gap, minimum_rows."""

EXPLANATIONS = "training.explanations"
"""By `train`, about the release. examined: rows explained.
found: importance [{column, drop, low, high}] in original columns, method,
stability (rank correlation between halves), reason_codes [{reason, share}] (how often each column
leads), explained_share. required: stability."""

INDEPENDENCE = "validation.independence"
"""Live, at each flight check. examined: people known.
found: developers [person], author, validator (charter), validator_known (bool),
validator_roles [role], validator_removed (bool), signers {check: person}."""

INTEGRITY = "release.integrity"
"""Live, at each flight check and load. examined: files of the artefact.
found: problems [text], signer, signature_valid (bool), signer_removed (bool),
components (int: entries of the bill of materials), golden_rows (int). digests: model."""

HANDOFFS = "governance.handoffs"
"""Live, at each flight check. examined: handoffs of this model.
found: data / release / running {state, by, at, reason} or null, for this release's subjects."""

PARITY = "release.parity"
"""By `train`, about the release: the engine it runs on against the estimator. examined: holdout
rows. found: engine, tried [{engine, verdict, why, ...}], rows, adversarial_rows,
largest_difference, flips (int: decisions of the holdout that would be others), row_us {original,
engine, features} (microseconds for one row), reasons {method, unit, why, rows, largest_difference
(of the expected score with contributions from the answer, or from the score of that unit),
row_us}. required: maximum_difference."""

REHEARSAL = "release.rehearsal"
"""By `rehearse`, about the release: a real server process with the release in it.
examined: requests answered.
found: environment, golden_rows, golden_equal (bool), batch_equal (bool), errors (int),
latency_ms {p50, p99}, cold_start_s, memory_mb, decisions_sent, decisions_logged,
rollback {to (release or null), ok (bool), what}. required: latency_ms_p99. digests: model."""

DRIFT = "monitoring.drift"
"""By `watch`, about the release in an environment, for one window. examined: decisions.
found: window_start, window_end, columns [{name, effect, p_value, verdict}], output {...},
drifted [name], insufficient (bool). required: effect, false_discovery_rate, minimum_rows."""

PERFORMANCE = "monitoring.performance"
"""By `watch`, like DRIFT, once labels are due: of the model's answers, also where a person overrode
them (see OVERSIGHT). examined: decisions with an outcome.
found: window_start, window_end, decisions, outcomes, coverage, metric, value, low, high, reference,
bar, fairness [{column, value, rows, metric, low, high, verdict}], verdict (ok, below bar, dropped,
insufficient data), why. required: bar, maximum_drop, minimum_rows."""

VALUE = "monitoring.value"
"""By `watch`, like DRIFT, once labels are due: of the model's answers, also where a person overrode
them. examined: decisions with an outcome.
found: window_start, window_end, decisions, outcomes, counts {true_positive, ...; of numbers:
answers, units_off}, realised, promised, currency, verdict (kept, below promise, insufficient data),
why. required: promised, minimum_rows."""

OVERSIGHT = "monitoring.oversight"
"""By `watch`, like DRIFT, once no case of the window can be decided in time any more, and only if
the charter makes cases. examined: decisions.
found: window_start, window_end, decisions, cases, rules {name: cases}, decided, in_time, late,
kept (int: timed out, the model's answer stands), waiting (int: timed out, an owner has to decide),
overridden, override_rate (of the decided), share_in_time, agreement {cases, agreed, value, low,
high} (of the cases by chance that people decided; value and interval null without any), verdict
(ok, late, disagreed, insufficient data), why.
required: sample, answer_within, on_timeout, in_time, agreement_at_least (or null)."""

COMPARISON = "retraining.comparison"
"""By `retrain`, about the challenger. examined: rows of the frozen holdout.
found: champion, challenger, metric, champion_value, challenger_value, gain {value, low, high},
slices [{column, value, rows, champion, challenger, gain}], skipped (int: slices with too few rows),
moved {up, down, unchanged}, holdout_digest, verdict (challenger wins, no proof of gain, champion
wins). required: minimum_gain. digests: holdout."""

LEDGER = "ledger.integrity"
"""Live. examined: events. found: problems [text], head."""

ACCESS = "serving.access"
"""Live, at each flight check. examined: consumers that may ask now.
found: consumers [{name, purpose, permitted (bool), until}]."""

LIVE = (INDEPENDENCE, INTEGRITY, HANDOFFS, LEDGER, ACCESS, MEANING)
"""Kinds that are computed at the moment of the check and never stored."""

BOUND = (
    PLAN,
    PROVENANCE,
    VALIDATION,
    LIKENESS,
    CODE,
    RERUN,
    LEAKAGE,
    TRAPS,
    PRIVACY,
    BIAS,
    METRICS,
    SLICES,
    EXPLANATIONS,
)
"""Kinds whose contents a sign-off is bound to: what was known when the model was judged."""


Observation = tuple[str, int, dict[str, Any], dict[str, Any]]
"""Kind, examined, found, required: what becomes evidence once it is known what it is about."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One observation. Two with equal `content` found the same, whenever they were made."""

    id: str
    kind: str
    subject: str
    model: str
    environment: str | None
    examined: int
    found: dict[str, Any]
    required: dict[str, Any]
    digests: dict[str, str]
    content: str
    at: datetime
    by: str


def observed(
    kind: str,
    *,
    id: str,
    subject: str,
    model: str,
    examined: int,
    found: dict[str, Any],
    at: datetime,
    by: str,
    required: dict[str, Any] | None = None,
    digests: dict[str, str] | None = None,
    environment: str | None = None,
) -> Evidence:
    """Evidence with its content digest, which leaves out when and by whom it was observed."""
    required, digests = required or {}, digests or {}
    content = digest_of([kind, subject, environment, examined, found, required, digests])
    return Evidence(
        id, kind, subject, model, environment, examined, found, required, digests, content, at, by
    )


def evidence_digest(evidence: Iterable[Evidence]) -> str:
    """The digest that sign-offs bind: over the contents of the kinds in `BOUND`."""
    return digest_of(sorted([e.kind, e.content] for e in evidence if e.kind in BOUND))
