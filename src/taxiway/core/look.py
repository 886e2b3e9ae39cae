"""How a file looks from outside: enough to tell that it was not written to since it was read.

As git does it: size, times, and the file's number on its file system. Writing to a file sets its
time of change, and no program can set that back; but a clock ticks, and two writes within a tick
look the same. So what was read within a tick of the last change is not believed later.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

TICK_NS = 50_000_000
"""Longer than the tick of a file system that keeps times finer than seconds."""
COARSE_TICK_NS = 2_100_000_000
"""Longer than that of any other; FAT counts in two seconds."""
SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Look:
    """What `stat` tells of a file's content."""

    bytes: int
    modified_ns: int
    changed_ns: int
    inode: int
    device: int

    @classmethod
    def of(cls, about: os.stat_result) -> Look:
        return cls(about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino, about.st_dev)

    def settled(self, at_ns: int) -> bool:
        """Whether a change after `at_ns`, when reading began, can't look like this.

        >>> Look(1, 5, 1_000_000_005, 1, 1).settled(1_040_000_000)
        False
        >>> Look(1, 5, 1_000_000_005, 1, 1).settled(1_060_000_000)
        True
        """
        coarse = self.modified_ns % SECOND_NS == 0 and self.changed_ns % SECOND_NS == 0
        tick = COARSE_TICK_NS if coarse else TICK_NS
        return max(self.modified_ns, self.changed_ns) + tick < at_ns
