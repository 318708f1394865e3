"""Every text of the pages exists in Chinese too; English is the language of the keys."""

from __future__ import annotations

import re
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import engine.orders.cancel
import tasks.worklist
from engine.errors import KaitongError
from web.i18n import TRANSLATIONS
from web.pages.timeline import TELLERS

WEB = Path(__file__).resolve().parents[2] / "web"


def chinese() -> dict[str, str]:
    """Chinese text by key, from all catalogues; of texts with a plural the first form."""
    found = {}
    for path in sorted((TRANSLATIONS / "zh_CN" / "LC_MESSAGES").glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file):
                if message.id and message.string:
                    plural = isinstance(message.id, list | tuple)
                    found[message.id[0] if plural else message.id] = str(message.string)
    return found


def extracted(folder: Path, pattern: str, method: str) -> set[str]:
    messages = extract_from_dir(folder, method_map=[(pattern, method)])
    return {text[0] if isinstance(text, tuple) else text for _, _, text, _, _ in messages}


def kinds(root: type[KaitongError]) -> list[type[KaitongError]]:
    return [root, *(kind for child in root.__subclasses__() for kind in kinds(child))]


def test_every_text_of_the_pages_has_its_chinese() -> None:
    texts = extracted(WEB / "pages", "**.py", "python") | extracted(WEB / "templates", "**.html", "jinja2")
    assert sorted(texts - set(chinese())) == []


def test_every_error_that_a_page_may_show_has_its_chinese() -> None:
    assert engine.orders.cancel.NotCancellable
    assert tasks.worklist.TaskClosed
    known = chinese()
    shown = ("engine.orders.cancel", "engine.deploy", "engine.runtime", "tasks")
    missing = [
        kind.__name__
        for kind in kinds(KaitongError)
        if kind.__module__.startswith(shown) and (kind.__doc__ or "").strip().splitlines()[0] not in known
    ]
    assert missing == []


def test_every_event_of_an_order_has_its_words() -> None:
    recorded = re.compile(r'\brecord\(\s*(?:session|db),\s*"(\w+)"(?: if \w+ else "(\w+)")?')
    sources = [path for layer in ("engine", "tasks", "sla") for path in (WEB.parent / layer).rglob("*.py")]
    sources += [path for part in ("api", "pages") for path in (WEB / part).rglob("*.py")]
    kinds = {kind for path in sources for pair in recorded.findall(path.read_text("utf-8")) for kind in pair}
    assert "OrderPlaced" in kinds
    without_order = {"", "PersonCreated", "PersonActivated", "PersonDeactivated", "PasswordChanged"}
    assert sorted(kinds - without_order - {"TokenCreated", "TokenRevoked"} - set(TELLERS)) == []


def test_chinese_texts_keep_the_facts_of_their_keys() -> None:
    fact = re.compile(r"%\(\w+\)s|\{\w+\}|%%")
    wrong = [key for key, text in chinese().items() if set(fact.findall(key)) != set(fact.findall(text))]
    assert wrong == []
