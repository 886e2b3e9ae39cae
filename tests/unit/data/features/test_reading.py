"""Definitions: what they say, what is wrong with them, and what makes another version."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from taxiway.bootstrap.data import features as wired
from taxiway.core.errors import InputError, MissingError
from taxiway.data.features.view import Catalogue

Edit = Callable[..., Catalogue]
HOUR = 3600 * 10**6


def test_a_view_says_whom_it_is_about_and_when_it_is_known(catalogue: Catalogue) -> None:
    view = catalogue.view("delays")
    assert (view.id, view.keys, view.delay, view.ttl) == ("delays@1", ("line",), HOUR, 2 * HOUR)
    assert catalogue.set("trip").columns == ("riders", "minutes")
    assert catalogue.set("trip").keys == ("line",)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (("owner: depot", "owner: garage"), True),
        (("What was seen of", "What they saw of"), True),
        (("delay: 1h", "delay: 59m"), False),
        (("ttl: 2h", "ttl: 3h"), False),
        (("SELECT at, line, minutes", "SELECT at, line, minutes * 2 AS minutes"), False),
        (("version: 1", "version: 2"), False),
    ],
)
def test_the_digest_is_of_what_makes_the_values(
    catalogue: Catalogue, edit: Edit, change: tuple[str, str], *, same: bool
) -> None:
    before = catalogue.views["delays@1"].digest
    if change[1] == "version: 2":
        after = edit("delays.yaml", change, to="delays-2.yaml").views["delays@2"].digest
    else:
        after = edit("delays.yaml", change).views["delays@1"].digest
    assert (after == before) is same


def test_words_about_a_contract_may_change_and_its_units_may_not(
    catalogue: Catalogue, folder: Path
) -> None:
    before = catalogue.views["riders@1"].digest
    file = folder.parent / "riders-contract.yaml"
    text = file.read_text()
    file.write_text(text.replace("Which line", "The line's letter"))
    assert wired.definitions(folder).views["riders@1"].digest == before
    file.write_text(
        text.replace(
            "description: What was seen.",
            "description: What was seen., customProperties: [{property: unit, value: '1'}]",
        )
    )
    assert wired.definitions(folder).views["riders@1"].digest != before


def test_versions_lie_side_by_side(edit: Edit) -> None:
    both = edit("delays.yaml", ("version: 1", "version: 2"), to="delays-2.yaml")
    assert {"delays@1", "delays@2"} <= set(both.views)
    with pytest.raises(MissingError, match="Did you mean 'delays@"):
        both.view("delays")


def test_a_version_that_two_files_define_is_an_error(edit: Edit) -> None:
    with pytest.raises(InputError, match=r"delays.yaml: delays@1 is defined already, in copy.yaml"):
        edit("delays.yaml", to="copy.yaml")


def test_a_feature_under_one_name_twice_is_an_error_until_it_has_a_prefix(edit: Edit) -> None:
    edit("delays.yaml", ("version: 1", "version: 2"), to="delays-2.yaml")
    with pytest.raises(InputError, match=r"delays@2 gives 'minutes', and so do delays@1"):
        edit("trip.yaml", ("- {view: delays@1}", "- {view: delays@1}\n  - {view: delays@2}"))
    added = ("{view: delays@2}", "{view: delays@2, prefix: new_}")
    assert edit("trip.yaml", added).set("trip").columns[-1] == "new_minutes"


def test_a_feature_named_as_the_time_of_who_asks_is_an_error(edit: Edit) -> None:
    with pytest.raises(InputError, match="gives 'riders', and so do the rows that ask"):
        edit("trip.yaml", ("time: at", "time: riders"))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ([("delay: 1h\n", "")], "`known_at` or `delay`, one of them"),
        ([("delay: 1h", "delay: 1h\nknown_at: told_at")], "`known_at` or `delay`, one of them"),
        ([("delay: 1h", "delay: soon")], "delay"),
        ([("ttl: 2h\n", "")], "`ttl` is missing"),
        ([("sql: ", "polars: nothing.py\nsql: ")], "`sql` or `polars`, one of them"),
        ([("sql: SELECT at, line, minutes FROM seen", "polars: nothing.py")], "no Python file"),
        ([("entity_key: {line: string}", "entity_key: {line: number}")], "is no key"),
        ([("  minutes: {", "  line: {")], "'line' is its key or time, and a feature"),
        ([("../delays-contract", "../nowhere")], "There is no file"),
        ([("owner: depot", "ownr: depot")], "Did you mean `owner`"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    edit: Edit, changes: list[tuple[str, str]], says: str
) -> None:
    with pytest.raises(InputError) as error:
        edit("delays.yaml", *changes)
    assert says in str(error.value)
    assert "delays.yaml" in str(error.value)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("delays@1", "delay@1"), "there is no view delay@1. Did you mean 'delays@1'?"),
        (("riders@1}", "riders@1, features: [rider]}"), "has no feature 'rider'"),
        (("riders@1}", "riders@1, on: {lin: line}}"), "has no key 'lin'"),
    ],
)
def test_a_set_asks_for_what_there_is(edit: Edit, change: tuple[str, str], says: str) -> None:
    with pytest.raises(InputError) as error:
        edit("trip.yaml", change)
    assert says in str(error.value)


def test_a_file_is_a_view_or_a_set(folder: Path) -> None:
    (folder / "other.yaml").write_text("name: something\n")
    with pytest.raises(InputError, match="it defines neither a view nor a set"):
        wired.definitions(folder)


def test_no_folder_and_no_file_say_so(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="no folder"):
        wired.definitions(tmp_path / "nowhere")
    with pytest.raises(MissingError, match="no YAML file"):
        wired.definitions(tmp_path)


def test_a_contract_of_another_tool_will_do(catalogue: Catalogue, folder: Path) -> None:
    before = catalogue.views["riders@1"].digest
    file = folder.parent / "riders-contract.yaml"
    document = yaml.safe_load(file.read_text())
    table = document["schema"][0]
    table["customProperties"] = []
    table["properties"].append({"name": "stops", "logicalType": "array"})
    document["vendor"] = {"of": "another"}
    file.write_text(yaml.safe_dump(document))
    assert wired.definitions(folder).views["riders@1"].digest == before
