"""Diagrams in service: uploads, versions, and what instances run on."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bpmn.lint import Catalogue
from bpmn.problems import DiagramRefused
from engine.deploy import definitions as module
from engine.deploy.definitions import Definitions, NothingChanged, Upload, active_version, versions_of
from engine.deploy.model import Deployment, ProcessDefinition
from engine.errors import NotFound
from engine.store import Store
from tests.bpmn_xml import end, flows, process, start, user
from tests.command_parts import Site

AT = datetime(2026, 11, 22, tzinfo=UTC)
FORM = {"type": "default", "id": "f", "components": []}


def upload(
    store: Store, definitions: Definitions, *body: str, forms: dict[str, object] | None = None
) -> list[int]:
    with store.write() as session:
        sent = Upload("p.bpmn", process(*body), forms or {})  # type: ignore[arg-type]
        return [v.id for v in definitions.upload(session, sent, at=AT, actor="pd")]


def test_each_upload_is_a_new_version_until_one_is_put_into_service(store: Store) -> None:
    definitions = Definitions(lambda _session: Catalogue())
    (one,) = upload(store, definitions, start(), end(), flows("s e"))
    (two,) = upload(store, definitions, start(), user("u"), end(), flows("s u e"))
    with store.write() as session:
        assert [(v.version, v.state) for v in versions_of(session, "p")] == [(2, "draft"), (1, "draft")]
        with pytest.raises(NotFound):
            active_version(session, "p")
        definitions.deploy(session, one, at=AT, actor="pd")
        assert active_version(session, "p").id == one
        definitions.deploy(session, two, at=AT, actor="pd")
        assert active_version(session, "p").id == two
    with store.read() as session:
        assert [(v.version, v.state) for v in versions_of(session, "p")] == [(2, "active"), (1, "retired")]


def test_the_same_diagram_again_is_no_version_but_other_forms_are(store: Store) -> None:
    definitions = Definitions(lambda _session: Catalogue())
    body = start(), user("u", _formKey="f"), end(), flows("s u e")
    upload(store, definitions, *body, forms={"f": FORM})
    with pytest.raises(NothingChanged):
        upload(store, definitions, *body, forms={"f": FORM})
    upload(store, definitions, *body, forms={"f": FORM | {"id": "g"}})
    with store.read() as session:
        assert [v.version for v in versions_of(session, "p")] == [2, 1]


def test_a_refused_diagram_leaves_nothing_and_warnings_are_kept(store: Store) -> None:
    definitions = Definitions(lambda _session: Catalogue(roles=frozenset({"FC"})))
    with pytest.raises(DiagramRefused):
        upload(store, definitions, start(), user("u", _role="XX"), end(), flows("s u e"))
    with pytest.raises(DiagramRefused):  # nobody uses this form, and nobody could
        upload(store, definitions, start(), end(), flows("s e"), forms={"f": {"type": "other"}})
    with store.read() as session:
        assert session.query(Deployment).count() == 0
    upload(store, definitions, start(), user("u"), end(), flows("s u e"))
    with store.read() as session:
        (row,) = session.query(Deployment)
        assert {p["code"] for p in row.problems} == {"FORM_MISSING", "NOT_DRAWN"}
        assert row.problems[0]["message_zh"]


def test_what_does_not_exist_is_not_found(store: Store) -> None:
    definitions = Definitions(lambda _session: Catalogue())
    with store.write() as session:
        with pytest.raises(NotFound):
            definitions.deploy(session, 7, at=AT, actor="pd")
        with pytest.raises(NotFound):
            definitions.executable(session, 7)


def test_parsed_versions_are_kept_up_to_a_number(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 1)
    definitions = Definitions(lambda _session: Catalogue())
    body = start(), user("u", _formKey="f"), end(), flows("s u e")
    (one,) = upload(store, definitions, *body, forms={"f": FORM})
    (two,) = upload(store, definitions, start(), end(), flows("s e"))
    with store.read() as session:
        first = definitions.executable(session, one)
        assert definitions.executable(session, one) is first
        assert definitions.form(session, one, "f") is not None
        definitions.executable(session, two)
        assert definitions.executable(session, one) is not first


def test_an_open_instance_stays_on_the_version_that_it_started_on(store: Store) -> None:
    site = Site(store, start(), user("u", "v"), end(), flows("s u v e"))
    site.start()
    (newer,) = upload(store, site.definitions, start(), user("u"), end(), flows("s u e"))
    with store.write() as session:
        site.definitions.deploy(session, newer, at=AT, actor="pd")
    site.complete("u")
    assert site.open_tasks() == ["v"]
    assert len(site.rows(ProcessDefinition)) == 2
