"""Laws of every template: whatever is answered, the project holds together and says what is left.

Templates are found by themselves: a new folder is under these laws at once.
"""

from __future__ import annotations

import py_compile
import re
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taxiway.adapters.yaml_document import read_document
from taxiway.charter.plan import Plan, make_plan
from taxiway.charter.reading import read_charter_file
from taxiway.charter.scaffold import new_project, questions, template_of, templates
from taxiway.core.document import Document
from taxiway.data.odcs import read_contract

OWNERS = {
    "business": "churn-owner",
    "data": "churn-data",
    "development": "churn-developer",
    "engineering": "churn-engineer",
    "validation": "churn-validator",
}
ANSWERS: dict[str, dict[str, str]] = {
    "defaults": {},
    "owned": {"name": "churn-2", "decision": "Call customers who will leave.", **OWNERS},
    "words of yaml": {"name": "null", "decision": "yes", "business": "no", "data": "off"},
    "words of sql": {"name": "select", "target_column": "order", "key_column": "from"},
    "capitals": {"target_column": "OUTCOME_1", "time_column": "TS", "key_column": "ID"},
    "awkward text": {"decision": 'Say: "it\'s" # {% raw %} {{ x }} \\ \t – 😀\nand more'},
    "longest": {"name": "a" * 63, "target_column": "_" * 63, "business": "b" + "-" * 62},
    "hyphen last": {"name": "a-"},
}


def plan_of(project: Path, name: str) -> tuple[Document, Plan]:
    """The plan of a fresh project; reading the contract is part of the law."""
    document = read_document(project / "taxiway.yaml")
    contract = read_contract(read_document(project / f"contracts/{name}.yaml"))
    plan = make_plan(
        read_charter_file(document),
        contract=contract,
        today=date(2026, 7, 1),
        exists=lambda file: (project / file).exists(),
    )
    return document, plan


def blanks(data: Any, place: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """The places of a document that are left blank."""
    if data is None:
        return {place}
    if isinstance(data, dict):
        return set().union(*(blanks(value, (*place, key)) for key, value in data.items()))
    return set()


def check_files(project: Path, files: list[Path], answers: dict[str, str]) -> None:
    """Nothing is left over, and every file is right for what it is."""
    for file in files:
        text = (project / file).read_text("utf-8")
        rest = text.replace(answers.get("decision", "{{"), "")
        if file.suffix not in {".yaml", ".yml"}:
            assert not re.search(r"\{\{|\}\}|\{%|%\}|\{#", rest), file
        assert "TODO" not in text, file
        assert "{{" not in str(file)
        assert ".jinja" not in str(file)
        assert text.endswith("\n"), file
        assert not text.endswith("\n\n"), file
        if file.suffix in {".yaml", ".yml"}:
            assert isinstance(yaml.safe_load(text), dict), file
        if file.suffix == ".py":
            py_compile.compile(str(project / file), doraise=True, cfile=str(project / "made.pyc"))
        if file.suffix == ".toml":
            tomllib.loads(text)


@pytest.mark.parametrize("answers", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("template", templates())
def test_a_project_holds_together_and_its_plan_says_what_is_left(
    template: str, answers: dict[str, str], tmp_path: Path
) -> None:
    given = {key: value for key, value in answers.items() if key in questions(template)}
    name = given.get("name", "churn")
    project = tmp_path / "place"
    files = new_project(project, template, {"name": name, **given})

    check_files(project, files, given)
    assert template_of(project) is not None
    document, plan = plan_of(project, name)
    assert plan.errors == ()
    assert plan.model == name
    assert plan.owners == {key: given[key] for key in OWNERS if key in given}
    # Everything that is blank is asked for, and nothing else but the data and the groups.
    asked = {remark.problem.where for remark in plan.missing}
    left = {document.where(place) for place in blanks(document.data)}
    left.discard(document.where(("training", "no_protected_because")))
    others = {document.where(("data", "source")), document.where(("training", "protected"))}
    assert asked == left | others


NAMES = st.from_regex(r"\A[a-z][a-z0-9-]{1,62}\Z")
COLUMNS = st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_]{0,20}\Z")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    template=st.sampled_from(templates()),
    name=NAMES,
    decision=st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=3),
    columns=st.lists(COLUMNS, min_size=3, max_size=3, unique=True).filter(
        lambda names: not {"amount", "segment"} & set(names)
    ),
)
def test_any_legal_answers_give_a_charter_and_a_contract_that_can_be_read(
    tmp_path_factory: pytest.TempPathFactory,
    template: str,
    name: str,
    decision: str,
    columns: list[str],
) -> None:
    if len(decision.strip()) < 3:
        decision = "Call them."
    keys = ("target_column", "time_column", "key_column")
    answers = {"name": name, "decision": decision, **dict(zip(keys, columns, strict=True))}
    project = tmp_path_factory.mktemp("any") / "place"
    new_project(project, template, {k: v for k, v in answers.items() if k in questions(template)})
    document, plan = plan_of(project, name)
    assert plan.errors == ()
    assert document.data["purpose"]["decision"] == decision.strip()


@pytest.mark.parametrize("template", templates())
def test_the_tests_of_a_fresh_project_pass(template: str, tmp_path: Path) -> None:
    answers = {"key_column": "from", "time_column": "TS"}
    known = {key: value for key, value in answers.items() if key in questions(template)}
    new_project(tmp_path / "churn", template, known)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"],
        cwd=tmp_path / "churn",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"[1-9][0-9]* passed", done.stdout)
