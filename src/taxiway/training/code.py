"""The user's code: plain functions in `model.py`, read once and digested before they run.

`features(frame)` maps a polars frame of contract columns to the model's columns, row by row;
`estimator(seed)` makes an unfitted estimator with scikit-learn's interface. The same bytes that
were digested are the ones that are executed, in training and wherever the release runs.
"""

from __future__ import annotations

import subprocess
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from taxiway.core.digest import digest_bytes, digest_of
from taxiway.core.errors import InputError, Problem, close_match

FUNCTIONS = ("features", "estimator")
MAXIMUM_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Code:
    """The files of a model's code, by name, and their digest."""

    files: Mapping[str, bytes]
    main: str

    @property
    def digests(self) -> dict[str, str]:
        return {name: digest_bytes(content) for name, content in sorted(self.files.items())}

    @property
    def digest(self) -> str:
        return digest_of(self.digests)


@dataclass(frozen=True, slots=True)
class Functions:
    """What `model.py` defines."""

    features: Callable[[Any], Any]
    estimator: Callable[[int], Any]


def read_code(project: Path, main: str) -> Code:
    """The code of a project. Raises `InputError` if the file is not there or too large."""
    path = project / main
    if not path.is_file():
        raise InputError(
            f"The charter's training.code names {main}, and there is no such file in {project}.",
            todo="Put the functions `features` and `estimator` there; see the template's model.py.",
        )
    content = path.read_bytes()
    if len(content) > MAXIMUM_BYTES:
        raise InputError(
            f"{main} has {len(content):,} bytes; a model's code has at most 1,000,000."
        )
    return Code({main: content}, main)


def load_code(code: Code) -> Functions:
    """Executes the code and takes its two functions.

    Only call it with code that is the user's own, or whose digest and signature were verified.
    """
    module = _executed(code)
    missing = [name for name in FUNCTIONS if not callable(getattr(module, name, None))]
    if missing:
        raise _incomplete(code, module, missing)
    return Functions(module.features, module.estimator)


def load_features(code: Code) -> Callable[[Any], Any]:
    """Executes code that was verified, and takes `features` alone."""
    features: Callable[[Any], Any] = _executed(code).features
    return features


def _executed(code: Code) -> Any:
    module = types.ModuleType("taxiway_model")
    module.__file__ = code.main
    # Found by its name, so that an estimator's own classes and functions can be looked up again.
    sys.modules[module.__name__] = module
    try:
        exec(compile(code.files[code.main], code.main, "exec"), module.__dict__)  # noqa: S102 - running the user's model is the point
    except Exception as error:
        raise InputError(
            f"{code.main} can't be run: {type(error).__name__}: {error}",
            [Problem(where, todo=None) for where in _frames_in(error, code.main)],
        ) from error
    return module


def _incomplete(code: Code, module: Any, missing: list[str]) -> InputError:
    defined = [n for n, v in vars(module).items() if isinstance(v, types.FunctionType)]
    return InputError(
        f"{code.main} does not define what a model needs.",
        [
            Problem(
                f"there is no function {name!r}",
                found=", ".join(defined) or "no function",
                expected=f"def {name}(...)",
                todo=f"Did you mean {match!r}?" if (match := close_match(name, defined)) else "",
            )
            for name in missing
        ],
    )


def _frames_in(error: BaseException, name: str) -> list[str]:
    """The lines of the user's file on an error's way, innermost last."""
    if isinstance(error, SyntaxError):
        return [f"{name}:{error.lineno}: {(error.text or '').strip()}"]
    lines, trace = [], error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == name:
            lines.append(f"{name}:{trace.tb_lineno} in {trace.tb_frame.f_code.co_name}")
        trace = trace.tb_next
    return lines


def guarded(code: Code, what: str, call: Callable[..., Any], *arguments: Any) -> Any:
    """Calls the user's function; its exception becomes an `InputError` that names their line."""
    try:
        return call(*arguments)
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"{what} in {code.main} failed: {type(error).__name__}: {error}",
            [Problem(line) for line in _frames_in(error, code.main)],
        ) from error


def commit_of(project: Path, files: Mapping[str, bytes]) -> tuple[str | None, bool]:
    """The git commit that the project is at, and whether the named files differ from it.

    Without git, or outside a repository, there is no commit, and everything counts as changed.
    """

    def git(*arguments: str) -> str | None:
        done = subprocess.run(
            ["git", "-C", str(project), *arguments], capture_output=True, text=True, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else None

    try:
        commit = git("rev-parse", "HEAD")
        changed = git("status", "--porcelain", "--", *files, "taxiway.yaml", "contracts")
    except FileNotFoundError:
        return None, True
    return commit, commit is None or changed is None or bool(changed)
