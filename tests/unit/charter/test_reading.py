"""Reading a charter: what is wrong with its form, all at once, each with its line."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from taxiway.adapters.yaml_document import read_document
from taxiway.charter.reading import CharterFile, read_charter, read_charter_file
from taxiway.core.document import Document, Place
from taxiway.core.errors import InputError

Written = Callable[..., CharterFile]


def said(file: CharterFile) -> list[tuple[str, str]]:
    return [(remark.severity, str(remark.problem)) for remark in file.remarks]


def test_a_complete_charter_has_nothing_to_complain_about(written: Written) -> None:
    file = written()
    assert file.charter is not None
    assert file.remarks == ()
    # The leaves of the complete charter, counted by hand: 3 on top, 5 purpose, 5 owners, 10 risk,
    # 6 value, 3 data, 2 target, 4 training, 1 deployment, 3 oversight, 1 monitoring, 3 inventory.
    assert file.answers == 46


@pytest.mark.parametrize(
    ("place", "value", "severity", "text"),
    [
        ("owners.busines", "x-owner", "error", "Did you mean `business`?"),
        ("risk.legal_class", "hihg", "error", "Did you mean `high`?"),
        ("training.split", {"holdout": "20%"}, "error", "expected a number, such as 0.2 for 20 %"),
        ("training.seed", "7", "error", "expected a whole number, found '7'"),
        ("training.bar", {"at_least": True}, "error", "expected a number"),
        ("risk.reversible", "maybe", "error", "expected true or false, found 'maybe'"),
        ("value.review", "30.6.2027", "error", "expected a date, such as 2027-06-30"),
        ("value.review", 2027, "error", "expected a date, such as 2027-06-30"),
        ("value.currency", "EURO", "error", "at most 3 characters"),
        ("monitoring.label_delay", "1w", "error", "text that matches"),
        ("monitoring.label_delay", "9" * 5000 + "d", "error", "text that matches"),
        ("value.promised_per_month", "lots", "error", "expected a number"),
        ("purpose.limits", [], "error", "at least 1 of them"),
        ("purpose.limits", "none", "error", "expected a valid list"),
        ("purpose", ["a"], "error", "expected a mapping of keys to values"),
        ("name", "Flight Delays", "error", "text that matches"),
        ("oversight.who", None, "missing", "`who` is missing. Who looks at the decisions."),
        ("inventory", None, "missing", "`inventory` is missing"),
    ],
)
def test_one_wrong_answer_is_named_with_what_would_be_right(
    written: Written, place: str, value: Any, severity: str, text: str
) -> None:
    file = written({place: value})
    assert file.charter is None
    [(found, problem)] = said(file)
    assert found == severity
    assert text in problem
    assert len(problem) < 600


def test_every_problem_has_its_line_and_all_come_at_once() -> None:
    lines: dict[Place, int] = {("name",): 1, ("owners",): 2, ("owners", "busines"): 3, ("risk",): 4}
    data = {"name": "churn", "owners": {"busines": "x-owner"}, "risk": {}}
    with pytest.raises(InputError, match="not a complete charter") as caught:
        read_charter(Document(data, lines, "taxiway.yaml"))
    text = str(caught.value)
    assert "taxiway.yaml:3 owners.busines: `busines` is not a known key" in text
    assert "taxiway.yaml:4 risk.legal_class: `legal_class` is missing" in text
    assert "taxiway.yaml value: `value` is missing" in text


def test_a_blank_key_is_missing_at_its_own_line(written: Written) -> None:
    file = written(text="name: churn\nowners:\n  business:\nvalue:\n  baseline:\n")
    assert ("missing", "taxiway.yaml:5 value.baseline: `baseline` is missing.") in [
        (severity, text.partition(" What")[0]) for severity, text in said(file)
    ]
    assert file.sections["owners"].business is None


def test_sections_that_hold_are_readable_beside_those_that_do_not(written: Written) -> None:
    file = written({"risk.tier": "lowest", "name": None})
    assert set(file.sections) >= {"owners", "value", "training", "retraining"}
    assert "risk" not in file.sections
    assert "name" not in file.sections


def test_yes_and_no_answer_where_a_key_asks_for_one_of_them(written: Written) -> None:
    file = written({"risk.reversible": "no", "risk.is_model": "yes"})
    assert file.charter is not None
    assert not file.charter.risk.reversible
    assert file.charter.risk.is_model


def test_the_word_no_stays_a_word_elsewhere(written: Written) -> None:
    file = written({"training.slices": ["NO", "on"]})
    assert file.charter is not None
    assert file.charter.training.slices == ["NO", "on"]


@pytest.mark.parametrize("text", ["- a\n- b\n", "just words\n", "7\n"])
def test_what_is_no_mapping_is_no_charter(written: Written, text: str) -> None:
    with pytest.raises(InputError, match=r"taxiway\.yaml is not a charter: expected keys"):
        written(text=text)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "is empty"),
        (b"name: a\nname: b\n", "taxiway.yaml:2: `name` is there twice, first in line 1"),
        (b"name:\n\tchurn: 1\n", "taxiway.yaml:2"),
        (b"name: \xff\n", "not UTF-8"),
        (b"a: [1, 2\n", "is not YAML"),
        (b"x" * 1_000_001, "larger than 1 MB"),
        (b"name: !!python/object/apply:os.system [ls]\n", "taxiway.yaml"),
    ],
)
def test_a_file_that_is_no_document_says_so(tmp_path: Path, content: bytes, text: str) -> None:
    path = tmp_path / "taxiway.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=re.escape(text)):
        read_charter(read_document(path))


def test_aliases_that_grow_without_bound_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)
    ]  # 10 ** 9 texts
    path = tmp_path / "taxiway.yaml"
    path.write_text("\n".join(lines))
    with pytest.raises(InputError, match="too large"):
        read_charter_file(read_document(path))


def test_the_digest_depends_on_the_answers_not_on_the_layout(written: Written) -> None:
    one = written().charter
    two = written({"retraining": {"triggers": ["performance"]}}).charter
    three = written({"training.seed": 8}).charter
    assert one is not None
    assert two is not None
    assert three is not None
    assert one.digest == two.digest != three.digest
