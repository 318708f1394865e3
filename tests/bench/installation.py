"""The product around one diagram: in this process with its own assembly, or served over REST as users start it."""

from __future__ import annotations

import http.client
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import LargeBinary, cast, func, select, text

from engine.config import Settings
from engine.deploy.definitions import Upload, active_version
from engine.identity.people import create_person
from engine.identity.tokens import create_token
from engine.orders.numbering import next_number
from engine.runtime.live import LiveInstances
from engine.store import Base
from engine.store.migrate import upgrade
from tasks import worklist
from tasks.worklist import CompleteTask
from tests.actors import an_actor
from tests.bench.measure import own_cpu_ms, tree_cpu_ms
from tests.product import Product
from tests.real_parts import PostgresqlServer
from web.bootstrap import assemble
from web.master_data import load_base

PERSON = "bench"


class DurablePostgresql(PostgresqlServer):
    """The tests' server with fsync and synchronous commits, as an installation has them."""

    def _call(self, program: str, *arguments: str) -> None:
        durable = (a.replace("fsync=off", "fsync=on").replace("commit=off", "commit=on") for a in arguments)
        super()._call(program, *durable)

    @property
    def pid(self) -> int:
        """The server's first process."""
        return int((self._folder / "data/postmaster.pid").read_text(encoding="utf-8").split()[0])


class InProcess:
    """Commands as the web process gives them, each with its commit, without HTTP."""

    def __init__(
        self, folder: Path, diagram: bytes, url: str = "", server: DurablePostgresql | None = None
    ) -> None:
        address = url or f"sqlite:///{folder / 'kaitong.db'}"
        self.settings = Settings.load({"KAITONG_DATA_DIR": str(folder), "KAITONG_DATABASE_URL": address})
        self.me, self.server = assemble(self.settings), server
        upgrade(self.me.store)
        self.person, self.definition_id = self._prepare(diagram)
        self.actor = an_actor("AD", person_id=self.person, login=PERSON)

    def _prepare(self, diagram: bytes) -> tuple[int, int]:
        at = self.me.clock.now()
        with self.me.store.write() as session:
            load_base(session, at)  # roles are rows
            person = create_person(session, PERSON, PERSON, ["AD"], at=at)
            (version,) = self.me.definitions.upload(
                session, Upload("p.bpmn", diagram, {}), at=at, actor=PERSON
            )
            self.me.definitions.deploy(session, version.id, at=at, actor=PERSON)
            return person.id, version.id

    def start(self, values: Mapping[str, Any]) -> str:
        """A new instance; the number of its first task."""

        def work(session: Any) -> str:
            at = self.me.clock.now()
            version = active_version(session, "p")
            key = next_number(session, "PI", at, self.settings.zone)
            self.me.kernel.start(session, version.id, key, values, at=at, actor=PERSON)
            return f"{key}-W01"

        return self.me.store.run(work)

    def complete(self, task: str) -> str | None:
        """Completes a task; the number of the next, if there is one."""

        def work(session: Any) -> str | None:
            at = self.me.clock.now()
            command = CompleteTask(task, {}, None)
            done = worklist.complete(session, self.me.kernel, self.actor, command, at=at)
            after = worklist.next_tasks(session, self.actor, done)
            return after[0].id if after else None

        return self.me.store.run(work)

    def forget(self) -> None:
        """The next command reads its instance from the rows."""
        self.me.kernel.live = LiveInstances()

    def token(self) -> str:
        """A bearer token."""
        with self.me.store.write() as session:
            return create_token(session, self.person, PERSON, 10, at=self.me.clock.now())

    def cpu_ms(self) -> float:
        """CPU so far, with the database server's."""
        return own_cpu_ms() + (tree_cpu_ms(self.server.pid) if self.server else 0)

    def stored_bytes(self) -> dict[str, int]:
        """Length of everything in each table, without indexes and free space; SQLite only."""
        found = {}
        with self.me.store.read() as session:
            for one in Base.metadata.sorted_tables:
                lengths = [func.coalesce(func.length(cast(column, LargeBinary)), 0) for column in one.columns]
                total = lengths[0]
                for length in lengths[1:]:
                    total = total + length
                found[one.name] = int(
                    session.scalar(select(func.coalesce(func.sum(total), 0)).select_from(one)) or 0
                )
        return found

    def state_bytes(self, task: str) -> int:
        """Length of an instance's tokens and variables."""
        query = "SELECT length(tokens) + length(variables) FROM process_instance WHERE business_key = :key"
        with self.me.store.read() as session:
            return int(session.scalar(text(query), {"key": task.rpartition("-W")[0]}) or 0)

    def close(self) -> None:
        """Lets the database go."""
        self.me.store.close()


class OverRest:
    """`kaitong serve` and one client with a kept connection and a bearer token."""

    def __init__(self, product: Product, token: str, server: DurablePostgresql | None = None) -> None:
        self.product, self.server = product, server
        self._connection = http.client.HTTPConnection("127.0.0.1", product.port, timeout=60)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def start(self, values: Mapping[str, Any]) -> str:
        """A new instance; the number of its first task."""
        made = self._post("/api/v1/instances", {"process": "p", "variables": values})
        return f"{made['business_key']}-W01"

    def complete(self, task: str) -> str | None:
        """Completes a task; the number of the next, if there is one."""
        after = self._post(f"/api/v1/tasks/{task}/complete", {"values": {}})["next_tasks"]
        return str(after[0]["id"]) if after else None

    def alive(self, with_token: bool) -> None:
        """Asks whether the server answers; it looks up a token all the same."""
        self._ask("GET", "/healthz", None, self._headers if with_token else {})

    def _post(self, path: str, body: Any) -> Any:
        return self._ask("POST", path, json.dumps(body), self._headers)

    def _ask(self, method: str, path: str, body: str | None, headers: Mapping[str, str]) -> Any:
        try:
            self._connection.request(method, path, body, headers)
        except ConnectionError:  # the server has closed it while the other peers had their turns
            self._connection.close()
            self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{path}: {answer.status} {content.decode()}")
        return json.loads(content)

    def cpu_ms(self) -> float:
        """CPU so far of the whole installation, with the database server's."""
        assert self.product.process is not None
        own = tree_cpu_ms(self.product.process.pid)
        return own + (tree_cpu_ms(self.server.pid) if self.server else 0)

    def close(self) -> None:
        """Ends the installation."""
        self._connection.close()
        self.product.kill()


@contextmanager
def in_process(diagram: bytes, server: DurablePostgresql | None = None) -> Iterator[InProcess]:
    """An installation in this process, with a database of its own."""
    with tempfile.TemporaryDirectory(prefix="kaitong-bench-") as folder:
        made = InProcess(Path(folder), diagram, server.url(server.create()) if server else "", server)
        try:
            yield made
        finally:
            made.close()


@contextmanager
def over_rest(diagram: bytes, server: DurablePostgresql | None = None) -> Iterator[OverRest]:
    """An installation of its own, started as users start it."""
    with ExitStack() as stack:
        local = stack.enter_context(in_process(diagram, server))
        token, url = local.token(), str(local.settings.database)
        product = Product(local.settings.data_dir, {"database_url": url})
        served = OverRest(product.start("--no-demo"), token, server)
        stack.callback(served.close)
        yield served


@contextmanager
def postgresql(wanted: bool) -> Iterator[DurablePostgresql | None]:
    """A server for this run, if there is one on this machine."""
    programs = DurablePostgresql.programs() if wanted else None
    if programs is None:
        yield None
        return
    server = DurablePostgresql(programs)
    try:
        server.start()
        yield server
    finally:
        server.stop()
