"""One running product and one Chromium for all browser tests; without Chromium or a built front end they are skipped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from engine.store import Store
from tests.browser.installation import Installation
from tests.browser.screens import FLAGS, Logins, Screens
from tests.product import Product
from tests.real_parts import missing
from web.assets import DIST

CHROMIUM = "/usr/bin/chromium"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; nothing is downloaded."""
    if not os.access(CHROMIUM, os.X_OK):
        missing("Chromium")
    if not (DIST / "manifest.json").is_file():
        missing("the built front end")
    expect.set_options(timeout=15_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def installation(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The demo operator with its simulators, impatient: two attempts, then an incident."""
    folder: Path = tmp_path_factory.mktemp("browser") / "data"
    product = Product(folder, {"tick_seconds": "1", "retry_seconds": "0.2", "max_attempts": "2"})
    product.start()
    store = Store(f"sqlite:///{folder / 'kaitong.db'}")
    try:
        yield Installation(product, store)
    finally:
        store.close()
        product.kill()


@pytest.fixture(scope="session")
def logins(chromium: Browser, installation: Installation) -> Logins:
    return Logins(chromium, installation)


@pytest.fixture
def screens(logins: Logins) -> Iterator[Screens]:
    """Windows of this test alone; any trouble in one of them fails it."""
    opened = Screens(logins)
    try:
        yield opened
        assert not opened.trouble, "\n".join(opened.trouble)
    finally:
        opened.close()
