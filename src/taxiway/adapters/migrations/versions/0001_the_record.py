"""The record: a table for each fact, the ledger, and the rules that the database keeps itself.

Revision: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# Column: what it holds. `?` marks one that can be empty.
TABLES = {
    "person": "id roles:json public_key added_at removed_at?",
    "model": "id kind tier charter_digest project owners:json at by",
    "developed": "id model person at",
    "snapshot": "id model contract_digest data_digest profile_digest source rows:int first_time?"
    " last_time? at by",
    "run": "id model snapshot code_digest environment_digest seed:int parameters:json state by"
    " started_at finished_at? metrics:json? release? error?",
    "release": "id model number:int digest run snapshot data_digest charter_digest contract_digest"
    " author signature at",
    "deployment": "id model environment role release release_digest evidence_digest sign_offs:json"
    " replaces? how since by until?",
    "consumer": "id model purpose key_digest requests_per_minute:int expires_at state added_at by"
    " revoked_at?",
    "sign_off": "id check release model person line:int model_digest data_digest evidence_digest"
    " reason at signature",
    "deviation": "id check release model reason risk until state asked_by asked_at decided_by?"
    " decided_at? signature?",
    "handoff": "id model stage subject summary due state offered_by offered_at answered_by?"
    " answered_at? reason?",
    "evidence": "id kind subject model environment? examined:int found:json required:json"
    " digests:json content at by",
    "finding": "id model release environment kind subject severity window_start window_end what"
    " found:json required:json at",
    "alert": "id finding model environment owner person state at answered_by? answered_at?"
    " proposal?",
    "proposal": "id model environment champion reason alerts:json state at by challenger?"
    " comparison? decided_by? decided_at? decision? signature?",
}
LEDGER = (
    "at",
    "actor",
    "action",
    "subject",
    "model",
    "digest",
    "details",
    "previous",
    "hash",
    "signature",
    "facts",
)
IMMUTABLE = {
    "snapshot": ("id",),
    "release": ("id", "model, number"),
    "sign_off": ("id",),
    "evidence": ("id",),
    "finding": ("id",),
    "developed": ("id",),
    "ledger": ("seq",),
}
"""Table whose rows never change: what no two of its rows share."""
INDEXES = {
    "evidence": ("subject", "kind"),
    "deployment": ("model", "environment"),
    "sign_off": ("release",),
    "release": ("model",),
    "snapshot": ("model",),
}
TYPES = {"int": sa.Integer, "json": sa.Text}


def _column(text: str) -> sa.Column:  # type: ignore[type-arg]
    nullable = text.endswith("?")
    name, _, kind = text.removesuffix("?").partition(":")
    return sa.Column(name, TYPES.get(kind, sa.Text)(), primary_key=name == "id", nullable=nullable)


def upgrade() -> None:
    """Creates everything."""
    for table, columns in TABLES.items():
        op.create_table(table, *(_column(column) for column in columns.split()))
    for table, names in INDEXES.items():
        op.create_index(f"{table}_by_{'_'.join(names)}", table, list(names))
    op.create_table(
        "ledger",
        sa.Column("seq", sa.Integer(), primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text(), nullable=name == "model") for name in LEDGER),
    )
    op.create_index("release_number", "release", ["model", "number"], unique=True)
    op.create_index(
        "one_champion",
        "deployment",
        ["model", "environment"],
        unique=True,
        sqlite_where=sa.text("until IS NULL AND role = 'champion'"),
    )
    for table, unique in IMMUTABLE.items():
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, 'rows of {table} never change'); END"
            )
        # INSERT OR REPLACE deletes without asking the trigger above. The text is SQLite's own.
        for fields in unique:
            same = " AND ".join(f"{name} = NEW.{name}" for name in fields.split(", "))
            failed = ", ".join(f"{table}.{name}" for name in fields.split(", "))
            there = f"EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608 - names of ours
            op.execute(
                f"CREATE TRIGGER {table}_no_other_{fields.replace(', ', '_')}"
                f" BEFORE INSERT ON {table} WHEN {there}"
                f" BEGIN SELECT RAISE(ABORT, 'UNIQUE constraint failed: {failed}'); END"
            )
    op.execute(
        "CREATE TRIGGER sign_off_second_line BEFORE INSERT ON sign_off"
        " WHEN NEW.line >= 2 AND EXISTS"
        " (SELECT 1 FROM developed WHERE model = NEW.model AND person = NEW.person)"
        " BEGIN SELECT RAISE(ABORT,"
        " 'a developer of the model can''t sign its second or third line checks'); END"
    )


def downgrade() -> None:
    """A record is never taken back: an older taxiway must not write into it."""
    raise NotImplementedError("the record can't be downgraded; restore a backup")
