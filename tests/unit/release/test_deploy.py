"""What an endpoint elsewhere derives from: names, sizes, and what its image installs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from taxiway.core.facts import Release
from taxiway.release.deploy.image import constraints, dockerfile, imported, requirements
from taxiway.release.deploy.place import IMAGE, Asked, Place, name_of, problems_of

MakeFact = Callable[..., Any]

NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")


@pytest.mark.parametrize("model", ["churn", "a1", "ends-with-", "a" * 63, "b" + "-" * 60 + "c"])
def test_a_name_fits_everywhere_and_tells_models_and_environments_apart(model: str) -> None:
    names = {name_of(model, where) for where in ("dev", "qa", "prod")}
    names |= {name_of(f"{model[:-1]}x", "prod")}
    assert len(names) == 4
    for name in names:
        assert NAME.fullmatch(name)
        assert len(name) <= 40


@pytest.mark.parametrize(
    ("image", "good"),
    [
        ("flights", True),
        ("registry.example:5000/team/flight_delays", True),
        ("flights:latest", False),
        ("flights:5000/x", True),
        ("flights:5000", False),
        ("Flights", False),
        ("a//b", False),
        ("flights@sha256:0", False),
        ("", False),
        ("-flights", False),
        ("flights\nUSER root", False),
    ],
)
def test_an_image_has_a_name_and_no_tag(image: str, *, good: bool) -> None:
    assert (IMAGE.fullmatch(image) is not None) is good
    assert (problems_of(Asked(image)) == []) is good


def test_everything_that_cannot_be_asked_for_is_said() -> None:
    found = problems_of(Asked("No", port=80, workers=0, minimum=3, maximum=2))
    assert [one.where for one in found] == [
        "--image",
        "--port",
        "--workers",
        "--replicas",
    ]
    assert problems_of(Asked()) == []


def test_an_image_is_pinned_by_the_release_and_not_by_its_taxiway() -> None:
    lock = "# Python 3.11.7, linux-x86_64\nnumpy==2.3.0\ntaxiway==0.0.1\ntaxiway-extra==1\n"
    assert constraints(lock) == "numpy==2.3.0\ntaxiway-extra==1\n"


def test_what_code_imports_is_found_wherever_it_does_so() -> None:
    source = b"""
import json, polars as pl
from numpy.linalg import norm
from . import sibling
import helpers
def features(raw):
    import holidays.countries
    from sklearn.base import clone
"""
    assert imported([source], ["helpers", "model"]) == ["holidays", "sklearn"]


def place(asked: Asked, fact: MakeFact, *, wheels: bool = False) -> Place:
    return Place(
        name="churn-prod",
        model="churn",
        environment="prod",
        tier="low",
        owner="churn-engineer",
        release=fact(Release, "churn:3", number=3),
        taxiway="0.1.0",
        python="3.12",
        bundle="sha256:0123456789abcdef",
        asked=asked,
        wheels=wheels,
        memory_mb=256,
        start_seconds=30,
        log_gib=1,
    )


@pytest.mark.parametrize(
    ("original", "spans", "extras"),
    [
        (False, None, "serve"),
        (True, None, "serve,train"),
        (False, "http://collector:4318", "serve,otel"),
        (True, "http://collector:4318", "serve,train,otel"),
    ],
)
def test_what_fitted_the_model_is_installed_only_where_it_answers(
    fact: MakeFact, *, original: bool, spans: str | None, extras: str
) -> None:
    made = place(Asked(spans_to=spans), fact)
    found = requirements(made, {"holidays": "0.80"}, original=original)
    assert found == f"taxiway[{extras}]==0.1.0\nholidays==0.80\n"


def test_an_image_is_of_the_interpreter_of_the_release(fact: MakeFact) -> None:
    plain, wheels = (dockerfile(place(Asked(), fact, wheels=given)) for given in (False, True))
    assert "ARG BASE=python:3.12-slim\n" in plain
    assert "wheels" not in plain
    assert "COPY wheels ./wheels\n" in wheels
    assert "docker build --tag churn-prod:3-0123456789ab ." in plain
