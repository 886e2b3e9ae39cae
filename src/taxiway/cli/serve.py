"""`taxiway serve` and `taxiway rehearse`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from taxiway.cli import options, screen

if TYPE_CHECKING:
    from taxiway.core.evidence import Evidence


@click.command()
@click.argument("models", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Serve every model with a champion there.")
@options.serving_environment
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=8000,
    show_default=True,
    help="The port to listen on.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes that share the port; each loads the models and decides on one core.",
)
@click.option(
    "--release",
    help="Serve this release instead of the champion; its decisions are logged as rehearsal.",
)
@click.option(
    "--stub",
    type=click.Path(path_type=Path, exists=True),
    help="Answer from this contract, or this project's, before there is a model; nothing is"
    " logged.",
)
@click.option(
    "--store",
    envvar="TAXIWAY_FEATURES",
    show_envvar=True,
    metavar="STORE",
    help="The online store in which features are looked up for records that bring none: a file, or"
    " redis://HOST:PORT/0. Default: the workspace's own, if it holds them.",
)
@click.option(
    "--log-requests",
    is_flag=True,
    help="Write one line of JSON about each request to standard error, without its inputs.",
)
def serve(
    *,
    models: tuple[str, ...],
    everything: bool,
    environment: str,
    host: str,
    port: int,
    workers: int,
    release: str | None,
    stub: Path | None,
    store: str | None,
    log_requests: bool,
) -> None:
    """Serve the champions of one or more MODELS in an environment over HTTP.

    POST /predict takes one record or a list of them, as JSON, CSV or an Arrow stream; clients of
    MLflow, SageMaker and KServe find their own paths. GET /ready says whether the golden
    predictions came out the same, GET /metrics what was done, and GET /openapi.json describes it
    all. With several models, /v1/models/NAME/predict and the other paths with a name answer. A
    decision is on disk before its answer leaves. A promotion or a rollback reaches the server
    within seconds. Other addresses than loopback need keys: those of consumers, or one in
    TAXIWAY_API_KEY.

    With --stub it answers before there is a model, so that others can build on it: it takes and
    refuses what the contract says, and makes its answers up, each marked with "stub": true.

    \b
    Example: taxiway serve flight-delays --env prod --port 8000 --workers 2
             taxiway serve --all --env prod
             taxiway serve --stub contracts/flights.yaml
    """
    where = f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def announce(chosen: str) -> None:
        what = f"{chosen} as rehearsal" if release else f"{chosen} in {environment}"
        screen.say(
            f"Serving {f'a stub of {chosen}' if stub else what} on {where} (Ctrl-C ends it)."
        )

    from taxiway.bootstrap.serving import Listen

    listen = Listen(host, port, workers, log_requests)
    if stub:
        from taxiway.bootstrap.stub import serve_stub

        if models or everything or release:
            raise click.UsageError("--stub answers without a model: leave the model out.")
        serve_stub(stub, listen, announce=announce)
        return
    from taxiway.bootstrap import Workspace

    if everything and (models or release):
        raise click.UsageError("--all serves every model: leave their names out.")
    with Workspace.open() as workspace:
        workspace.serve(
            ["*"] if everything else models,
            environment,
            release=release,
            store=store,
            listen=listen,
            announce=announce,
        )


@click.command()
@click.argument("release", required=False)
@options.environment_option(default="qa", help="The environment that it is rehearsed in.")
@options.acting
@options.dry_run
@options.as_json
@click.pass_context
def rehearse(
    ctx: click.Context,
    *,
    release: str | None,
    environment: str,
    actor: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Start a release (default: the newest) as a real server, and measure it.

    Its golden predictions are asked over HTTP, one by one and all at once; latency, memory, start
    and the way back are measured, and every decision has to be in the log. Ends with 1 if something
    is not as it should be. A dry run measures, and writes no evidence.

    \b
    Example: taxiway rehearse flight-delays:1 --env qa --as flights-engineer
    """
    from taxiway.bootstrap import Workspace

    with Workspace.open(actor=actor) as workspace, screen.progress("Asking", 500) as advance:
        evidence = workspace.rehearse(release, environment, dry_run=dry_run, on_request=advance)
    rows = _rows(evidence)
    good = all(verdict == "ok" for *_, verdict in rows)
    if as_json:
        screen.show_json({"good": good, "evidence": evidence})
    else:
        screen.table(
            ["what", "found", "required", "verdict"],
            rows,
            title=f"{evidence.subject} as a real server: {evidence.examined:,} requests",
        )
        screen.say(f"The way back: {evidence.found['rollback']['what']}.")
    ctx.exit(0 if good else 1)


def _rows(evidence: Evidence) -> list[list[str]]:
    found, limit = evidence.found, evidence.required["latency_ms_p99"]
    latency, sent = found["latency_ms"], found["decisions_sent"]

    def verdict(good: bool) -> str:
        return "ok" if good else "failed"

    return [
        [
            "golden predictions",
            f"{found['golden_rows']} replayed",
            "the same to the bit",
            verdict(found["golden_equal"] and found["golden_rows"] > 0),
        ],
        ["in a batch", "", "the same to the bit", verdict(found["batch_equal"])],
        ["errors", str(found["errors"]), "0", verdict(found["errors"] == 0)],
        [
            "latency",
            f"p50 {latency['p50']:.1f} ms, p99 {latency['p99']:.1f} ms",
            f"p99 at most {limit:g} ms",
            verdict(latency["p99"] <= limit),
        ],
        [
            "decision log",
            f"{found['decisions_logged']:,} of {sent:,}",
            "all",
            verdict(found["decisions_logged"] == sent),
        ],
        ["start", f"{found['cold_start_s']:.1f} s", "", "ok"],
        ["memory", f"{found['memory_mb']:.0f} MB", "", "ok"],
        ["way back", found["rollback"]["to"] or "", "", verdict(found["rollback"]["ok"])],
    ]
