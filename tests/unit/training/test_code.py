import subprocess
from pathlib import Path

import pytest

from taxiway.core.errors import InputError
from taxiway.training.code import Code, commit_of, guarded, load_code, read_code


def test_the_digest_follows_the_bytes(tmp_path: Path, code: Code) -> None:
    (tmp_path / "model.py").write_bytes(code.files["model.py"])
    assert read_code(tmp_path, "model.py").digest == code.digest
    (tmp_path / "model.py").write_bytes(code.files["model.py"] + b"\n")
    assert read_code(tmp_path, "model.py").digest != code.digest


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def features(frame):\n  return (\n", r"model\.py:2"),
        ("import no_such_package\n", "No module named 'no_such_package'"),
        ("1/0\n", "ZeroDivisionError"),
        ("def feature(frame): ...\ndef estimator(seed): ...\n", "Did you mean 'feature'"),
        ("features = 3\n", "no function 'estimator'"),
    ],
)
def test_code_that_can_not_serve_is_explained(source: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_code(Code({"model.py": source.encode()}, "model.py"))


def test_missing_and_huge_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_code(tmp_path, "model.py")
    (tmp_path / "model.py").write_bytes(b"#" * 1_000_001)
    with pytest.raises(InputError, match="1,000,001 bytes"):
        read_code(tmp_path, "model.py")


def test_an_error_in_the_users_function_names_their_line() -> None:
    source = b"def features(frame):\n    return frame['nope']\ndef estimator(seed): ...\n"
    code = Code({"model.py": source}, "model.py")
    functions = load_code(code)
    with pytest.raises(InputError, match=r"model.py:2 in features"):
        guarded(code, "features", functions.features, {})


def test_commit_and_changes_come_from_git(tmp_path: Path, code: Code) -> None:
    assert commit_of(tmp_path, code.files) == (None, True)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    (tmp_path / "model.py").write_bytes(code.files["model.py"])
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "model"], check=True)
    commit, dirty = commit_of(tmp_path, code.files)
    assert commit is not None
    assert len(commit) == 40
    assert not dirty
    (tmp_path / "model.py").write_text("changed")
    assert commit_of(tmp_path, code.files) == (commit, True)
