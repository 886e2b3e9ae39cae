"""What every part of a charter is made of: its base, and the types of its answers."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,62}$")]
Days = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,3}d$")]
"""A duration in days, such as `1d`."""
Duration = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,3}[hd]$")]
"""A duration in hours or days, such as `4h` or `2d`."""
Day = Annotated[date, Field(strict=False)]
"""A calendar day; documents hold it as text, such as 2027-06-30."""
YesOrNo = Annotated[bool, Field(strict=False)]
"""`true` or `false`; `yes` and `no` say the same."""


class Section(BaseModel):
    """A part of the charter: unknown keys are errors, and nothing changes after reading.

    Types are taken as they are written: a number in quotes is text, and `true` is not 1.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
