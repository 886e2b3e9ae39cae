"""The automatic checks: plain functions from the evidence of a case to a verdict.

They read nothing but evidence (`taxiway.core.evidence`) that the steps before wrote, and hand
verdicts to the flight check. A new check is one function and one line in `RULES`; the law tests
find it by themselves.
"""

from __future__ import annotations

from types import MappingProxyType

from taxiway.core import evidence as kinds
from taxiway.core.check import Judge
from taxiway.governance.checks import (
    audit,
    charter,
    data,
    deployment,
    development,
    monitoring,
    validation,
)
from taxiway.governance.checks.rule import Rule

RULES: tuple[Rule, ...] = (
    Rule("CH-02", charter.tier, (kinds.PLAN,)),
    Rule("CH-03", charter.inventory, (kinds.PLAN,)),
    Rule("CH-04", charter.owners, (kinds.PLAN,)),
    Rule("CH-05", charter.value_case, (kinds.PLAN,)),
    Rule("DA-01", data.provenance, (kinds.PROVENANCE,)),
    Rule("DA-02", data.invariants, (kinds.VALIDATION,)),
    Rule("DA-03", data.meanings, (kinds.MEANING,)),
    Rule("DA-04", data.likeness, (kinds.LIKENESS,)),
    Rule("DA-05", data.bias, (kinds.BIAS,)),
    Rule("DA-06", data.privacy, (kinds.PRIVACY, kinds.BIAS, kinds.EXPLANATIONS)),
    Rule("DV-01", development.code, (kinds.CODE, kinds.INDEPENDENCE)),
    Rule("DV-02", development.rerun, (kinds.RERUN,)),
    Rule("DV-03", development.leaks, (kinds.LEAKAGE, kinds.TRAPS)),
    Rule("DV-04", development.bar, (kinds.METRICS,)),
    Rule("DV-05", development.groups, (kinds.SLICES,)),
    Rule("DV-06", development.reasons, (kinds.EXPLANATIONS,)),
    Rule("VA-01", validation.independence, (kinds.INDEPENDENCE,)),
    Rule("DP-01", deployment.approval, (kinds.INDEPENDENCE,)),
    Rule("DP-02", deployment.integrity, (kinds.INTEGRITY,)),
    Rule("DP-03", deployment.rehearsal, (kinds.REHEARSAL, kinds.PARITY)),
    Rule("DP-04", deployment.decision_log, (kinds.REHEARSAL, kinds.PLAN)),
    Rule("DP-07", deployment.scope, (kinds.ACCESS,)),
    Rule("MO-01", monitoring.plan, (kinds.PLAN,)),
    Rule(
        "MO-02",
        monitoring.drift,
        (kinds.DRIFT,),
        unless=monitoring.before_first(kinds.DRIFT),
    ),
    Rule(
        "MO-03",
        monitoring.performance,
        (kinds.PERFORMANCE,),
        unless=monitoring.before_first(kinds.PERFORMANCE),
    ),
    Rule(
        "MO-04",
        monitoring.oversight,
        (kinds.OVERSIGHT,),
        unless=monitoring.before_first(kinds.OVERSIGHT),
    ),
    Rule("AU-01", audit.ledger, (kinds.LEDGER,)),
)
"""Every automatic check that is built, in the order of the catalogue."""

AUTOMATIC: MappingProxyType[str, Judge] = MappingProxyType({rule.check: rule for rule in RULES})
"""Check -> its rule, guarded."""
