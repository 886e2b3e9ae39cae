"""Runs the migrations on one SQLite file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from taxiway.adapters.sqlite import BUSY_SECONDS, write_ahead

HERE = Path(__file__).resolve().parent


def upgrade(path: Path) -> None:
    """Creates the database if it is not there, and brings it to the newest revision.

    A migration is one transaction; two processes that open a new workspace at once wait for each
    other. Raises what SQLite says, as `sqlite3.Error`.
    """

    def connect() -> sqlite3.Connection:
        # The driver would begin and commit behind our back, and a migration would not be whole.
        return sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)

    with closing(connect()) as first:
        write_ahead(first)
    # A connection that we make: a path may hold what has a meaning in a URL.
    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)

    @event.listens_for(engine, "begin")
    def _begin(connection: object) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # type: ignore[attr-defined]

    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    try:
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    except DBAPIError as error:
        if isinstance(error.orig, sqlite3.Error):
            raise error.orig from error
        raise
    finally:
        engine.dispose()
