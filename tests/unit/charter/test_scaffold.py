"""A new project is there whole or not at all, and never in the way of what was there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from taxiway.charter.scaffold import (
    new_project,
    questions,
    template_of,
    template_version,
    templates,
)
from taxiway.core.errors import ConflictError, InputError, MissingError


@pytest.fixture(autouse=True)
def nobody_in_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git without settings of a user, so that no test depends on the machine."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_project_has_its_files_and_a_first_commit(tmp_path: Path) -> None:
    target = tmp_path / "churn"
    files = new_project(target)
    on_disk = {p.relative_to(target) for p in target.rglob("*") if p.is_file()}
    assert set(files) == {path for path in on_disk if path.parts[0] != ".git"}
    assert {"taxiway.yaml", "model.py", "contracts/churn.yaml"} <= {str(path) for path in files}
    assert git(target, "status", "--porcelain") == ""
    assert git(target, "log", "--format=%an: %s") == "taxiway: Start the project from its template"
    assert [path.name for path in tmp_path.iterdir()] == ["churn"]


def test_the_user_commits_where_git_knows_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "gitconfig"
    settings.write_text("[user]\nname = churn-developer\nemail = churn@example.org\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    new_project(tmp_path / "churn")
    assert git(tmp_path / "churn", "log", "--format=%an %ae") == "churn-developer churn@example.org"


def test_a_hook_that_calls_us_does_not_lend_its_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "--quiet", "other")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other/.git"))
    new_project(tmp_path / "churn")
    monkeypatch.delenv("GIT_DIR")
    assert git(tmp_path / "churn", "rev-list", "--count", "HEAD") == "1"
    assert git(tmp_path / "other", "status", "--porcelain") == ""


def test_inside_a_repository_a_project_stays_part_of_it(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    new_project(tmp_path / "churn")
    assert not (tmp_path / "churn/.git").exists()


def test_what_the_repository_ignores_gets_one_of_its_own(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / ".gitignore").write_text("build/\n")
    new_project(tmp_path / "build/churn")
    assert (tmp_path / "build/churn/.git").is_dir()


def test_without_git_the_project_is_there_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    new_project(tmp_path / "churn")
    assert (tmp_path / "churn/model.py").is_file()
    assert not (tmp_path / "churn/.git").exists()


def test_a_dry_run_lists_the_same_files_and_makes_none(tmp_path: Path) -> None:
    listed = new_project(tmp_path / "deep/churn", dry_run=True)
    assert list(tmp_path.iterdir()) == []
    assert listed == new_project(tmp_path / "deep/churn")


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "churn").mkdir()
    assert new_project(tmp_path / "churn")


def test_a_folder_with_something_in_it_is_not_touched(tmp_path: Path) -> None:
    target = tmp_path / "churn"
    target.mkdir()
    (target / "notes.txt").write_text("mine")
    with pytest.raises(ConflictError, match=r"is not empty: notes\.txt\. Nothing was touched"):
        new_project(target)
    assert [path.name for path in target.iterdir()] == ["notes.txt"]


def test_a_file_of_that_name_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "churn").write_text("mine")
    with pytest.raises(ConflictError, match="no folder"):
        new_project(tmp_path / "churn")
    assert (tmp_path / "churn").read_text() == "mine"


@pytest.mark.parametrize("name", ["Churn", "c", "1st", "churn model", "churn_1", "ä-b", "c\nd"])
def test_a_bad_name_is_refused_with_what_would_be_right(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="2 to 63 small letters, digits and hyphens"):
        new_project(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_all_bad_answers_come_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't be made") as caught:
        new_project(
            tmp_path / "churn",
            answers={"business": "Some Body", "key_column": "amount", "target_column": "a b"},
        )
    assert [problem.what for problem in caught.value.problems] == [
        "`business` can't be used",
        "`target_column` can't be used",
        "`key_column` can't be used",
    ]


def test_two_columns_can_not_have_one_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="day is also another column"):
        new_project(tmp_path / "churn", answers={"time_column": "day", "key_column": "day"})


def test_unknown_names_come_with_the_close_match(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="Did you mean 'classification'"):
        new_project(tmp_path / "churn", "clasification")
    with pytest.raises(MissingError, match="Did you mean 'business'"):
        new_project(tmp_path / "churn", answers={"busines": "churn-owner"})
    with pytest.raises(MissingError, match="No question named 'template_version'"):
        new_project(tmp_path / "churn", answers={"template_version": "9"})


def test_the_template_and_its_version_are_read_back(tmp_path: Path) -> None:
    new_project(tmp_path / "churn")
    assert template_of(tmp_path / "churn") == ("classification", "1.0.0")
    assert template_version(tmp_path / "churn") == "1.0.0"


@pytest.mark.parametrize("answers", [None, "", "- a\n", "_template: [1]\n", "a: [\n", "\xff"])
def test_a_project_without_a_template_has_no_version(tmp_path: Path, answers: str | None) -> None:
    if answers is not None:
        (tmp_path / ".copier-answers.yml").write_bytes(answers.encode("latin-1"))
    assert template_version(tmp_path) is None


def test_every_template_asks_for_the_name() -> None:
    assert templates()
    for template in templates():
        assert "name" in questions(template)
