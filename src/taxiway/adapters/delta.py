"""Delta Lake tables in folders: one version read in one order, and a batch written as one version.

https://github.com/delta-io/delta/blob/master/PROTOCOL.md
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError

from taxiway.core.digest import digest_of
from taxiway.core.errors import InputError, MissingError, StoreError, shortened


class Pinned(DeltaTable):
    """One version of a table, whose files come in the order of their names.

    The log lists files in another order once it has a checkpoint; rows are numbered, and a row has
    to keep its number.
    """

    def file_uris(self, *given: Any, **named: Any) -> list[str]:
        return sorted(super().file_uris(*given, **named))

    @property
    def digest(self) -> str:
        """Of what the version holds: its files never change."""
        files = [Path(uri).name for uri in self.file_uris()]
        deleted = pl.DataFrame(self.deletion_vectors())
        kept = {
            Path(path).name: sum(mask)
            for path, mask in deleted.select("filepath", "selection_vector").iter_rows()
        }
        return digest_of(["delta", self.metadata().id, self.version(), files, kept])

    def rows(self) -> pl.LazyFrame:
        """Its rows, in the order of the files."""
        return pl.scan_delta(self)


def pinned(
    folder: Path | str,
    version: int | None = None,
    *,
    storage_options: dict[str, str] | None = None,
) -> Pinned:
    """A version of the table in a folder or an object store; the newest, if none is named.

    Raises `MissingError` if that version is gone, `InputError` for a table that can't be read.
    """
    try:
        place = folder if isinstance(folder, str) else str(folder.absolute())
        return Pinned(place, version=version, storage_options=storage_options)
    except (DeltaError, OSError, ValueError) as error:
        if version is not None:
            raise MissingError(
                f"{folder} has no version {version}: {_first_line(error)}.",
                todo="Its log was cleaned up, or it is another table now. To begin anew with the"
                " newest version, remove the note .OUT.begun beside OUT.",
            ) from None
        raise InputError(f"{folder} is no Delta table: {_first_line(error)}.") from None


def write(rows: pl.LazyFrame, folder: Path) -> None:
    """Rows as the next version of the table in a folder, or as the first one of a new table.

    It is one commit: whoever reads sees the version before, or all of the new one. Memory does not
    grow with the rows.
    """
    stream = rows.collect_batches(chunk_size=65_536, maintain_order=True, lazy=True)
    try:
        write_deltalake(str(folder), stream, mode="overwrite", schema_mode="overwrite")
    except (DeltaError, OSError) as error:
        raise StoreError(
            f"{folder} can't be written: {_first_line(error)}.",
            todo="Check the disk's space and the folder's permissions; no version was added.",
        ) from error


def _first_line(error: Exception) -> str:
    return shortened(str(error).strip().partition("\n")[0].rstrip("."))
