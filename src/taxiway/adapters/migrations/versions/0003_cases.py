"""Cases: what people made of the answers that they decide on.

Revision: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

NEEDED = "id model environment release because proposed opened_at due state"
LATER = (
    "taken_by taken_at taken_signature decided_by decided_at reason signature"  # once it was moved
)


def upgrade() -> None:
    """Adds the table of reviews."""
    op.create_table(
        "review",
        *(sa.Column(n, sa.Text(), primary_key=n == "id", nullable=False) for n in NEEDED.split()),
        *(sa.Column(name, sa.Text(), nullable=True) for name in LATER.split()),
    )
    op.create_index("review_by_model", "review", ["model"])


def downgrade() -> None:
    """A record is never taken back: an older taxiway must not write into it."""
    raise NotImplementedError("the record can't be downgraded; restore a backup")
