"""Diagrams that a designer uploads: the shipped one with another name for a step, and broken ones."""

from __future__ import annotations

from playwright.sync_api import FilePayload

from bpmn.catalog import packaged

SHIPPED = next(bundle.xml for bundle in packaged() if bundle.filename == "broadband.bpmn").decode()
ON_SITE = 'name="上门施工" kaitong:nameEn="Construction on site"'
_SCRIPT = "acceptance_mbps = speed_mbps * 9 // 10"
_ATTACK = "__import__('os').system('x')"

BROKEN = SHIPPED.replace(_SCRIPT, _ATTACK)


def with_step_named(zh: str, en: str) -> str:
    """The shipped diagram where the construction has another name."""
    assert ON_SITE in SHIPPED
    return SHIPPED.replace(ON_SITE, f'name="{zh}" kaitong:nameEn="{en}"')


def line_of(diagram: str, text: str) -> int:
    """The line on which a text stands, counted from one."""
    return diagram[: diagram.index(text)].count("\n") + 1


def as_file(diagram: str) -> FilePayload:
    """A file for the browser's file chooser."""
    return {"name": "broadband.bpmn", "mimeType": "application/xml", "buffer": diagram.encode()}
