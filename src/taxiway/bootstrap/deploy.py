"""Wires rendering: what an endpoint needs is gathered, sealed, and written into one folder."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxiway import config
from taxiway.adapters import sealed
from taxiway.bootstrap import artefacts
from taxiway.bootstrap.flight import charter_of
from taxiway.bootstrap.serving import champion_of
from taxiway.core import evidence as kinds
from taxiway.core.digest import PREFIX, canonical_json, digest_bytes
from taxiway.core.errors import ConflictError, InputError, Problem, TaxiwayError
from taxiway.core.evidence import FEATURE_VIEW, Evidence
from taxiway.core.facts import Consumer, Deployment, Model, Release
from taxiway.core.people import Person
from taxiway.release.deploy import image
from taxiway.release.deploy.place import Asked, Measured, Place, place_of, problems_of, python_of

if TYPE_CHECKING:
    from taxiway.bootstrap.workspace import Workspace
    from taxiway.release.manifest import Inspection

PARTS = ("docker", "kubernetes", "compose")
LIST = "rendered.json"
"""What was rendered, for machines; it also tells a rendering's folder from any other."""

Files = dict[str, bytes]


def render(
    workspace: Workspace,
    model: Model,
    environment: str,
    to: Path,
    *,
    asked: Asked,
    only: Collection[str] = (),
    wheels: Sequence[Path] = (),
    overwrite: bool = False,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Writes what runs the champion of an environment elsewhere; answers what it is.

    Raises `InputError` with everything that is wrong with what was asked for, and what else is
    raised where nothing runs in the environment, or the release is not what was signed.
    """
    problems = [*problems_of(asked), *_problems_of_wheels(wheels)]
    try:
        release = champion_of(workspace, model.id, environment)
        found = _sound(workspace, model, environment)
    except TaxiwayError as error:
        if not problems:
            raise
        problems.append(Problem(error.headline, todo=error.todo))
        raise InputError("No endpoint can be rendered so.", problems) from error
    if problems:
        raise InputError("No endpoint can be rendered so.", problems)
    bundle = _bundle(workspace, model, environment, found)
    lock = found[release.id].files["requirements.lock"].decode()
    place = place_of(
        model,
        charter_of(workspace, model),
        release,
        environment=environment,
        taxiway=importlib.metadata.version("taxiway"),
        python=python_of(lock) or "3.11",
        bundle=digest_bytes(bundle[f"{config.STORE}/{sealed.FILE}"]),
        measured=_measured(workspace, release),
        asked=asked,
        wheels=bool(wheels),
    )
    files: Files = {}
    parts = [part for part in PARTS if not only or part in only]
    if "docker" in parts:
        files |= _docker(place, list(found.values()), lock, wheels)
        files |= {f"bundle/{name}": content for name, content in bundle.items()}
    if "kubernetes" in parts:
        from taxiway.release.deploy.kubernetes import manifests

        for name, document in manifests(place).items():
            files[f"kubernetes/{name}.yaml"] = _yaml(place, document)
    if "compose" in parts:
        from taxiway.release.deploy.compose import compose

        files["compose.yaml"] = _yaml(place, compose(place))
    about = {
        "protocol": 1,
        "model": model.id,
        "environment": environment,
        "release": release.id,
        "release_digest": release.digest,
        "bundle_digest": place.bundle,
        "image": place.image,
        "name": place.name,
        "secret": place.secret,
        "parts": parts,
        "files": {name: digest_bytes(content) for name, content in sorted(files.items())},
    }
    files[LIST] = canonical_json(about) + b"\n"
    _require_room(to, overwrite=overwrite)
    if not dry_run:
        _write(to, files)
    return about | {"to": str(to), "bytes": sum(len(content) for content in files.values())}


def _sound(workspace: Workspace, model: Model, environment: str) -> dict[str, Inspection]:
    """Every release that has a role in the environment now, verified just now."""
    from taxiway.release.manifest import require_sound

    found = {}
    for deployment in _standing(workspace, model, environment):
        release = workspace.find_release(deployment.release)
        found[release.id] = artefacts.inspect(workspace, release)
        require_sound(release, found[release.id])
    return found


def _standing(workspace: Workspace, model: Model, environment: str) -> list[Deployment]:
    return workspace.record.find(Deployment, model=model.id, environment=environment, until=None)


def _bundle(
    workspace: Workspace, model: Model, environment: str, found: Mapping[str, Inspection]
) -> Files:
    """A workspace with nothing but what an endpoint reads: its facts, sealed, and its objects."""
    record = workspace.record
    releases = [record.get(Release, name) for name in found]
    authors = [record.get(Person, name) for name in dict.fromkeys(r.author for r in releases)]
    facts = [
        dataclasses.replace(model, project=""),  # where it lay is nobody's business elsewhere
        *authors,
        *releases,
        *_standing(workspace, model, environment),
        *record.find(Consumer, model=model.id, state="active"),
        *_features(workspace, releases),
    ]
    digests = {model.charter_digest, *(release.digest for release in releases)}
    for inspection in found.values():
        digests |= set(inspection.manifest["files"].values())
    objects = {_place_of(digest): workspace.objects.get(digest) for digest in sorted(digests)}
    text = f'taxiway = {config.PROTOCOL}\nname = "{model.id}"\n'
    return {
        config.FILE: text.encode(),
        f"{config.STORE}/{sealed.FILE}": sealed.seal(facts),
        **{f"{config.STORE}/objects/{name}": content for name, content in objects.items()},
    }


def _features(workspace: Workspace, releases: Sequence[Release]) -> list[Evidence]:
    """What says how the features of releases are looked up."""
    from taxiway.data.features.registry import joined_with

    record = workspace.record
    snapshots = dict.fromkeys(release.snapshot for release in releases)
    joined = [one for s in snapshots if (one := joined_with(record, s)) is not None]
    views = dict.fromkeys(view for one in joined for view in one.digests)
    return [
        *joined,
        *(one for v in views for one in record.find(Evidence, subject=v, kind=FEATURE_VIEW)),
    ]


def _place_of(digest: str) -> str:
    """Where an object lies in the folder of objects."""
    name = digest.removeprefix(PREFIX)
    return f"{name[:2]}/{name[2:]}"


def _measured(workspace: Workspace, release: Release) -> Measured:
    """What the newest rehearsal of a release measured."""
    found = workspace.record.find(Evidence, kind=kinds.REHEARSAL, subject=release.id)
    if not found:
        return Measured()
    return Measured(found[-1].found["memory_mb"], found[-1].found["cold_start_s"])


def _docker(place: Place, found: Sequence[Inspection], lock: str, wheels: Sequence[Path]) -> Files:
    from taxiway.release.compile import ORIGINAL

    others: dict[str, str] = {}
    for inspection in found:
        others |= _others(inspection, lock)
    original = any(one.manifest.get("engine", ORIGINAL) == ORIGINAL for one in found)
    header = _header(place)
    return {
        "Dockerfile": (header + image.dockerfile(place)).encode(),
        image.REQUIREMENTS: (
            header + image.requirements(place, others, original=original)
        ).encode(),
        image.CONSTRAINTS: (header + image.constraints(lock)).encode(),
        ".dockerignore": b"kubernetes\ncompose.yaml\nrendered.json\n",
        **{f"wheels/{wheel.name}": wheel.read_bytes() for wheel in wheels},
    }


def _others(inspection: Inspection, lock: str) -> dict[str, str]:
    """Distribution -> version of what the model's own code needs beyond the extra.

    `lock` is the champion's: what stands beside it in one image has the same versions.
    """
    from taxiway.release.artefact import CODE
    from taxiway.release.compile import ORIGINAL
    from taxiway.training.lean import only_features

    manifest = inspection.manifest
    engine, main = manifest.get("engine", ORIGINAL), manifest["code_main"]
    code = {n.removeprefix(CODE): c for n, c in inspection.files.items() if n.startswith(CODE)}
    lean = only_features(code[main]) if engine != ORIGINAL else None
    sources = [source for name, source in code.items() if name.endswith(".py") and name != main]
    own = [name.partition("/")[0].removesuffix(".py") for name in code]
    pins, provides = image.pinned(lock), importlib.metadata.packages_distributions()
    wanted = []
    for module in image.imported([lean or code[main], *sources], own):
        names = [name.lower().replace("_", "-") for name in provides.get(module, [module])]
        wanted.append(next((name for name in names if name in pins), module))
    unknown = [name for name in wanted if name not in pins]
    if unknown:
        raise InputError(
            f"The model's code imports what its lock does not name: {', '.join(unknown)}.",
            todo="Install it as a package where the model is trained, and train again.",
        )
    return {name: pins[name] for name in dict.fromkeys(wanted)}


def _problems_of_wheels(wheels: Sequence[Path]) -> list[Problem]:
    return [
        Problem("there is no such wheel", where="--wheel", found=str(wheel), expected="a .whl file")
        for wheel in wheels
        if wheel.suffix != ".whl" or not wheel.is_file()
    ]


def _header(place: Place) -> str:
    return (
        f"# Made by taxiway {place.taxiway} from {place.release.id} in {place.environment}:\n"
        f"#   taxiway deploy render {place.model} --env {place.environment}\n"
        f"# release {place.release.digest}\n"
        f"# bundle  {place.bundle}\n"
        "# The same release gives the same bytes. Render it again instead of editing it.\n"
    )


def _yaml(place: Place, document: Mapping[str, Any]) -> bytes:
    import yaml

    text: str = yaml.safe_dump(dict(document), sort_keys=False, width=100, allow_unicode=True)
    return (_header(place) + text).encode()


def _require_room(to: Path, *, overwrite: bool) -> None:
    """Raises `ConflictError` if something is there that no rendering made, or that was edited."""
    if to.exists() and not to.is_dir():
        raise ConflictError(f"{to} is no folder.", todo="Choose another one with --to.")
    there = {
        path.relative_to(to).as_posix(): path
        for path in (to.rglob("*") if to.is_dir() else ())
        if path.is_file() or path.is_symlink()
    }
    if not there or (overwrite and LIST in there):
        return
    try:
        made: dict[str, str] = json.loads(there.pop(LIST).read_bytes())["files"]
        same = {name for name, digest in made.items() if name in there and _is(there[name], digest)}
    except (KeyError, ValueError, TypeError, AttributeError):
        raise ConflictError(
            f"{to} holds files, and no rendering made them.",
            todo="Choose a folder that is not there yet, or is empty.",
        ) from None
    foreign = sorted(there.keys() - same)
    if foreign:
        raise ConflictError(
            f"{to} holds {len(foreign)} files that were added or edited since it was rendered.",
            [Problem(name) for name in foreign],
            todo="Keep changes in an overlay outside of it; --overwrite drops them.",
        )


def _is(path: Path, digest: str) -> bool:
    return not path.is_symlink() and digest_bytes(path.read_bytes()) == digest


def _write(to: Path, files: Files) -> None:
    """The folder holds all of this and nothing else, or what it held before."""
    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".rendering-", dir=to.parent) as scratch:
        made = Path(scratch) / "made"
        for name, content in files.items():
            path = made / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        for path in (made, *made.rglob("*")):
            # Whatever the umask here, the user of the container has to be able to read it.
            path.chmod(0o755 if path.is_dir() else 0o644)
        if to.is_dir():
            shutil.move(to, Path(scratch) / "before")
        os.replace(made, to)  # noqa: PTH105 - of two folders
