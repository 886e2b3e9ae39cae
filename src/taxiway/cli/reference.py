"""The reference page of the command line, written from the verbs so that it can't go out of date.

`make docs` writes it again.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator, Mapping

import click

from taxiway.cli import VERBS, taxiway
from taxiway.core.errors import TaxiwayError

HEAD = """# The command line

Written from the verbs in `taxiway.cli`; `make docs` writes it again. The `--help` of a verb says
the same.

The verbs stand in the order of a model's life. What holds for all of them:

- `--as NAME` says who acts: without it, whom `TAXIWAY_ACTOR` names, or the only person whose key is
  here.
- `--dry-run` says what would happen and changes nothing. Every verb that changes something has it.
- `--json` prints one JSON document, for machines. Every verb that shows something has it.
- An answer goes to standard output, an error to standard error: its code, what was found against
  what was expected, and what to do next.
- A release is named by its model and number, such as `flight-delays:1`.
"""

ENDS: Mapping[int, str] = {
    0: "Done and clear.",
    1: "Done and not clear: a check, a window, a comparison, a rehearsal, a replay, a plan.",
    2: "The command line is wrong: an unknown option, a missing argument.",
    130: "Interrupted; what was written before is whole.",
}
"""How a command ends where no error of the tree is behind it."""

VARIABLES: Mapping[str, str] = {
    "TAXIWAY_WORKSPACE": (
        "The workspace's folder. Without it, the nearest folder upward with a `taxiway.toml`."
    ),
    "TAXIWAY_ACTOR": "Who acts where `--as` does not say it.",
    "TAXIWAY_KEYS": (
        "The folder of the people's keys. Without it, `taxiway/keys` in the user's configuration."
    ),
    "TAXIWAY_KEY_PASSPHRASE": (
        "The passphrase of the keys: new keys are encrypted with it, old ones opened. Without it,"
        " keys are not encrypted."
    ),
    "TAXIWAY_API_KEY": (
        "One key that all callers of `taxiway serve` send as a bearer token. Another address than"
        " loopback is served with it, or where each model has consumers with keys of their own."
    ),
    "TAXIWAY_IDLE_SECONDS": (
        "Seconds after which `taxiway serve` closes a connection that has not sent a whole head: 75"
        " unless it is set."
    ),
    "TAXIWAY_DATABASE": "The database that `--sql` asks, without `--database`.",
    "TAXIWAY_DATABASE_PASSWORD": "Its password, if the URL has none.",
    "RAY_ADDRESS": (
        "The cluster that `taxiway score --engine ray` works on. Without it, one is started on this"
        " machine, on loopback, for as long as the command takes."
    ),
    "TAXIWAY_DECISIONS": (
        "The folder of the decision log. Without it, it lies in the workspace. Rendered containers"
        " keep it on a volume of their own."
    ),
    "TAXIWAY_OBJECTS": (
        "The URL of the bucket that holds the objects, such as `s3://bucket/folder`, instead of"
        " `objects` in `taxiway.toml`. Without both, they lie in the workspace."
    ),
    "TAXIWAY_FEATURES": (
        "The online store of features: a file, or the address of a Redis. Without it, the"
        " workspace's own."
    ),
    "TAXIWAY_PSEUDONYMS": (
        "The file with the key of pseudonyms, for a container that gets it as a secret. Without it,"
        " the key lies in the workspace, and is made when it is needed first."
    ),
    "TAXIWAY_BUNDLE": (
        "The digest that the record of a bundle has to have, as rendered manifests say. Without it,"
        " any bundle is served."
    ),
    "OTEL_EXPORTER_OTLP_ENDPOINT": (
        "Where `taxiway serve` sends a span for each request, by OTLP over HTTP. Without it, there"
        " are no spans. The other variables of OpenTelemetry's SDK hold, too."
    ),
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "As above, for spans alone.",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "`http/protobuf`, or left out.",
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "As above.",
    "OTEL_TRACES_EXPORTER": "`otlp` asks for spans, `none` for no spans.",
    "OTEL_SDK_DISABLED": "`true`: no spans.",
    "OTEL_SERVICE_NAME": "What the server is called in its spans. Without it, `taxiway`.",
    "XDG_CONFIG_HOME": "Where the user's configuration is. Without it, `~/.config`.",
    "OMP_NUM_THREADS": "Threads of numeric libraries in `taxiway serve`: 1 unless it is set.",
    "OPENBLAS_NUM_THREADS": "As above.",
    "MKL_NUM_THREADS": "As above.",
    "POLARS_MAX_THREADS": "As above.",
}
"""Every environment variable that somebody may set, and what it is for."""

OWN: Mapping[str, str] = {
    "TAXIWAY_ENDPOINT": "`taxiway serve` tells its own server process what to serve.",
    "_TAXIWAY_COMPLETE": "The completion of the shell asks with it.",
}
"""Variables that taxiway sets for itself; nobody else does."""

EXAMPLE = "Example: "

COMPLETION = """
## Completion

Add the line of your shell to its start-up file; verbs, subcommands and options are then completed
with the tab key.

| shell | line |
| --- | --- |
| bash | `eval "$(_TAXIWAY_COMPLETE=bash_source taxiway)"` |
| zsh | `eval "$(_TAXIWAY_COMPLETE=zsh_source taxiway)"` |
| fish | `_TAXIWAY_COMPLETE=fish_source taxiway \\| source` |
"""


def page() -> str:
    """The page, as Markdown."""
    root = click.Context(taxiway, info_name="taxiway")
    parts = [HEAD, _verbs()]
    for verb in VERBS:
        command = taxiway.get_command(root, verb)
        assert command is not None, verb  # noqa: S101 - VERBS names commands only
        parts += _sections(command, root, verb)
    return "\n".join([*parts, _exit_codes(), _variables(), COMPLETION])


def examples(command: click.Command) -> str:
    """The command lines under `Example:` in the help of a command; empty if there are none."""
    for paragraph in _paragraphs(command):
        if paragraph.startswith(EXAMPLE):
            # Further lines are indented as far as the first command is.
            return textwrap.dedent(" " * len(EXAMPLE) + paragraph.removeprefix(EXAMPLE))
    return ""


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """A command and all that are below it, each with the words that call it."""
    yield name, command
    if isinstance(command, click.Group):
        for word, below in below_of(command):
            yield from commands(below, f"{name} {word}")


def below_of(group: click.Group) -> Iterator[tuple[str, click.Command]]:
    """The commands of a group, those too that are imported only when they are called."""
    context = click.Context(group)
    # As they were written down, which `list_commands` of a plain group sorts.
    for word in list(group.commands) or group.list_commands(context):
        command = group.get_command(context, word)
        assert command is not None, word  # noqa: S101 - a group has what it lists
        yield word, command


def _paragraphs(command: click.Command) -> list[str]:
    """The help, without the mark that keeps click from wrapping a paragraph."""
    text = inspect.cleandoc(command.help or "")
    return [paragraph.removeprefix("\b\n") for paragraph in text.split("\n\n")]


def _verbs() -> str:
    rows = [f"| [`{verb}`](#taxiway-{verb}) | {short} |" for verb, (_, short) in VERBS.items()]
    return "\n".join(["| verb | what it does |", "| --- | --- |", *rows]) + "\n"


def _sections(command: click.Command, parent: click.Context, name: str) -> Iterator[str]:
    """The section of a command and of those below it."""
    context = click.Context(command, info_name=name, parent=parent)
    level = "##" if parent.parent is None else "###"
    yield f"{level} `{context.command_path}`\n"
    told = [text for text in _paragraphs(command) if not text.startswith(EXAMPLE)]
    yield "\n\n".join(told) + "\n"
    if isinstance(command, click.Group):
        words = ", ".join(f"`{word}`" for word, _ in below_of(command))
        yield f"Subcommands: {words}.\n"
    else:
        usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
        yield f"```text\n{usage}\n```\n"
        if table := _options(command, context):
            yield table
    lines = examples(command).splitlines()
    yield "\n".join(["```console", *(_prompted(line) for line in lines), "```\n"])
    if isinstance(command, click.Group):
        for word, below in below_of(command):
            yield from _sections(below, context, word)


def _prompted(line: str) -> str:
    """A line of an example; a line that continues the one before it is indented."""
    return line if line.startswith(" ") else f"$ {line}"


def _options(command: click.Command, context: click.Context) -> str:
    options = [param for param in command.params if isinstance(param, click.Option)]
    if not options:
        return ""
    rows = [
        f"| `{_called(option, context)}` | {option.help} | {_default(option, context)} |"
        for option in options
    ]
    return "\n".join(["| option | meaning | default |", "| --- | --- | --- |", *rows, ""])


def _called(option: click.Option, context: click.Context) -> str:
    names = ", ".join([*option.secondary_opts, *sorted(option.opts, key=len)])
    if option.is_flag:
        return names
    number = isinstance(option.type, click.IntRange)
    value = "NUMBER" if number else option.make_metavar(context).replace("|", "\\|")
    return f"{names} {value}"


def _default(option: click.Option, context: click.Context) -> str:
    if option.required:
        return "has to be given"
    return f"`{option.get_default(context)}`" if option.show_default else ""


def _exit_codes() -> str:
    errors = {error.exit_code: error for error in TaxiwayError.__subclasses__()}
    rows = {code: ("", meaning) for code, meaning in ENDS.items()}
    for code, error in errors.items():
        said = " ".join((error.__doc__ or "").split())
        also = f" {rows[code][1]}" if code in rows else ""
        rows[code] = (error.code, said + also)
    lines = [f"| {code} | {error} | {meaning} |" for code, (error, meaning) in sorted(rows.items())]
    return "\n".join(
        ["## Exit codes\n", "| code | error | meaning |", "| --- | --- | --- |", *lines, ""]
    )


def _variables() -> str:
    rows = [f"| `{name}` | {meaning} |" for name, meaning in VARIABLES.items()]
    own = [f"- `{name}`: {meaning}" for name, meaning in OWN.items()]
    return "\n".join(
        [
            "## Environment variables\n",
            "| variable | meaning |",
            "| --- | --- |",
            *rows,
            "\ntaxiway sets these for itself; leave them alone:\n",
            *own,
        ]
    )
