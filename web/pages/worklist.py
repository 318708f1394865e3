"""The worklist: tasks by view, soonest due first, and claiming one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engine.errors import KaitongError, NotFound
from engine.orders.model import ServiceOrder
from engine.orders.queries import orders_of_instances
from engine.resources.queries import area_names
from tasks import queries
from tasks import worklist as commands
from tasks.model import Task
from web.auth import allow
from web.pages import words
from web.pages.blueprint import pages
from web.pages.navigation import default_view
from web.pages.refusals import flash_error, is_fragment
from web.services import services

PAGE = 50


@pages.get("/tasks")
@allow("view_tasks")
def worklist() -> ResponseReturnValue:
    """One view of the worklist."""
    me, now = services(), services().clock.now()
    view, text = _view(), request.args.get("q", "").strip()
    with me.store.read() as db:
        found, after = queries.worklist(
            db, g.actor, view, now=now, text=text or None, after=request.args.get("after") or None, limit=PAGE
        )
        counts = queries.counts(db, g.actor, now)
        rows = task_rows(db, found)
    return render_template(
        "worklist.html",
        view=view,
        views=_tabs(counts),
        q=text,
        tasks=rows,
        next_url=url_for("pages.worklist", view=view, q=text or None, after=after) if after else None,
        sort_rule=sort_rule(),
    )


@pages.post("/tasks/<task_id>/claim")
@allow("complete_task")
def claim_task(task_id: str) -> ResponseReturnValue:
    """Takes a task: a script gets its new row, a person without scripts goes to the task."""
    me = services()
    try:
        with me.store.write() as db:
            task = commands.claim(db, g.actor, task_id, at=me.clock.now())
            rows = task_rows(db, [task]) if is_fragment() else []
    except NotFound:
        raise
    except KaitongError as refusal:
        if is_fragment():
            raise
        flash_error(refusal)
        return redirect(url_for("pages.task", task_id=task_id), 303)
    if is_fragment():
        return render_template("_task_rows.html", tasks=rows, q="", next_url=None, sort_rule=sort_rule())
    flash(gettext("The task is yours now."), "success")
    return redirect(url_for("pages.task", task_id=task_id), 303)


def task_rows(db: Any, tasks: Sequence[Task]) -> list[dict[str, Any]]:
    """Tasks as the list shows them."""
    orders = orders_of_instances(db, [task.instance_id for task in tasks])
    people, crews = queries.names(db, tasks)
    areas = area_names(db)
    return [task_row(task, people, crews, areas) | _of_order(orders.get(task.instance_id)) for task in tasks]


def _of_order(order: ServiceOrder | None) -> dict[str, Any]:
    """What a row says of the task's order."""
    if order is None:
        return {}
    return {"tier": words.tier(order.tier), "urged": order.urges > 0}


def task_row(
    task: Task,
    people: Mapping[int, str],
    crews: Mapping[str, words.Pair],
    areas: Mapping[str, words.Pair],
) -> dict[str, Any]:
    """One task in the reader's words."""
    return {
        "id": task.id,
        "name": words.say(task.name, task.name_en),
        "order": task.business_key,
        "customer": words.customer(task.customer),
        "tier": "",
        "urged": False,
        "area": words.named(areas, task.area),
        "element": task.element,
        "state": task.state,
        "due_at": task.due_at,
        "assignee": people.get(task.assignee_id, "") if task.assignee_id is not None else "",
        "crew": words.named(crews, task.crew_id),
        "claimable": commands.may_claim(task, g.actor),
        "mine": task.assignee_id == g.actor.person_id,
        "url": url_for("pages.task", task_id=task.id),
    }


def sort_rule() -> str:
    return gettext("Soonest due first; tasks without a limit come last.")


def _view() -> queries.View:
    """An unknown view is the one that the reader begins with."""
    wanted = request.args.get("view", "")
    return wanted if wanted in queries.VIEWS else default_view()


def _tabs(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    labels = {
        "mine": gettext("Mine"),
        "crew": gettext("Crew"),
        "open": gettext("Unclaimed"),
        "late": gettext("Overdue"),
    }
    return [
        {"key": key, "label": labels[key], "count": counts[key], "url": url_for("pages.worklist", view=key)}
        for key in queries.VIEWS
    ]
