"""The loop that keeps a running model fit: windows of decisions, held against what was promised.

Before it, `serving` logged every decision and deployments say which release took them; outcomes
arrive later and are joined here (`outcomes`). When a window closes (`windows`), its decisions are
held against the release's reference profile (`drift`), their outcomes against the holdout and the
charter's bar (`performance`) and their worth against the value case (`value`). `watch` does it for
every window that is due and writes evidence, findings and alerts. It hands alerts to `retraining`,
and evidence to the flight check.

People are called for consequences; drift explains them.
"""
