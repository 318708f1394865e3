"""The table of rights, and what an actor may do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.errors import NotAllowed
from engine.identity import RIGHTS, SYSTEM
from engine.identity.rights import Grants, read_grants, rights_of
from tests.actors import GRANTS, ROLES, an_actor

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "reference" / "roles.md"


def test_the_shipped_table_grants_only_rights_that_there_are() -> None:
    assert {right for granted in GRANTS.values() for right in granted} <= set(RIGHTS)


@pytest.mark.parametrize("grants", [GRANTS, {}, {"AD": frozenset({"view_tasks"})}])
def test_an_administrator_holds_every_right_whatever_the_table_says(grants: Grants) -> None:
    assert rights_of(frozenset({"AD"}), grants) == set(RIGHTS)


def test_the_system_does_everything_but_hand_out_keys() -> None:
    assert set(RIGHTS) - SYSTEM.rights == {"manage_people", "manage_tokens"}


def test_what_a_table_grants_and_the_program_does_not_know_is_no_right() -> None:
    table = read_grants("FC:view_tasks fly;DP:;PM:view_sla")
    assert rights_of(frozenset({"FC", "DP", "XX"}), table) == {"view_tasks"}


def test_rights_of_several_roles_add_up() -> None:
    both = an_actor("FC", "PD")
    assert both.can("complete_task")
    assert both.can("upload_definition")
    assert not both.can("retry_incident")


def test_somebody_without_a_role_may_do_nothing() -> None:
    assert [right for right in RIGHTS if an_actor().can(right)] == []


def test_scopes_narrow_what_roles_allow_and_never_widen_it() -> None:
    actor = an_actor("OP", scopes=frozenset({"view_incidents", "manage_people"}))
    assert actor.can("view_incidents")
    assert not actor.can("retry_incident")
    assert not actor.can("manage_people")


def test_a_missing_right_is_named_in_the_refusal() -> None:
    with pytest.raises(NotAllowed, match='the right "deploy_definition"'):
        an_actor("FC").require("deploy_definition")


def test_a_right_that_does_not_exist_is_a_mistake_and_not_a_no() -> None:
    with pytest.raises(KeyError):
        an_actor("AD").can("deploy")


@pytest.mark.parametrize("role", ["OP", "NC", "PD", "DE", "TX", "MT"])
def test_posts_that_never_meet_the_customer_do_not_see_his_data(role: str) -> None:
    assert not an_actor(role).can("see_customer_data")


def test_the_document_lists_every_role_with_both_names() -> None:
    text = DOCUMENT.read_text("utf-8")
    for role in ROLES.values():
        assert f"| `{role['code']}` | {role['name_en']} | {role['name']} |" in text


def test_the_document_lists_every_right_with_its_roles() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| ([A-Z ]*)\|$", DOCUMENT.read_text("utf-8"), re.MULTILINE))
    written = {right: frozenset(rows[right].split()) for right in RIGHTS}
    granted = {right: {code for code, rights in GRANTS.items() if right in rights} for right in RIGHTS}
    assert written == granted
