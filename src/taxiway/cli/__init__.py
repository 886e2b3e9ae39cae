"""The command line: verbs in the order of the life cycle.

A verb's module is imported only when the verb is called, and heavy libraries only when it needs
them, so that `taxiway --help` and `taxiway status` answer at once. What comes before is
`taxiway.bootstrap`; the verbs parse, call it and show.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence

import click

from taxiway.cli.lazy import Lazy
from taxiway.core.errors import InputError, StoreError, TaxiwayError

VERBS: dict[str, tuple[str, str]] = {
    "init": ("project", "Make a workspace: the folder where the record lives."),
    "people": ("people", "Add, remove and list the people who act and sign."),
    "new": ("project", "Start a project from a template."),
    "plan": ("plan", "Read the charter: what is missing, the risk tier, who waits for whom."),
    "schema": ("plan", "Print the JSON Schema of the charter, for editors."),
    "data": ("data", "Check, snapshot and show data against their contract."),
    "handoff": ("handoff", "Offer, accept and return work between owners."),
    "train": ("train", "Train a candidate with its evidence, packaged as a release."),
    "check": ("check", "The flight check: may this release enter an environment?"),
    "sign": ("sign", "Sign a check of a release."),
    "deviate": ("sign", "Ask for, grant and refuse deviations from a check."),
    "rehearse": (
        "serve",
        "Start a release as a real server and measure it, before it is deployed.",
    ),
    "promote": ("promote", "Move a release into the next environment."),
    "rollback": ("promote", "Go back to the last good release of an environment."),
    "withdraw": ("promote", "End the role of a canary or of a challenger in shadow."),
    "shadow": ("shadow", "Compare the challenger in shadow with the champion."),
    "consumers": ("consumers", "Add, revoke and list those who may ask an endpoint."),
    "serve": ("serve", "Serve the champions of an environment over HTTP."),
    "deploy": ("deploy", "Render an endpoint for containers; collect their decisions."),
    "score": ("score", "Score a file along the same path as the endpoint."),
    "replay": ("score", "Make logged decisions again, and compare."),
    "decisions": ("decisions", "List and export logged decisions; expire and erase them."),
    "cases": ("cases", "List, take and decide the answers on which a person decides."),
    "outcomes": ("outcomes", "Join what turned out to be true to the decisions."),
    "watch": ("watch", "Close the windows that are due: drift, performance, value, alerts."),
    "alerts": ("alerts", "List what people were called about, and close it."),
    "retrain": ("retrain", "Turn alerts into a proposal; train, compare, decide."),
    "status": ("status", "What runs where, who owns it, what waits for whom."),
    "history": ("status", "What ran where, and when, and on whose approval."),
    "ledger": ("ledger", "Verify and show the ledger."),
}
"""Verb -> the module in `taxiway.cli` that holds it, and its short help."""

EPILOG = """\b
Exit codes: 0 done and clear, 1 done and not clear (a check, a window, a comparison),
2 wrong input, 3 not found, 4 refused by a rule, 5 integrity broken, 6 changed by somebody
else, 7 disk or database, 8 optional part not installed, 130 interrupted.

\b
Completion: eval "$(_TAXIWAY_COMPLETE=bash_source taxiway)"   (or zsh_source, fish_source)
"""


class Verbs(Lazy):
    """The verbs, under a title of their own."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs, in the order of a model's life"):
            formatter.write_dl(list(self.short_helps()))


@click.group(
    cls=Verbs,
    table=VERBS,
    package="taxiway.cli",
    noun="verb",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EPILOG,
)
@click.version_option(package_name="taxiway")
def taxiway() -> None:
    """The path a model takes from a notebook to production, and the loop that keeps it fit.

    \b
    Example: taxiway new churn --template classification
             cd churn && taxiway plan
    """


def _store_error(error: OSError) -> TaxiwayError:
    what = error.filename or "a file"
    if error.errno == errno.ENOSPC:
        return StoreError(
            f"The disk is full: {what} could not be written.",
            todo="Free some space and run it again; nothing half-written was kept.",
        )
    if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
        return StoreError(
            f"{what} can't be written: {error.strerror}.",
            todo="Check its permissions, or choose another workspace with TAXIWAY_WORKSPACE.",
        )
    if isinstance(error, FileNotFoundError):
        return InputError(f"There is no file {what}.")
    return StoreError(f"{what}: {error.strerror or error}.")


def main(arguments: Sequence[str] | None = None) -> None:
    """The `taxiway` command. Ends the process with one of the documented exit codes."""
    try:
        code = taxiway.main(arguments, prog_name="taxiway", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted; what was written before is whole.", err=True)
        sys.exit(130)
    except BrokenPipeError:
        # The reader of a pipe went away (`taxiway history | head`): not an error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        _end(_store_error(error))
    except TaxiwayError as error:
        _end(error)


def _end(error: TaxiwayError) -> None:
    click.echo(f"{error.code} {error}", err=True)
    sys.exit(error.exit_code)
