"""Roles: a canary's share, and one release at the most for each role of an environment.

Revision: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

NOW = sa.text("until IS NULL AND role IN ('champion', 'canary', 'challenger')")
ONE = {
    "one_of_each_role": ["model", "environment", "role"],
    "one_role_each": ["model", "environment", "release"],
}
"""Index over the deployments that stand -> what no two of them share."""


def upgrade() -> None:
    """Adds the share, and replaces the rule for champions by one for every role."""
    op.add_column("deployment", sa.Column("share", sa.Integer(), nullable=True))
    op.drop_index("one_champion", "deployment")
    for name, columns in ONE.items():
        op.create_index(
            name, "deployment", columns, unique=True, sqlite_where=NOW, postgresql_where=NOW
        )


def downgrade() -> None:
    """A record is never taken back: an older taxiway must not write into it."""
    raise NotImplementedError("the record can't be downgraded; restore a backup")
