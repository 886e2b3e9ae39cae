"""Sources: tables in files, and what adapters open, read lazily and in batches.

A file is told by its first bytes, not by its name: CSV with any usual delimiter, Parquet, Arrow;
one that is packed or in another encoding is read from a plain copy of it; a folder or a pattern is
the files in it, in the order of their names. Text stays text, so that "001" is still "001" when the
contract is held against it. What can't be a source at all (no file, no rows, broken bytes) is an
`InputError` here; what is wrong with single rows is for `validation`.
"""

from taxiway.data.source.opening import open_source
from taxiway.data.source.record import (
    NULLS,
    Fingerprint,
    Source,
    fingerprint,
    require_unchanged,
)
from taxiway.data.source.rows import ROW, WIDE, batches, raw_frame, read_source, reading, typed
from taxiway.data.source.widths import rows_of_other_width

__all__ = [
    "NULLS",
    "ROW",
    "WIDE",
    "Fingerprint",
    "Source",
    "batches",
    "fingerprint",
    "open_source",
    "raw_frame",
    "read_source",
    "reading",
    "require_unchanged",
    "rows_of_other_width",
    "typed",
]
