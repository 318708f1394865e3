"""What all tests share: a clean environment, no network beyond this machine, `--long`, and a database on both engines."""

from __future__ import annotations

import ipaddress
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from engine.store import Store
from engine.store.migrate import upgrade
from tests.real_parts import PostgresqlServer, missing

__all__ = ["missing"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also run the long kill, fuzz and property runs")


def pytest_configure(config: pytest.Config) -> None:
    for name in [name for name in os.environ if name.startswith("KAITONG_")]:
        del os.environ[name]
    long = config.getoption("--long")
    hypothesis.settings.register_profile("quick", deadline=None)
    hypothesis.settings.register_profile("long", deadline=None, max_examples=2000)
    hypothesis.settings.load_profile("long" if long else "quick")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--long"):
        return
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.skip(reason="a long run: ./test --long"))


@pytest.fixture(autouse=True, scope="session")
def _only_this_machine() -> Iterator[None]:
    """A test that reaches for another machine fails at once, and names the address."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
        patch.setattr(socket, "getaddrinfo", _only_local_names(socket.getaddrinfo))
        yield


def _guarded(original: Any) -> Any:
    def call(self: socket.socket, *arguments: Any) -> Any:
        address = arguments[-1]
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_local(address[0]):
            raise RuntimeError(f"a test reached for {address}: only this machine may be used")
        return original(self, *arguments)

    return call


def _only_local_names(original: Any) -> Any:
    def getaddrinfo(host: Any, *arguments: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name and name != "localhost" and not _is_address(name):
            raise socket.gaierror(socket.EAI_NONAME, f"tests know no name but localhost, not {name}")
        return original(host, *arguments, **named)

    return getaddrinfo


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_local(host: str) -> bool:
    return host in ("", "localhost") or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "kaitong.db"
    store = Store(f"sqlite:///{path}")
    upgrade(store)
    store.close()  # the last connection writes the log file back into the database
    return path


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    """A server of this test process (of each worker, when several run), with a database `migrated` to copy."""
    programs = PostgresqlServer.programs()
    if programs is None:
        missing("PostgreSQL")
    server = PostgresqlServer(programs)
    try:
        server.start()
        store = Store(server.url(server.create("migrated")))
        upgrade(store)
        store.close()
        yield server
    finally:
        server.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Runs the test once on each database."""
    kind: str = request.param
    return kind


@pytest.fixture
def empty_database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without tables."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
    else:
        yield from _database(request.getfixturevalue("postgresql_server"), "template1")


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database of this test alone, with all tables and no rows."""
    if database_kind == "sqlite":
        path = tmp_path / "kaitong.db"
        shutil.copyfile(request.getfixturevalue("_sqlite_template"), path)
        yield f"sqlite:///{path}"
    else:
        yield from _database(request.getfixturevalue("postgresql_server"), "migrated")


def _database(server: PostgresqlServer, template: str) -> Iterator[str]:
    name = server.create(template=template)
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """The opened database; closed after the test."""
    opened = Store(database_url)
    yield opened
    opened.close()
