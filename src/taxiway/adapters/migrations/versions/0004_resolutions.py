"""Resolutions: what people decided about columns that do not say the same.

Revision: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

NEEDED = "id model finding content decision says tables reason person at signature"


def upgrade() -> None:
    """Adds the table of resolutions, whose rows never change."""
    op.create_table(
        "resolution",
        *(sa.Column(n, sa.Text(), primary_key=n == "id", nullable=False) for n in NEEDED.split()),
        sa.Column("mapping", sa.Text(), nullable=True),
    )
    op.create_index("resolution_by_model", "resolution", ["model"])
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER resolution_no_{verb.lower()} BEFORE {verb} ON resolution"
            " BEGIN SELECT RAISE(ABORT, 'rows of resolution never change'); END"
        )
    # INSERT OR REPLACE deletes without asking the trigger above. The text is SQLite's own.
    op.execute(
        "CREATE TRIGGER resolution_no_other_id BEFORE INSERT ON resolution"
        " WHEN EXISTS (SELECT 1 FROM resolution WHERE id = NEW.id)"
        " BEGIN SELECT RAISE(ABORT, 'UNIQUE constraint failed: resolution.id'); END"
    )


def downgrade() -> None:
    """A record is never taken back: an older taxiway must not write into it."""
    raise NotImplementedError("the record can't be downgraded; restore a backup")
