"""Opening the product's pages in Chromium as its people do: logged in, in their language, on their device."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, StorageState

from tests.browser.installation import Installation

DEVICES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1366, "height": 800}},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 2,
        "is_mobile": True,
        "has_touch": True,
    },
}
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass
class Logins:
    """Who is logged in already: the password check is slow on purpose, so each person passes it once."""

    chromium: Browser
    installation: Installation
    _states: dict[str, StorageState] = field(default_factory=dict)

    def state(self, login: str) -> StorageState:
        """The cookies of a person who has logged in on the login page."""
        if login not in self._states:
            context = self.chromium.new_context(base_url=self.installation.product.url)
            log_in(context, login, self.installation.product.password(login))
            self._states[login] = context.storage_state()
            context.close()
        return self._states[login]


def log_in(context: BrowserContext, login: str, password: str) -> Page:
    """Logs in on the login page, and gives the page that follows."""
    page = context.new_page()
    page.goto("/login")
    page.locator("#f-login").fill(login)
    page.locator("#f-password").fill(password)
    page.locator("main button.btn-primary").click()
    page.wait_for_url(lambda url: "/login" not in url)
    return page


@dataclass
class Screens:
    """Opens pages and notes whatever goes wrong in them: script errors, refused resources, console messages."""

    logins: Logins
    trouble: list[str] = field(default_factory=list)
    _refusals: set[int] = field(default_factory=set)
    _contexts: list[BrowserContext] = field(default_factory=list)

    @property
    def installation(self) -> Installation:
        return self.logins.installation

    def open(
        self,
        path: str,
        login: str | None = None,
        *,
        device: str = "desktop",
        locale: str = "zh_CN",
        theme: str = "light",
        scripts: bool = True,
    ) -> Page:
        """A new window at a path of the product."""
        context = self.context(login, device=device, locale=locale, theme=theme, scripts=scripts)
        page = context.new_page()
        page.goto(path)
        return page

    def context(
        self,
        login: str | None = None,
        *,
        device: str = "desktop",
        locale: str = "zh_CN",
        theme: str = "light",
        scripts: bool = True,
    ) -> BrowserContext:
        """A browser of its own, with the cookies of the person."""
        if login is not None:
            self.installation.speak(login, locale)
        context = self.logins.chromium.new_context(
            base_url=self.installation.product.url,
            storage_state=self.logins.state(login) if login is not None else None,
            locale=locale.replace("_", "-"),
            timezone_id="Asia/Shanghai",
            color_scheme="dark" if theme == "dark" else "light",
            reduced_motion="reduce",
            java_script_enabled=scripts,
            **DEVICES[device],
        )
        context.set_default_timeout(15_000)
        context.on("page", self._watch)
        self._contexts.append(context)
        return context

    def may_be_refused(self, *statuses: int) -> None:
        """These answers belong to the story; the browser notes them on its console."""
        self._refusals |= set(statuses)

    def close(self) -> None:
        """Closes all windows."""
        for context in self._contexts:
            context.close()

    def _watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.trouble.append(f"{page.url}: {error}"))
        page.on("console", self._note)

    def _note(self, message: ConsoleMessage) -> None:
        """Errors and warnings; a violation of the content security policy is one of them."""
        if message.type not in ("error", "warning"):
            return
        if any(f"status of {status} " in message.text for status in self._refusals):
            return
        self.trouble.append(f"{message.location.get('url')}: {message.text}")
