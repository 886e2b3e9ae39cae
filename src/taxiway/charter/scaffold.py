"""A new project from a template: a folder that says by itself what is still to be answered.

The templates lie beside this module and are thin; copier fills them in. Nothing is downloaded, and
no template runs a command.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from taxiway.charter.git import start_history
from taxiway.core.errors import ConflictError, InputError, MissingError, Problem, shortened

TEMPLATES = Path(__file__).parent / "templates"
ANSWERS = ".copier-answers.yml"


def templates() -> list[str]:
    """The names of the templates that are there: each folder with questions is one."""
    return sorted(path.parent.name for path in TEMPLATES.glob("*/copier.yml"))


def questions(template: str) -> list[str]:
    """The answers that a template takes. Raises `MissingError` with the close match."""
    if template not in templates():
        raise MissingError.named("template", template, templates())
    asked = yaml.safe_load((TEMPLATES / template / "copier.yml").read_text("utf-8"))
    return [
        name
        for name, question in asked.items()
        if not name.startswith("_") and question.get("when") is not False
    ]


def new_project(
    target: Path,
    template: str = "classification",
    answers: Mapping[str, str] | None = None,
    *,
    defaults: bool = True,
    dry_run: bool = False,
) -> list[Path]:
    """Makes a project in `target`, which is not there yet or is empty; answers its files.

    The name is the folder's unless it is among the answers. Questions without an answer take their
    default, or are asked on the terminal if `defaults` is off. The project is there whole, with a
    first commit where git is installed, or not at all. Raises `MissingError` for an unknown
    template or question, `ConflictError` if something is there, `InputError` for bad answers.
    """
    known = questions(template)
    given = {"name": target.name, **(answers or {})}
    for name in given:
        if name not in known:
            raise MissingError.named("question", name, known)
    _require_room(target)
    place = target.absolute().parent
    if not dry_run:
        place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".taxiway-new-", dir=None if dry_run else place) as new:
        made = Path(new) / "project"
        _render(TEMPLATES / template, made, given, ask=not defaults)
        files = sorted(path.relative_to(made) for path in made.rglob("*") if path.is_file())
        if not dry_run:
            start_history(made, home=target.absolute())
            os.replace(made, target)  # noqa: PTH105 - atomic, also onto an empty folder
    return files


def template_of(project: Path) -> tuple[str, str] | None:
    """(name, version) of the template that made a project; None if no template is known."""
    try:
        answers = yaml.safe_load((project / ANSWERS).read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return None
    if not isinstance(answers, dict):
        return None
    name, version = answers.get("_template"), answers.get("_template_version")
    return (name, version) if isinstance(name, str) and isinstance(version, str) else None


def template_version(project: Path) -> str | None:
    """The version of the template that made a project; None if no template is known."""
    template = template_of(project)
    return template[1] if template else None


def _require_room(target: Path) -> None:
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise ConflictError(f"{target} is there already, and it is no folder. Nothing was touched.")
    if target.is_dir() and any(target.iterdir()):
        there = shortened(", ".join(sorted(path.name for path in target.iterdir())), 80)
        raise ConflictError(
            f"{target} is not empty: {there}. Nothing was touched.",
            todo="Choose another name, or an empty folder.",
        )


def _render(template: Path, target: Path, answers: Mapping[str, str], *, ask: bool) -> None:
    """Fills the template in. Wrong answers are all found before one is complained about."""
    from copier import run_copy

    def copy(given: Mapping[str, Any], *, pretend: bool) -> None:
        run_copy(
            str(template),
            target,
            dict(given),
            defaults=pretend or not ask,
            pretend=pretend,
            quiet=True,
            skip_tasks=True,
        )

    problems: list[Problem] = []
    trial = dict(answers)
    while True:
        try:
            copy(trial, pretend=True)
            break
        except ValueError as error:
            found = re.search(r"question '(\w+)': (.*)", str(error), re.DOTALL)
            if found is None or found[1] not in trial:
                raise
            wrong = trial.pop(found[1])
            expected = " ".join(found[2].split()).removeprefix("expected ")
            problems.append(Problem(f"`{found[1]}` can't be used", repr(wrong), expected))
    if problems:
        raise InputError("The project can't be made with these answers.", problems)
    copy(answers, pretend=False)
