"""The model file: what it keeps to the bit, and what it refuses before anything is constructed."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lightgbm import LGBMClassifier
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC
from xgboost import XGBClassifier

from taxiway.core.errors import IntegrityError
from taxiway.release import model_file

ROWS = np.random.default_rng(0).normal(size=(300, 4))
LABELS = ROWS[:, 0] > 0

ESTIMATORS: list[Any] = [
    make_pipeline(StandardScaler(), LogisticRegression()),
    HistGradientBoostingClassifier(max_iter=5),
    RandomForestClassifier(5, random_state=0),
    GradientBoostingClassifier(n_estimators=5, random_state=0),
    CalibratedClassifierCV(LinearSVC(), method="sigmoid"),
    CalibratedClassifierCV(RandomForestClassifier(5, random_state=0), method="isotonic"),
    KNeighborsClassifier(),
    MLPClassifier((4,), max_iter=2000, random_state=0),
    XGBClassifier(n_estimators=5, n_jobs=1),
    LGBMClassifier(n_estimators=5, n_jobs=1, verbose=-1),
]


class Unknown(BaseEstimator):  # type: ignore[misc]
    """A class that no list knows."""


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_what_is_loaded_again_answers_to_the_same_bits(estimator: Any) -> None:
    fitted = estimator.fit(ROWS, LABELS)
    again = model_file.load(model_file.dump(fitted))
    assert np.array_equal(again.predict_proba(ROWS), fitted.predict_proba(ROWS))


def test_a_type_that_is_not_on_the_list_is_refused_when_packaging() -> None:
    with pytest.raises(IntegrityError, match=r"not on the allow-list: .*Unknown"):
        model_file.dump(Unknown())


def test_a_function_of_somewhere_is_refused() -> None:
    with pytest.raises(IntegrityError, match="not on the allow-list"):
        model_file.dump(FunctionTransformer(json.loads))


def test_a_crafted_file_is_refused_before_it_runs_anything(tmp_path: Path) -> None:
    """A file that says it is a harmless function, and names `os.system`."""
    touched = tmp_path / "touched"
    from skops.io import dumps

    content = dumps(FunctionTransformer(np.sqrt))
    crafted = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(crafted, "w") as after:
        for name in before.namelist():
            text = before.read(name)
            if name == "schema.json":
                text = text.replace(b'"sqrt"', b'"system"').replace(b'"numpy"', b'"os"')
            after.writestr(name, text)
    with pytest.raises(IntegrityError, match=r"os\.system"):
        model_file.load(crafted.getvalue())
    assert not touched.exists()


def rewritten(change: Any, *, compression: int = zipfile.ZIP_STORED) -> bytes:
    """A sound model file, written again by `change(archive, name, content)` entry by entry."""
    content = model_file.dump(LogisticRegression().fit(ROWS, LABELS))
    crafted = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as before,
        zipfile.ZipFile(crafted, "w", compression) as after,
    ):
        for name in before.namelist():
            change(after, name, before.read(name))
    return crafted.getvalue()


def add(name: str, content: bytes = b"", mode: int = 0) -> Any:
    """Beside what there is, one more entry."""

    def change(archive: zipfile.ZipFile, at: str, text: bytes) -> None:
        archive.writestr(at, text)
        if at == "schema.json":
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            archive.writestr(entry, content)

    return change


def array(shape: str, dtype: str = "<f8") -> bytes:
    """An array of 8 bytes whose header says something else."""
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + bytes(8)


def nothing(archive: zipfile.ZipFile, name: str, text: bytes) -> None:
    archive.writestr(name, text)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lambda: rewritten(add("../../etc/cron.d/x")), "leads elsewhere"),
        (lambda: rewritten(add("/etc/passwd")), "leads elsewhere"),
        (lambda: rewritten(add("..\\..\\x.npy")), "leads elsewhere"),
        (lambda: rewritten(add("9.npy", b"/etc/passwd", stat.S_IFLNK | 0o777)), "no plain file"),
        (lambda: rewritten(add("9.npy", mode=stat.S_IFIFO)), "no plain file"),
        (lambda: rewritten(nothing, compression=zipfile.ZIP_DEFLATED), "is packed"),
        (
            lambda: rewritten(add("9.bin", bytes(10_000_000)), compression=zipfile.ZIP_DEFLATED),
            "unpacks to 10,0.* bytes",
        ),
        (lambda: rewritten(add("9.npy", array("(1000000000000,)"))), "an array of another size"),
        (lambda: rewritten(add("9.npy", array("(1,)", "|O"))), "an array of objects"),
        (lambda: rewritten(add("9.npz", b"PK")), "is packed"),
    ],
    ids=[
        "zip slip",
        "absolute",
        "zip slip of Windows",
        "symlink",
        "pipe",
        "packed",
        "bomb",
        "array of terabytes",
        "array of objects",
        "archive in the archive",
    ],
)
def test_an_archive_that_skops_did_not_write_is_refused_before_it_is_read(
    content: Any, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    crafted = content()
    monkeypatch.setattr("skops.io.loads", None)
    monkeypatch.setattr("skops.io.get_untrusted_types", None)  # nobody gets that far
    with pytest.raises(IntegrityError, match=said):
        model_file.load(crafted)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_entry_that_is_there_twice_is_refused() -> None:
    with pytest.raises(IntegrityError, match="entries of the same name"):
        model_file.load(rewritten(add("schema.json", b"{}")))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no zip at all",
        b"PK\x03\x04 cut off",
        b"\x80\x04\x95\x1a\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
    ],
    ids=["empty", "text", "cut zip", "pickle"],
)
def test_what_is_no_model_file_is_refused(content: bytes) -> None:
    with pytest.raises(IntegrityError, match=r"model\.skops can't be read"):
        model_file.load(content)
