"""Writes the reference pages again, each from the code that it describes: `make docs`.

Tests compare the pages on disk with what the code gives, so that none goes out of date.
"""

from __future__ import annotations

from pathlib import Path

from taxiway.charter.reference import page as charter_page
from taxiway.cli.reference import page as cli_page
from taxiway.governance.reference import reference_page as checks_page

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"
PAGES = {"cli.md": cli_page, "charter.md": charter_page, "checks.md": checks_page}


def main() -> None:
    """Writes every page, and says which one changed."""
    for name, render in PAGES.items():
        file, text = FOLDER / name, render()
        before = file.read_text("utf-8") if file.exists() else None
        file.write_text(text, encoding="utf-8")
        print(f"docs/reference/{name}: {'as it was' if text == before else 'written'}")


if __name__ == "__main__":
    main()
