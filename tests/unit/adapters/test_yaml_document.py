"""YAML documents: data, lines, and files that can't be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from taxiway.adapters.yaml_document import MAXIMUM_BYTES, read_document
from taxiway.core.document import Document
from taxiway.core.errors import InputError


def read(folder: Path, content: str | bytes) -> Document:
    path = folder / "plan.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_document(path)


def test_data_and_lines(tmp_path: Path) -> None:
    document = read(tmp_path, "# a plan\nname: churn\nowners:\n  - role: owner\n    days: 3\n")
    assert document.data == {"name": "churn", "owners": [{"role": "owner", "days": 3}]}
    assert document.name == "plan.yaml"
    assert document.lines[("name",)] == 2
    assert document.lines[("owners", 0, "days")] == 5


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # The core schema of YAML 1.2, section 10.3.2 of its specification.
        ("true", True),
        ("no", "no"),
        ("NO", "NO"),
        ("on", "on"),
        ("~", None),
        ("", None),
        ("'7'", "7"),
        ("-7", -7),
        ("007", "007"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("2013-01-01", "2013-01-01"),
        ("10:30", "10:30"),
        ("1_000", "1_000"),
        (".nan", ".nan"),
        ("9" * 200, "9" * 200),
    ],
)
def test_scalars(tmp_path: Path, text: str, value: object) -> None:
    found = read(tmp_path, f"key: {text}\n").data["key"]
    assert found == value
    assert type(found) is type(value)


def test_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    assert read(tmp_path, b"\xef\xbb\xbfname: churn\n").data == {"name": "churn"}


def test_alias_is_written_out(tmp_path: Path) -> None:
    assert read(tmp_path, "a: &x [1]\nb: *x\n").data == {"a": [1], "b": [1]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("# only a comment\n", "is empty"),
        ("a: [1\nb: 2\n", r"plan.yaml:2: while parsing a flow sequence"),
        ("a:\n\t- b\n", r"plan.yaml:2: .*cannot start any token"),
        ("a: 1\n---\nb: 2\n", r"plan.yaml:2: .*another document"),
        ("a: *nobody\n", r"plan.yaml:1: found undefined alias"),
        ("a: \x00\n", "special characters are not allowed"),
        ("a: 1\nb: 2\na: 3\n", r"plan.yaml:3: `a` is there twice, first in line 1"),
        ("a: 1\n? [x]\n: 2\n", r"plan.yaml:2: a key has to be plain text"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", r"plan.yaml:3: a key has to be plain text"),
        ("a: !!python/object:os.system x\n", r"plan.yaml:1: the tag .*os.system is not read here"),
        ("a: !!int x\n", r"plan.yaml:1: the tag .*int is not read here"),
        (b"a: 1\nb: \xff\n", r"plan.yaml:2: the text is not UTF-8; found byte 0xff"),
        ("[" * 5000, "nested too deeply"),
        ("a: &x [*x]\n", "too large"),
        ("x" * (MAXIMUM_BYTES + 1), "larger than 1 MB"),
    ],
)
def test_what_is_no_document(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, content)


def test_aliases_that_would_fill_the_memory(tmp_path: Path) -> None:
    # Ten levels of ten: ten billion values from some 400 bytes.
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    with pytest.raises(InputError, match="more than 50000 values"):
        read(tmp_path, "\n".join(lines))


def test_all_problems_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't be read") as caught:
        read(tmp_path, "a: 1\na: 2\nb: !!set {x}\nb: 3\n")
    assert len(caught.value.problems) >= 2


def test_no_file_and_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file"):
        read_document(tmp_path / "absent.yaml")
    with pytest.raises(InputError, match="is a folder"):
        read_document(tmp_path)
