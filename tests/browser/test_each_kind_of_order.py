"""One order of each kind, played to its end in the browser: every task is opened, filled in and sent by one whose it is.

The product runs in this process on a virtual clock, so that a test of a day takes no day. Each step leaves a screenshot.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from sqlalchemy import select
from werkzeug.serving import make_server

from engine.identity import sessions
from tasks.model import Task
from tasks.worklist import is_for_another
from tests.answers import ANSWERS
from tests.browser.screens import DEVICES
from tests.dedicated_line_parts import NET
from tests.scenario.fault_stage import a_line, report
from tests.scenario.stage import Play, Stage, stage_of_its_own
from web import demo_data
from web.auth.gate import SESSION_ID
from web.playing.people import is_for

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-kinds")]

ON_A_PHONE = {"FC", "PT"}
MOST_STEPS = 60


def _broadband(stage: Stage) -> Play:
    return stage.order()


def _dedicated_line(stage: Stage) -> Play:
    return stage.order(**{**NET, "tier": "D"})


def _fault(stage: Stage) -> Play:
    line = a_line(stage).weak()
    play = report(stage, line.account)
    MENDED[play.number] = line.mended
    return play


MENDED: dict[str, Callable[[], Any]] = {}
"""What the crew does on site, by order: its form alone mends no line."""
KINDS: dict[str, Callable[[Stage], Play]] = {
    "broadband": _broadband,
    "dedicated_line": _dedicated_line,
    "fault": _fault,
}


@dataclass
class Desk:
    """Everybody's browser."""

    stage: Stage
    chromium: Browser
    url: str
    shots: Path
    steps: int = 0

    @contextmanager
    def window(self, login: str, device: str) -> Iterator[Page]:
        """A page of somebody who is logged in."""
        context = self.chromium.new_context(base_url=self.url, locale="zh-CN", **DEVICES[device])
        context.set_default_timeout(15_000)
        self._log_in(context, login)
        page = context.new_page()
        trouble: list[str] = []
        page.on("pageerror", lambda error: trouble.append(str(error)))
        try:
            yield page
            assert trouble == []
        finally:
            context.close()

    def _log_in(self, context: BrowserContext, login: str) -> None:
        """The password check is looked at elsewhere, and slow on purpose."""
        site = self.stage.machines.site
        with site.store.write() as db:
            secret = sessions.open_session(db, site.people[login], "Chromium", site.clock.now())
        signer: Any = site.app.session_interface.get_signing_serializer(site.app)  # type: ignore[attr-defined]
        name = site.app.config["SESSION_COOKIE_NAME"]
        context.add_cookies([{"name": name, "value": signer.dumps({SESSION_ID: secret}), "url": self.url}])

    def shoot(self, page: Page, name: str) -> None:
        """What it looks like."""
        self.steps += 1
        page.screenshot(path=self.shots / f"{self.steps:02}-{name}.png", full_page=True)

    def do(self, task: Task) -> None:
        """Somebody whose task it is takes it and sends its form."""
        login, roles = self._somebody(task)
        device = "phone" if roles & ON_A_PHONE else "desktop"
        with self.window(login, device) as page:
            page.goto(f"/tasks/{task.id}")
            claim = page.locator("form[action$='/claim'] button")
            if claim.count():
                claim.first.click()
            expect(page.locator("form[aria-labelledby='form-title']")).to_be_visible()
            for key, value in ANSWERS[task.element].items():
                _fill(page, key, value)
            self.shoot(page, task.element)
            page.locator("form[aria-labelledby='form-title'] button[type=submit].btn-primary").click()
            expect(page.locator(".notice-success")).to_be_visible()

    def _somebody(self, task: Task) -> tuple[str, set[str]]:
        definitions = self.stage.machines.site.services.definitions
        with self.stage.store.read() as db:
            fits = [
                one
                for one in demo_data.people()
                if is_for(db, task, one) and not is_for_another(db, definitions, task, one.login)
            ]
        assert fits, (task.element, task.role, task.crew_id, task.area)
        return fits[0].login, set(fits[0].roles)


def _fill(page: Page, key: str, value: Any) -> None:
    """One field, as its kind wants it; what the form does not show now is passed over."""
    field = page.locator(f"form[aria-labelledby='form-title'] [name='{key}']")
    if field.count() == 0:
        return
    kind = field.first.get_attribute("type") or field.first.evaluate("e => e.tagName.toLowerCase()")
    if kind == "radio":
        _label(page, page.locator(f"[name='{key}'][value='{value}']")).click()
    elif not field.last.is_visible():
        return
    elif kind == "checkbox":
        field.last.set_checked(bool(value))
    elif kind == "select":
        field.select_option(str(value))
    elif kind == "datetime-local":
        field.fill(datetime.fromisoformat(str(value)).strftime("%Y-%m-%dT%H:%M"))
    else:
        field.fill(str(value))


def _label(page: Page, field: Locator) -> Locator:
    """What people click, where the field itself is drawn by its label."""
    return page.locator(f"label[for='{field.get_attribute('id')}']").first


@pytest.fixture
def desk(chromium: Browser, tmp_path: Path) -> Iterator[Desk]:
    folder = tmp_path / "data"
    folder.mkdir()
    with stage_of_its_own(folder) as stage:
        server = make_server("127.0.0.1", 0, stage.machines.site.app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        shots = tmp_path / "steps"
        shots.mkdir()
        try:
            yield Desk(stage, chromium, f"http://127.0.0.1:{server.port}", shots)
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


@pytest.mark.parametrize("kind", KINDS)
def test_an_order_is_played_to_its_end_by_the_people_of_the_demo(desk: Desk, kind: str) -> None:
    play = KINDS[kind](desk.stage)
    for _ in range(MOST_STEPS):
        if play.state == "completed":
            break
        tasks = _open_tasks(play)
        if not tasks:
            play.wait(hours=2)
            continue
        if tasks[0].element == "TT_09":
            MENDED[play.number]()
        desk.do(tasks[0])
        play.site.work()
    assert play.state == "completed", (play.state, play.open(), play.troubles())
    with desk.window("admin", "desktop") as page:
        page.goto(f"/orders/{play.number}")
        expect(page.locator(".task-head")).to_contain_text("已竣工")
        expect(page.locator("g.djs-element.is-done").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        desk.shoot(page, "order")


def _open_tasks(play: Play) -> list[Task]:
    query = select(Task).where(Task.business_key == play.number, Task.closed_at.is_(None))
    with play.site.store.read() as db:
        return list(db.scalars(query.order_by(Task.created_at, Task.id)))
