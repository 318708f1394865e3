"""Migrations: they make the tables that the models describe, on both databases, once, and refuse what they don't know."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.engine.interfaces import ReflectedIndex

from engine.store import Base, Store
from engine.store.migrate import DatabaseNewer, DatabaseOlder, _config, check, upgrade

ROOT = Path(__file__).resolve().parents[2]
REPEATABLE = """
import sys
from engine.store import Store
from engine.store.migrate import check, upgrade
store = Store(sys.argv[1])
upgrade(store)
check(store)
"""


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Store]:
    opened = Store(empty_database_url)
    yield opened
    opened.close()


def load_all_models() -> None:
    for package in ("bpmn", "engine", "tasks", "adapters", "sla"):
        for path in (ROOT / package).rglob("*.py"):
            if "__tablename__" in path.read_text(encoding="utf-8"):
                importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))


def test_migrated_tables_are_those_of_the_models(store: Store) -> None:
    load_all_models()
    with store.read() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_migrated_indexes_cover_the_same_rows_as_those_of_the_models(store: Store, empty: Store) -> None:
    load_all_models()
    with store.read() as migrated, empty.write() as created:
        Base.metadata.create_all(created.connection())
        found, wanted = inspect(migrated.connection()), inspect(created.connection())
        for table in Base.metadata.tables:
            assert described(found.get_indexes(table)) == described(wanted.get_indexes(table)), table


def described(indexes: list[ReflectedIndex]) -> list[str]:
    rows = [str(option) for index in indexes for option in index.get("dialect_options", {}).values()]
    return sorted(f"{index['name']} {index['column_names']} {index['unique']}" for index in indexes) + sorted(
        rows
    )


def test_a_new_database_is_refused_until_it_is_migrated(empty: Store) -> None:
    with pytest.raises(DatabaseOlder) as error:
        check(empty)
    assert error.value.code == "database.older"
    assert "kaitong migrate" in str(error.value)
    upgrade(empty)
    check(empty)


def test_a_second_upgrade_keeps_every_row(store: Store) -> None:
    with store.write() as session:
        session.execute(text("INSERT INTO area (id, name, name_en) VALUES ('YT-E', '东区', 'East')"))
    upgrade(store)
    with store.read() as session:
        assert session.execute(text("SELECT name FROM area")).scalar_one() == "东区"


def test_a_database_of_a_newer_program_is_refused_and_left_alone(store: Store) -> None:
    with store.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for action in (check, upgrade):
        with pytest.raises(DatabaseNewer) as error:
            action(store)
        assert error.value.code == "database.newer"
        assert error.value.http_status == 500
    with store.read() as session:
        assert session.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "9999"


def test_processes_that_start_at_once_migrate_one_after_the_other(empty_database_url: str) -> None:
    command = [sys.executable, "-c", REPEATABLE, empty_database_url]
    running = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(3)
    ]
    outputs = [process.communicate(timeout=60)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], outputs


def test_coverage_and_ports_of_before_become_buildings_and_resources(empty: Store) -> None:
    with empty.write() as session:
        config = _config()
        config.attributes["connection"] = session.connection()
        command.upgrade(config, "0003")
        for statement in (
            "INSERT INTO area (id, name, name_en) VALUES ('YT-E', '东汀区', 'East')",
            "INSERT INTO coverage (area_id, building, node, top_speed_mbps)"
            " VALUES ('YT-E', '汀兰路18号 3栋', 'OLT-1', 1000), ('YT-E', '汀兰路20号', 'OLT-2', 500)",
            "INSERT INTO access_port (node, port, state, vlan, holder, held_until, changed_at)"
            " VALUES ('OLT-1', '1/1/0', 'reserved', 1200, 'BB-1', 99, 5), ('OLT-1', '1/1/1', 'free', 1201, NULL, NULL, 5)",
        ):
            session.execute(text(statement))
    upgrade(empty)
    with empty.read() as session:
        places = (
            "SELECT b.name, b.key, c.network, c.node FROM building b JOIN coverage c ON c.building_id = b.id"
        )
        assert session.execute(text(f"{places} ORDER BY b.id")).all() == [
            ("汀兰路18号 3栋", "汀兰路18号3栋", "OWN", "OLT-1"),
            ("汀兰路20号", "汀兰路20号", "OWN", "OLT-2"),
        ]
        ports = "SELECT kind, place, name, state, vlan, holder, held_until FROM resource ORDER BY id"
        assert session.execute(text(ports)).all() == [
            ("port", "OLT-1", "1/1/0", "reserved", 1200, "BB-1", 99),
            ("port", "OLT-1", "1/1/1", "free", 1201, None, None),
        ]
        assert session.execute(text("SELECT state, holder FROM resource_use")).all() == [("reserved", "BB-1")]
