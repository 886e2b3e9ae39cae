"""The decision log: what `append` has returned from is on disk.

Each writer appends to a segment of its own, a SQLite file in `decisions/open`. A segment that is
full or old is closed: its decisions move into Parquet files, by model, environment and day, in
`decisions/closed`. `decisions.db` holds the outcomes and says what is closed. Readers see it all as
one (docs/adr/0013-a-segment-for-each-writer.md).
"""

from taxiway.adapters.decisions.catalogue import PROTOCOL
from taxiway.adapters.decisions.log import DecisionLog
from taxiway.adapters.decisions.outcomes import conflicting

__all__ = ["PROTOCOL", "DecisionLog", "conflicting"]
