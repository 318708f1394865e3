"""Bringing a database up to date, and refusing one that does not fit this program. Alembic does the work, driven from here.

Alembic is loaded on first use: a web server or worker that finds its database current needs it for one look only.
Migrations only go forward: going back means restoring the backup that was made before.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from engine.errors import KaitongError
from engine.store.session import Store

if TYPE_CHECKING:
    from alembic.config import Config

_LOCK_KEY = 4_202_611  # PostgreSQL's advisory locks are numbers; this one means "migrating Kaitong"
_alembic = threading.Lock()  # Alembic keeps what it works on in module globals


class DatabaseNewer(KaitongError):
    """The database was written by a newer Kaitong; install that version or restore a backup."""

    code = "database.newer"


class DatabaseOlder(KaitongError):
    """The database is not up to date: run `kaitong migrate`."""

    code = "database.older"


def upgrade(store: Store) -> None:
    """Creates or changes the tables until they fit this program; does nothing when they do already.

    All steps are one transaction. Of several processes that start at once one migrates, the others wait for it. Raises
    `DatabaseNewer` and then has changed nothing.
    """
    from alembic import command

    config = _config()
    if _is_current(store, config):
        return
    with _alembic, store.write() as session:
        connection = session.connection()
        if not store.is_sqlite:  # on SQLite a writing transaction is alone by itself
            _wait_for_turn(connection)
        _refuse_newer(connection, config)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def check(store: Store) -> None:
    """Raises `DatabaseNewer` or `DatabaseOlder` when this program cannot work with the database as it is."""
    if not _is_current(store, _config()):
        raise DatabaseOlder


def _is_current(store: Store, config: Config) -> bool:
    with store.read() as session:
        return _refuse_newer(session.connection(), config)


def _refuse_newer(connection: Connection, config: Config) -> bool:
    """Tells whether the database is at the newest revision; raises `DatabaseNewer` when its revision is unknown here."""
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(config)
    found = set(MigrationContext.configure(connection).get_current_heads())
    if not found <= {step.revision for step in script.walk_revisions()}:
        raise DatabaseNewer
    return found == set(script.get_heads())


def _wait_for_turn(connection: Connection) -> None:
    connection.execute(
        text("SELECT set_config('lock_timeout', '0', true), set_config('statement_timeout', '0', true)")
    )
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
    connection.execute(text("SELECT set_config('lock_timeout', '15s', true)"))


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config
