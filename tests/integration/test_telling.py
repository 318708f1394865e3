"""What a process tells people: who gets it, in which language, and that a repeat tells nobody twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from engine.identity.model import InboxMessage, Person
from engine.identity.telling import TellPeople
from engine.ports import LocalCall
from engine.store import Store
from tests.site import Site, running_site

NEWS = {"text": "YTC7 故障", "text_en": "YTC7 is faulty"}


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Iterator[Site]:
    with running_site(store, tmp_path) as running:
        yield running


def told(site: Site, **asked: Any) -> set[str]:
    """Who has the message after a step has asked for it twice."""
    order = site.place_order()
    args: Mapping[str, Any] = TellPeople.operation.request().load({**NEWS, **asked})
    call = LocalCall("people.tell", f"{order}:TT_02N:9", args, 1, order, site.clock.now())
    with site.store.write() as db:
        assert TellPeople().run(db, call) == TellPeople().run(db, call)
    with site.store.read() as db:
        query = select(Person.login).join(InboxMessage, InboxMessage.person_id == Person.id)
        return set(db.scalars(query.where(InboxMessage.kind == "process.news")))


def test_people_of_a_role_in_the_area_are_told_and_those_who_answer_for_all(site: Site) -> None:
    assert told(site, role="SV", area="YT-E") == {"supervisor", "supervisor-all"}


def test_other_areas_are_not_told(site: Site) -> None:
    assert told(site, role="SV", area="YT-W") == {"supervisor-all"}


def test_the_province_is_whoever_answers_for_all_areas(site: Site) -> None:
    assert told(site, role="SV", area="YT-E", everywhere=True) == {"supervisor-all"}


@pytest.mark.parametrize(
    ("locale", "text"), [("zh_CN", "YTC7 故障"), ("en", "YTC7 is faulty")], ids=["zh", "en"]
)
def test_the_inbox_shows_it_in_the_readers_language(site: Site, locale: str, text: str) -> None:
    told(site, role="CM", area=None)
    page = site.browser("manager", locale=locale).read("/inbox")
    other = {"YTC7 故障", "YTC7 is faulty"} - {text}
    assert text in page
    assert other.pop() not in page


def test_the_timeline_says_that_people_were_told(site: Site) -> None:
    told(site, role="CM")
    with site.store.read() as db:
        order = db.scalars(select(InboxMessage.facts)).first()
    assert order is not None
    page = site.browser("supervisor").read(f"/orders/{order['order']}")
    assert "Told in the inbox: CM" in page
    assert "YTC7 故障" in page
