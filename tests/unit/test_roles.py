"""The table of rights, and what an actor may do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.errors import NotAllowed
from engine.identity import RIGHTS, ROLES, SYSTEM, Actor
from engine.identity.rights import rights_of

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "reference" / "roles.md"


def an_actor(*roles: str, scopes: frozenset[str] | None = None) -> Actor:
    return Actor(7, "lin", "林", frozenset(roles), scopes=scopes)


def test_every_right_names_only_known_roles() -> None:
    assert {role for holders in RIGHTS.values() for role in holders} <= set(ROLES)


def test_an_administrator_holds_every_right() -> None:
    assert rights_of(frozenset({"AD"})) == set(RIGHTS)


def test_the_system_does_everything_but_hand_out_keys() -> None:
    assert set(RIGHTS) - rights_of(SYSTEM.roles) == {"manage_people", "manage_tokens"}


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
        assert f"| `{role.code}` | {role.name_en} | {role.name_zh} |" in text


def test_the_document_lists_every_right_with_its_roles() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| ([A-Z ]*)\|$", DOCUMENT.read_text("utf-8"), re.MULTILINE))
    written = {right: frozenset(rows[right].split()) for right in RIGHTS}
    assert written == {right: holders - {"AD", "SYS"} for right, holders in RIGHTS.items()}
