"""`taxiway data`: what the data are, whether they can be trusted, and what they are worth.

A command's module is imported only when the command is called.
"""

from __future__ import annotations

import click

from taxiway.cli.lazy import Lazy

COMMANDS: dict[str, tuple[str, str]] = {
    "infer": ("infer", "Draft a contract from SOURCE; say how sure it is and why."),
    "diff": ("diff", "Say what differs between two contracts, and whom it breaks."),
    "check": ("check", "Hold every row of SOURCE against the contract; change nothing."),
    "reconcile": ("reconcile", "Find columns of two sources that do not say the same."),
    "resolve": ("resolve", "Sign what becomes of a finding of `reconcile`."),
    "leaks": ("leaks", "Search SOURCE for leaks and traps, before a model is trained on it."),
    "privacy": ("privacy", "Say which columns of SOURCE hold personal data."),
    "bias": ("bias", "Examine SOURCE for bias: groups, base rates, proxies."),
    "benefit": ("benefit", "Say what a model loses without each column of SOURCE."),
    "synth": ("synth", "Make up rows that keep a contract, alone or like SOURCE."),
    "worth": ("worth", "Say which defect of SOURCE to repair first, and what it earns."),
    "features": ("features", "Features by key, as known at a moment: for training and online."),
    "snapshot": ("snapshot", "Keep SOURCE as an immutable snapshot, if it holds the contract."),
    "show": ("show", "Show what a source or a snapshot holds, column by column."),
    "compare": ("compare", "Is the sandbox like production? TRAINING against PRODUCTION."),
    "list": ("list", "List the snapshots, and what each added to the store."),
    "lineage": ("lineage", "Show where SNAPSHOT came from, and who used it."),
    "get": ("get", "Write SNAPSHOT back into a file or a folder."),
    "verify": ("verify", "Hold every byte of SNAPSHOTS against its digest and the record."),
    "gc": ("gc", "Free what nothing refers to; without --yes, say what that would be."),
}
"""Command -> the module in `taxiway.cli.data` that holds it, and its short help."""


@click.group(cls=Lazy, table=COMMANDS, package="taxiway.cli.data")
def data() -> None:
    """Say what the data are, whether they can be trusted, and what they are worth.

    \b
    Example: taxiway data check data/flights.parquet
    """
