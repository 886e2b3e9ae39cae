"""The object store that tests run against: it answers, and it knows who may do what."""

from __future__ import annotations

from typing import Any

import obstore
import pytest
from obstore.exceptions import PermissionDeniedError
from obstore.store import S3Store


def test_rights_are_real(object_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stores = {}
    for who in ("admin", "reader"):
        for name, value in object_store.variables(who).items():
            monkeypatch.setenv(name, value)
        stores[who] = S3Store("shared")
    stores["admin"].put("rights/one", b"content")
    assert bytes(stores["reader"].get("rights/one").bytes()) == b"content"
    assert [one["path"] for page in stores["reader"].list("rights") for one in page] == [
        "rights/one"
    ]
    with pytest.raises(PermissionDeniedError, match="Access Denied"):
        obstore.put(stores["reader"], "rights/two", b"content")
