"""What shipped diagrams and forms name by a code is put into words."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask_babel import force_locale

from bpmn.catalog import packaged
from engine.store import Store
from tests.site import running_site
from web.pages import ticket_words, words

MILESTONES = {
    name
    for bundle in packaged()
    for name in re.findall(r'kaitong:milestone="(\w+)"', bundle.xml.decode("utf-8"))
}
SEGMENTS = {
    str(option["value"])
    for bundle in packaged()
    for form in bundle.forms.values()
    for field in form["components"]
    if field.get("key") == "segment"
    for option in field.get("values", [])
}


def _segment(code: str) -> str:
    return ticket_words.segments()[code]


@pytest.mark.parametrize(("say", "codes"), [(words.milestone, MILESTONES), (_segment, SEGMENTS)])
def test_codes_of_shipped_processes_have_words_in_both_languages(
    store: Store, tmp_path: Path, say: Callable[[str], str], codes: set[str]
) -> None:
    assert codes
    with running_site(store, tmp_path) as site, site.app.test_request_context("/"):
        with force_locale("zh_CN"):
            assert [code for code in sorted(codes) if not re.search("[\u4e00-\u9fff]", say(code))] == []
        with force_locale("en"):
            assert [code for code in sorted(codes) if not say(code).isascii()] == []
