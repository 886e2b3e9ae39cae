"""The flights of New York in 2013: one model from an empty folder to production, and once round.

Every step is a real `taxiway` command on real data, shown as it is typed. The months arrive one
after the other; what the monitors find, and whether a retraining wins, is what the data give.

    python examples/flights/demo.py [FOLDER]        (default: a fresh folder under build/)
"""

from __future__ import annotations

import calendar
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
MODEL = "flight-delays"
OWNER, DATA, DEVELOPER = "flights-owner", "flights-data", "flights-developer"
ENGINEER, VALIDATOR, AUDITOR = "flights-engineer", "flights-validator", "flights-auditor"
PEOPLE = {
    OWNER: "owner",
    DATA: "owner",
    DEVELOPER: "developer",
    ENGINEER: "engineer",
    VALIDATOR: "validator",
    AUDITOR: "auditor",
}
SIGNATURES = {
    "CH-01": (OWNER, "purpose and uses agreed with the planners of gates"),
    "CH-02": (VALIDATOR, "tier low confirmed: it advises, can be undone, holds no personal data"),
    "CH-05": (OWNER, "value case and promise agreed"),
    "DV-06": (DEVELOPER, "the leading columns are those that planners expect"),
    "DV-07": (DEVELOPER, "limits stated in the charter; AUC because planners rank flights"),
    "MO-01": (OWNER, "monthly windows and the escalation agreed"),
    "DP-01": (VALIDATOR, "evidence read, approved for production"),
}
LAST_MONTH = 8


@dataclass
class Story:
    """What happened, for the summary at the end."""

    folder: Path
    lines: list[tuple[str, str]] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    @property
    def project(self) -> Path:
        return self.folder / MODEL

    def tell(self, step: str, what: str) -> None:
        self.lines.append((step, what))


def heading(text: str) -> None:
    print(f"\n\033[1m── {text} \033[0m" if sys.stdout.isatty() else f"\n── {text}", flush=True)


def taxiway(
    story: Story,
    *arguments: object,
    by: str | None = None,
    may_find: bool = False,
    show: bool = True,
) -> subprocess.CompletedProcess[str]:
    """Runs a command as a person would; ends the demo if it fails.

    `may_find`: exit code 1 is an answer here (a check that is not clear, a window with a finding).
    """
    words = [str(a) for a in arguments] + (["--as", by] if by else [])
    if show:
        print(f"$ taxiway {shlex.join(words)}", flush=True)
    done = subprocess.run(
        [Path(sys.executable).parent / "taxiway", *words],
        cwd=story.project if story.project.exists() else story.folder,
        stdout=None if show else subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode not in ((0, 1) if may_find else (0,)):
        sys.exit(f"The demo stops here: the command ended with {done.returncode}.")
    return done


def ask(story: Story, *arguments: object, may_find: bool = False) -> Any:
    """The answer of a command as JSON, for what the demo has to know."""
    done = taxiway(story, *arguments, "--json", may_find=may_find, show=False)
    return json.loads(done.stdout)


def data(story: Story, name: str, *arguments: object) -> Path:
    """A file of flights, as it arrives from outside."""
    out = story.project / "data" / name
    out.parent.mkdir(exist_ok=True)
    subprocess.run(
        [sys.executable, HERE / "prepare.py", *map(str, arguments), "--out", out],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return out


def begin(folder: Path) -> Story:
    heading("A workspace, its people, and a project from the template")
    story = Story(folder)
    taxiway(story, "init", folder)
    for name, role in PEOPLE.items():
        taxiway(story, "people", "add", name, "--role", role, by=None if name == OWNER else OWNER)
    taxiway(story, "new", MODEL, "--template", "classification", "--defaults")
    print("  The notebook's code, the charter and the contract go into the project:")
    for name in ("taxiway.yaml", "model.py", "contracts/flights.yaml"):
        print(f"    {name}")
        (story.project / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(HERE / name, story.project / name)
    for made in (story.project / "contracts").glob("*.yaml"):
        if made.name != "flights.yaml":
            made.unlink()
    shutil.copyfile(HERE / "test_model.py", story.project / "tests" / "test_model.py")
    commit(story, "The notebook's code, the charter and the contract of flights")
    story.tell("project", f"{MODEL} from template classification; {len(PEOPLE)} people with keys")
    return story


def commit(story: Story, message: str) -> None:
    git = [
        "git",
        "-C",
        str(story.project),
        "-c",
        "user.name=demo",
        "-c",
        "user.email=demo@localhost",
    ]
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-qm", message], check=True)


def arrive(story: Story, months: str, until_day: str) -> None:
    """The data that are there by a day: flights with their arrivals, and the coming week's plan."""
    data(story, "flights.parquet", "--months", months)
    upcoming = int(until_day.split("-")[1])
    data(
        story,
        "schedule.parquet",
        "--months",
        f"{upcoming}-{upcoming}",
        "--days",
        "1-7",
        "--schedule",
    )


def prepare_data(story: Story) -> None:
    heading("January and February arrive: checked against the contract, kept as a snapshot")
    arrive(story, "1-2", "2013-03-01")
    taxiway(story, "plan", by=OWNER)
    taxiway(story, "data", "check")
    snapshot(story)


def snapshot(story: Story) -> None:
    taxiway(story, "data", "snapshot", by=DATA)
    newest = ask(story, "data", "show")["snapshot"]
    hand_over(story, "data", newest["id"], "checked against the contract", by=DATA, to=DEVELOPER)
    story.tell(
        "data",
        f"{newest['rows']:,} flights up to {newest['last_time'][:10]} keep the contract",
    )


def soon(days: int = 7) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() + days * 86400))


def hand_over(story: Story, stage: str, subject: str, summary: str, *, by: str, to: str) -> None:
    """One owner offers, the next one accepts."""
    words = ["handoff", "offer", stage, subject, "--summary", summary, "--due", soon()]
    taxiway(story, *words, by=by)
    offered = [h for h in ask(story, "handoff", "list") if h["state"] == "offered"]
    taxiway(story, "handoff", "accept", offered[-1]["id"], by=to)


def deviate_if_a_group_is_behind(story: Story, release: str) -> None:
    """If one airline's flights are predicted worse than agreed, its owner decides, in the open."""
    flown = ask(story, "check", release, "--for", "qa", may_find=True)
    (groups,) = [v for v in flown["verdicts"] if v["check"] == "DV-05"]
    if groups["status"] != "failed":
        return
    taxiway(
        story,
        "deviate",
        "DV-05",
        release,
        "--reason",
        f"{groups['found']}: warnings for it are checked by a planner until it is better",
        "--risk",
        "passengers of that airline see poorer warnings",
        "--until",
        soon(120),
        by=DEVELOPER,
    )
    asked = [d for d in ask(story, "deviate", "list") if d["state"] == "asked"]
    taxiway(story, "deviate", "grant", asked[-1]["id"], by=OWNER)
    story.tell("deviation", f"DV-05 of {release}, granted by {OWNER} until {soon(120)}")


def fly(story: Story, release: str) -> None:
    """One release through dev and qa into prod: evidence, handoffs, signatures, rehearsal."""
    heading(f"{release}: the flight check, from dev to prod")
    taxiway(story, "check", release, "--for", "dev")
    story.tell("training", f"{release}, with its evidence, signed by {DEVELOPER}")
    taxiway(story, "promote", release, "--to", "dev", by=ENGINEER)
    hand_over(story, "release", release, "code, tests and evidence", by=DEVELOPER, to=ENGINEER)
    for check, (who, why) in SIGNATURES.items():
        if check != "DP-01":
            taxiway(story, "sign", check, release, "--reason", why, by=who)
    deviate_if_a_group_is_behind(story, release)
    taxiway(story, "promote", release, "--to", "qa", by=ENGINEER)
    taxiway(story, "rehearse", release, "--env", "qa", by=ENGINEER)
    hand_over(story, "running", release, "rehearsed in qa", by=ENGINEER, to=OWNER)
    taxiway(story, "sign", "DP-01", release, "--reason", SIGNATURES["DP-01"][1], by=VALIDATOR)
    taxiway(story, "check", release, "--for", "prod")
    taxiway(story, "promote", release, "--to", "prod", by=ENGINEER)
    story.tell("prod", f"{release} is the champion, approved by {VALIDATOR}")


def serve_once(story: Story) -> None:
    heading("The champion answers over HTTP; its decision can be made again")
    port = 8123
    server = subprocess.Popen(
        [
            Path(sys.executable).parent / "taxiway",
            "serve",
            MODEL,
            "--env",
            "prod",
            "--port",
            str(port),
        ],
        cwd=story.project,
        stdout=subprocess.DEVNULL,
    )
    print(f"$ taxiway serve {MODEL} --env prod --port {port} &")
    try:
        wait_until_ready(port, server)
        record = {
            "time_hour": "2013-03-01T22:00:00Z",
            "sched_dep_time": 1745,
            "sched_arr_time": 1955,
            "carrier": "EV",
            "flight": 4412,
            "origin": "EWR",
            "dest": "RIC",
            "distance": 277,
        }
        body = json.dumps(record)
        print(f"$ curl -s localhost:{port}/predict -H 'content-type: application/json' -d '{body}'")
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/predict", body.encode(), {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            decision = json.load(answer)
        print(json.dumps(decision, indent=2))
    finally:
        server.terminate()
        server.wait(timeout=20)
    taxiway(story, "replay", decision["decision"])
    story.tell(
        "serving", f"decision {decision['decision']} answered, logged and replayed to the same bits"
    )


def wait_until_ready(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if server.poll() is not None:
            sys.exit(f"The server ended with {server.returncode}.")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5)
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit("The server was not ready after 30 seconds.")


def month(story: Story, number: int) -> int:
    """One month of production: flights are scored when scheduled, labels follow, windows close.

    Answers how many alerts wait for somebody.
    """
    name = calendar.month_name[number]
    heading(f"{name} arrives: scored at scheduling time, outcomes after the flights")
    only = ("--months", f"{number}-{number}")
    schedule = data(story, f"schedule-{number:02}.parquet", *only, "--schedule")
    outcomes = data(story, f"outcomes-{number:02}.parquet", *only, "--outcomes")
    scores = story.project / "data" / f"scores-{number:02}.parquet"
    taxiway(story, "score", schedule, scores, "--env", "prod")
    taxiway(story, "outcomes", "add", outcomes, by=DATA)
    taxiway(story, "watch", "--as-of", f"2013-{number + 1:02}-03", may_find=True)
    waiting = ask(story, "status")
    return tell_month(story, name, waiting)


def tell_month(story: Story, name: str, status: Any) -> int:
    """One line about a month for the summary; answers how many alerts wait for somebody."""
    (model,) = status["models"]
    newest = {one["kind"]: one for one in model["monitoring"] if one["environment"] == "prod"}
    waiting = [one for one in model["waiting"] if one["kind"] == "alert" and one["state"] == "open"]
    parts = [f"{what} {one['verdict']}" for what, one in newest.items()]
    called = ", ".join(sorted({one["person"] for one in waiting})) or "nobody"
    story.tell(name, f"{'; '.join(parts)}; called: {called}")
    return len(waiting)


def retrain(story: Story, arrived: int) -> str | None:
    """The alarms become a proposal; a challenger is trained, compared and decided on."""
    heading("An alarm asks for a retraining: challenger against champion on the same holdout")
    arrive(story, f"1-{arrived}", f"2013-{arrived + 1:02}-01")
    snapshot(story)
    taxiway(story, "retrain", by=DEVELOPER, may_find=True)
    newest = ask(story, "retrain", "list")[-1]
    proposal, comparison = newest["proposal"], newest["comparison"]
    gain = comparison["gain"]
    told = (
        f"{comparison['challenger']} against {comparison['champion']}: {comparison['metric']}"
        f" {comparison['challenger_value']:.3f} against {comparison['champion_value']:.3f},"
        f" gain {gain['value']:+.3f} ({gain['low']:+.3f} to {gain['high']:+.3f})"
    )
    if comparison["verdict"] != "challenger wins":
        why = f"{comparison['verdict']} on the frozen holdout"
        taxiway(story, "retrain", "decline", proposal["id"], "--reason", why, by=OWNER)
        story.tell("retraining", f"{told}; declined")
        return None
    why = "it wins on the frozen holdout"
    taxiway(story, "retrain", "accept", proposal["id"], "--reason", why, by=OWNER)
    story.tell("retraining", f"{told}; accepted by {OWNER}")
    return str(comparison["challenger"])


def end(story: Story, release: str) -> None:
    heading("What runs, what waits for whom, and whether the ledger holds")
    taxiway(story, "status")
    taxiway(story, "history")
    taxiway(story, "ledger", "verify")
    heading(f"The flight check of {release} for prod, as it stands now")
    taxiway(story, "check", release, "--for", "prod", may_find=True)
    heading(f"What happened, in {time.monotonic() - story.started:.0f} seconds")
    width = max(len(step) for step, _ in story.lines)
    for step, what in story.lines:
        print(f"  {step:{width}}  {what}")
    print(
        f"""
Look closer (in {story.project}):
  export TAXIWAY_KEYS={story.folder / "keys"}
  taxiway check {release} --for prod --explain DV-04
  taxiway history --json
  taxiway ledger show --as-of {soon(0)}
  taxiway data show
  taxiway serve {MODEL} --env prod
with taxiway from {Path(sys.executable).parent}"""
    )


def fresh(folder: Path | None) -> Path:
    """The folder for the demo: the default one is emptied, another one has to be empty."""
    if folder is None:
        folder = HERE.parents[1] / "build" / "demo"
        if folder.exists():
            shutil.rmtree(folder)
    elif folder.exists() and any(folder.iterdir()):
        sys.exit(f"{folder} is not empty; the demo wants a folder of its own.")
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def main() -> None:
    folder = fresh(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    # The demo's people have their keys beside it, not in your own key folder.
    os.environ.update(TAXIWAY_KEYS=str(folder / "keys"), TAXIWAY_WORKSPACE=str(folder))
    os.environ.pop("TAXIWAY_ACTOR", None)
    print(__doc__)
    story = begin(folder)
    prepare_data(story)
    heading("Training: two baselines, intervals, leaks, slices, explanations, a rerun, a package")
    taxiway(story, "train", by=DEVELOPER)
    release = f"{MODEL}:1"
    fly(story, release)
    serve_once(story)
    number, retrained = 3, False
    while number <= LAST_MONTH:
        alarms = month(story, number)
        number += 1
        if alarms and not retrained:
            retrained = True
            if challenger := retrain(story, number - 1):
                release = challenger
                fly(story, release)
                month(story, number)
            break
    end(story, release)


if __name__ == "__main__":
    main()
