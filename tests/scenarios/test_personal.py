"""Personal columns and a buffered log, agreed in the charter behind the release: real commands."""

from __future__ import annotations

import json

import polars as pl

from .conftest import DATA, OWNER, RECORD, Firm
from .test_endpoint import serving

SPAN = ("--env", "prod", "--from", "2013-03-01", "--to", "2013-03-07")
MARK = "\n        customProperties: [{property: personal, value: true}]"


def agreed(firm: Firm, *, dest: bool) -> None:
    """The flight's number becomes a pseudonym, and the destination stays out."""
    contract = firm.project / "contracts" / "flights.yaml"
    text = contract.read_text()
    for place in ("examples: [1545]", "examples: [IAH]"):
        text = text.replace(place, f"{place}{MARK}") if f"{place}{MARK}" not in text else text
    contract.write_text(text)
    charter = firm.project / "taxiway.yaml"
    says = "{flight: pseudonym, dest: omit}" if dest else "{flight: pseudonym}"
    text = charter.read_text().replace("personal_data: false", "personal_data: true")
    lines = [one for one in text.split("\n") if not one.startswith(("  log:", "  personal:"))]
    at = lines.index("deployment:") + 1
    lines[at:at] = ["  log: buffered", f"  personal: {says}"]
    charter.write_text("\n".join(lines))
    firm.run("plan", by=OWNER)


def test_a_person_s_flight_is_a_pseudonym_and_found_all_the_same(running: Firm) -> None:
    schedule = running.project / "data" / "schedule.parquet"
    before = set(running.logged())
    agreed(running, dest=False)
    running.run("score", schedule, "scores.parquet")
    with serving(running) as (client, _):
        _, ready = client.send("GET", "/ready")
        _, answer = client.predict(RECORD)
    assert ready["log"].startswith("buffered")
    logged = {name: one for name, one in running.logged().items() if name not in before}
    assert all(one.withheld == ("flight",) for one in logged.values())
    assert all(one.inputs["flight"].startswith("pseudonym:") for one in logged.values())
    assert answer["decision"] in logged
    scores = pl.read_parquet(running.project / "scores.parquet")
    assert scores["flight"].to_list() == pl.read_parquet(schedule)["flight"].to_list()

    # A batch that is asked for again writes the numbers of the file, not those of the log.
    again = running.ask("score", schedule, "again.parquet")
    assert again["found"] == again["rows"]
    assert pl.read_parquet(running.project / "again.parquet")["flight"].to_list() == (
        scores["flight"].to_list()
    )

    outcomes = running.data("outcomes.parquet", "--months", "3-3", "--outcomes")
    joined = running.ask("outcomes", "add", outcomes, by=DATA)
    assert joined["coverage"] > 0.9

    # The model reads the number: none of it can be made again, and none is said to be equal.
    found = running.ask("replay", *SPAN)
    assert (found["equal"], found["different"]) == (0, 0)
    assert found["lacking"] == {"flight": found["withheld"]}
    assert found["withheld"] > 1000

    row = scores.row(0, named=True)
    words = ("--key", f"flight={row['flight']}", "--key", f"carrier={row['carrier']}")
    (one, *_) = running.ask("decisions", *words, "--env", "prod", "--limit", "99")["decisions"]
    assert one["withheld"] == ["flight"]
    erased = running.ask("decisions", "erase", *words, "--reason", "request 1", "--yes", by=OWNER)
    assert erased["decisions"] > 0
    assert erased["outcomes"] > 0
    assert "No such decision" in running.run("decisions", *words)
    secret = running.store / "keys" / "pseudonyms.key"
    assert secret.stat().st_mode & 0o777 == 0o600
    for file in (*running.store.glob("decisions*"), *running.store.rglob("*.db")):
        if file.is_file():
            assert secret.read_bytes().strip() not in file.read_bytes()

    agreed(running, dest=True)
    with serving(running) as (client, _):
        _, answer = client.predict(RECORD)
    found = running.ask("replay", *SPAN)
    assert (found["equal"], found["different"]) == (0, 0)
    assert found["lacking"] == {"flight": found["withheld"], "dest": 1}
    assert "dest of 1." in running.run("replay", *SPAN)
    assert "the log withholds dest, flight" in running.run("replay", answer["decision"], code=3)
    kept = running.logged()[answer["decision"]]
    assert json.loads(kept.key)["carrier"] == RECORD["carrier"]
    assert "dest" not in kept.inputs

    # Without the key nobody is found, and that is said.
    secret.rename(running.store / "away")
    assert "is not on this machine" in running.run("decisions", *words, code=3)
