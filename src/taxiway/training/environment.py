"""The environment a run happened in: interpreter, platform, and every installed distribution."""

from __future__ import annotations

import importlib.metadata
import platform
from dataclasses import dataclass

from taxiway.core.digest import digest_of


@dataclass(frozen=True, slots=True)
class Environment:
    """What was installed, so that it can be installed again."""

    python: str
    platform: str
    distributions: tuple[tuple[str, str], ...]

    @property
    def digest(self) -> str:
        return digest_of(self)

    def lock(self) -> str:
        """The distributions as pinned requirements, one a line."""
        pins = "".join(f"{name}=={version}\n" for name, version in self.distributions)
        return f"# Python {self.python}, {self.platform}\n{pins}"

    def bill_of_materials(self, model: str) -> dict[str, object]:
        """A CycloneDX 1.6 bill of materials of the distributions (ECMA-424)."""
        return {
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "version": 1,
            "metadata": {"component": {"type": "machine-learning-model", "name": model}},
            "components": [
                {
                    "type": "library",
                    "name": name,
                    "version": version,
                    "purl": f"pkg:pypi/{name}@{version}",
                }
                for name, version in self.distributions
            ],
        }


def environment() -> Environment:
    """The environment of this process."""
    found = {
        (d.metadata["Name"].lower().replace("_", "-").replace(".", "-"), d.version)
        for d in importlib.metadata.distributions()
        if d.metadata["Name"]
    }
    return Environment(
        platform.python_version(),
        f"{platform.system().lower()}-{platform.machine()}",
        tuple(sorted(found)),
    )
