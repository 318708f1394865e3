"""The tutorial, done as it says: its commands in a shell, its clicks in a browser session without JavaScript."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import requests

from tests.docs.pages import DOCS, ROOT, fences
from tests.product import Product, environment
from tests.real_parts import missing

TUTORIAL = (DOCS / "tutorial/first-order.md").read_text(encoding="utf-8")
WITHIN_S = 60
KEYS = {
    "Date": "window_date",
    "Window": "window",
    "ONU serial number": "onu_serial",
    "Optical power received": "rx_power_dbm",
    "Customer's identity checked": "identity_checked",
    "Wired speed test 1": "speed_1",
    "Wired speed test 2": "speed_2",
    "Wired speed test 3": "speed_3",
    "Signed by": "signed_by",
    "Rating, 1 to 5": "rating",
}
SENT = {"yes": "on", "18:00–20:00": "18-20"}
AT_FIRST = {"appointment": "appointed", "material": "drawn", "result": "done", "acceptance": "accepted"}


class Reader:
    """Somebody who follows the tutorial on a fresh installation."""

    def __init__(self, product: Product, folder: Path) -> None:
        self.product, self.known = product, folder / "names.sh"
        self.known.touch()

    def types(self, chapter: int, fence: int = 0) -> str:
        """The commands of one fence, in the same shell as those before; what they print."""
        text = list(fences(re.split(r"^## \d\. ", TUTORIAL, flags=re.MULTILINE)[chapter], "sh"))[fence]
        text = text.replace("http://127.0.0.1:8420", self.product.url)
        text = re.sub(r"(?<![\w/])data/", f"{self.product.data_dir}/", text)
        text = text.replace(".venv/bin/kaitong", f"'{sys.executable}' -m web.cli")
        script = (
            f". '{self.known}'\n{text}\ndeclare -p BASE SIM TOKEN CREW >'{self.known}' 2>/dev/null || true\n"
        )
        env = environment(data_dir=str(self.product.data_dir))
        done = subprocess.run(
            ["bash", "-c", script], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120
        )
        return done.stdout + done.stderr

    def logs_in(self, login: str) -> requests.Session:
        """A browser with English pages."""
        browser = requests.Session()
        page = browser.get(self.product.url + "/login").text
        fields = {"login": login, "password": self.product.password(login), "next": "/"}
        page = browser.post(self.product.url + "/login", data=fields | _csrf(page)).text
        browser.post(self.product.url + "/locale", data={"locale": "en", "next": "/"} | _csrf(page))
        return browser

    def opens(self, browser: requests.Session, path: str) -> str:
        answer = browser.get(self.product.url + path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def presses(
        self, browser: requests.Session, page: str, label: str, fields: dict[str, str], files: Any = None
    ) -> str:
        """Sends the form whose button has this label."""
        form = next(f for f in re.findall(r"(?s)<form\b.*?</form>", page) if label in _text(f))
        action = html.unescape(re.findall(r'action="([^"]*)"', form)[0])
        hidden = {
            name: re.findall(r'value="([^"]*)"', tag)[0]
            for tag in re.findall(r'<input[^>]*type="hidden"[^>]*>', form)
            for name in re.findall(r'name="([^"]*)"', tag)
        }
        answer = browser.post(self.product.url + action, data=hidden | fields, files=files)
        return answer.text

    def waits_for(self, word: str, *command: str) -> str:
        """Repeats a command of the installation until its output has the word."""
        until = time.monotonic() + WITHIN_S
        while word not in (said := self.product.run(*command)):
            assert time.monotonic() < until, f"no {word} in: {said}\n{self.product.logs()}"
            Event().wait(0.2)
        return said

    def waits_for_page(self, browser: requests.Session, path: str, words: str) -> None:
        """Opens a page again and again until it has the words."""
        until = time.monotonic() + WITHIN_S
        while words not in _text(self.opens(browser, path)):
            assert time.monotonic() < until, f"no {words} at {path}\n{self.product.logs()}"
            Event().wait(0.2)


def _csrf(page: str) -> dict[str, str]:
    return {"csrf_token": re.findall(r'name="csrf_token"[^>]*(?:value|content)="([^"]+)"', page)[0]}


def _text(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", page))


def _fields_by_task() -> dict[str, dict[str, str]]:
    """The table of chapter 4: task → label → value; a label that ends in numbers stands for several fields."""
    found: dict[str, dict[str, str]] = {}
    for task, label, value in re.findall(
        r"^\| ([^|]*?) ?\| ([A-Z][^|]+?) \| `?([^|`]+?)`? \|$", TUTORIAL, re.MULTILINE
    ):
        fields = found.setdefault(task or list(found)[-1], {})
        several = re.match(r"(.*?) (\d(?:, \d)*)$", label)
        labels = [f"{several[1]} {n}" for n in several[2].split(", ")] if several else [label]
        fields |= dict.fromkeys(labels, value)
    return found


def _posted(fields: dict[str, str]) -> dict[str, str]:
    """What the browser sends: results as they are at first, and what the reader fills in."""
    return AT_FIRST | {KEYS[label]: SENT.get(value, value) for label, value in fields.items()}


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    if shutil.which("curl") is None or shutil.which("bash") is None:
        missing("curl or bash")
    product = Product(tmp_path / "data", settings={"retry_seconds": "0.05"}, folder=ROOT)
    product.start()
    yield Reader(product, tmp_path)
    product.stop()


def test_the_tutorial_does_what_it_says(reader: Reader) -> None:
    reader.types(1, fence=1)
    answer = reader.types(2)
    assert "201 Created" in answer
    number = re.findall(r"BB-\d{8}-\d{6}", answer)[0]
    assert "order.duplicate" in reader.types(2)
    reader.waits_for("TaskOpened", "order", "show", number)
    assert number in reader.types(2, fence=1)

    dispatcher = reader.logs_in("dispatcher")
    assert number in reader.opens(dispatcher, "/orders")
    assert "Accept, call, appoint" in reader.opens(dispatcher, f"/orders/{number}")

    crew = reader.logs_in("crew-e1")
    told = _fields_by_task()
    for place, (name, fields) in enumerate(told.items(), start=1):
        task = f"/tasks/{number}-W{place:02}"
        reader.waits_for_page(crew, "/tasks", name)
        page = reader.presses(crew, reader.opens(crew, task), "Claim", {})
        assert all(label in _text(page) for label in fields)
        values = {k: v for k, v in _posted(fields).items() if f'name="{k}"' in page}
        if "rx_power_dbm" in values:
            page = reader.presses(crew, page, "Complete task", values | {"rx_power_dbm": "-40"})
            assert fields["ONU serial number"] in page
        page = reader.presses(crew, page, "Complete task", values)
        assert "is completed" in page
    reader.waits_for("completed", "order", "list", "--limit", "1")
    assert "completed" in reader.types(4)

    reader.types(5)
    second = f"{number[:-1]}2"
    reader.waits_for("TaskOpened", "order", "show", second)
    assert f"{second}-W03" in reader.types(5, fence=1)
    reader.waits_for("adapter.retryable", "incident", "list")
    assert "held" in reader.types(5, fence=2)

    reader.types(6)
    operator = reader.logs_in("operator")
    reader.presses(operator, reader.opens(operator, "/incidents"), "Re-run", {})
    reader.waits_for_page(reader.logs_in("crew-e1"), f"/orders/{second}", f"{second}-W04")
    assert "step.not_waiting" in reader.types(6, fence=1)
    assert reader.types(6, fence=2).count('"operation": "aaa.subscriber.open"') == 2
    reader.types(6, fence=3)
    reader.waits_for("completed", "order", "list", "--limit", "1")

    assert "no problem found" in reader.types(7)
    designer = reader.logs_in("designer")
    page = reader.opens(designer, "/definitions")
    diagram = (reader.product.data_dir / "broadband.bpmn").read_bytes()
    page = reader.presses(designer, page, "Check and upload", {}, {"file": ("broadband.bpmn", diagram)})
    page = reader.presses(designer, page, "Deploy version 2", {})
    assert "in service" in page
    third = f"{number[:-1]}3"
    reader.types(7, fence=1)
    reader.waits_for("TaskOpened", "order", "show", third)
    assert "Call the customer" in reader.types(7, fence=1)  # the order is known by now, its task is listed
