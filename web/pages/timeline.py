"""What happened, in words: one line per event of an order or a task, and per step that the system did by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext

from engine.events import Event
from engine.identity.people import names_by_login
from engine.orders.model import ServiceOrder
from engine.orders.queries import events_of
from engine.runtime.progress import Name, Passage, Progress
from tasks import queries as tasks
from tasks.field.crews import crew_names
from tasks.model import Task
from web.pages import partner_words, resource_lines, ticket_words, verb_words, words
from web.pages.incident_words import told


@dataclass(frozen=True, slots=True)
class Line:
    """One entry. `kind` chooses the sign (order, step, task, call, incident, clock, note), `level` the colour."""

    at: datetime
    kind: str
    title: str
    detail: str = ""
    actor: str = ""
    level: str = "info"


Words = tuple[str, str, str, str]  # kind, level, title, detail
Teller = Callable[[Mapping[str, Any], str], Words]  # given the event's data and the name of its element


def timeline(db: Any, order: ServiceOrder, progress: Sequence[Progress]) -> list[Line]:
    """An order's story, newest first."""
    events = events_of(db, order)
    names = {step.element: step.name for one in progress for step in one.steps}
    names |= {passage.element: passage.name for one in progress for passage in one.passages}
    people, crews = _people(db, events), crew_names(db)
    lines = [event_line(event, names, people, crews) for event in events]
    lines += [passage_line(passage) for one in progress for passage in reversed(one.passages)]
    return sorted(lines, key=lambda line: line.at, reverse=True)


def task_history(db: Any, task: Task) -> list[dict[str, Any]]:
    """A task's story, newest first."""
    events = tasks.history(db, task)
    people, crews = _people(db, events), crew_names(db)
    lines = [event_line(event, {}, people, crews) for event in events]
    return [{"at": line.at, "text": line.title, "actor": line.actor} for line in lines]


def event_line(
    event: Event, names: Mapping[str, Name], people: Mapping[str, str], crews: Mapping[str, words.Pair]
) -> Line:
    """One event in the reader's words; a kind that nobody here knows is shown by its name."""
    teller = TELLERS.get(event.kind)
    element = event.element or ""
    step = words.say(*names[element]) if element in names else element
    data = event.data | {"crew": words.named(crews, event.data.get("crew"))}
    kind, level, title, detail = teller(data, step) if teller else ("order", "info", event.kind, step)
    return Line(event.at, kind, title, detail, words.actor(event.actor, people), level)


def passage_line(passage: Passage) -> Line:
    """A step that the system did, or an event that happened."""
    name = words.say(*passage.name)
    title, level = {
        "completed": (gettext("%(step)s: done", step=name), "ok"),
        "caught": (gettext("%(step)s: happened", step=name), "warn"),
        "thrown": (gettext("%(step)s: refused", step=name), "error"),
    }[passage.what]
    return Line(passage.at, "step", title, "", gettext("System"), level)


def _people(db: Any, events: Iterable[Event]) -> dict[str, str]:
    return names_by_login(db, {event.actor for event in events})


# ---- one function per kind of event


def _task_name(data: Mapping[str, Any]) -> str:
    return words.say(str(data.get("name", "")), str(data.get("name_en", "")))


def _placed(data: Mapping[str, Any], _step: str) -> Words:
    return "order", "info", gettext("Order received"), str(data.get("product", ""))


def _state_changed(data: Mapping[str, Any], _step: str) -> Words:
    after = str(data.get("after"))
    level = {"completed": "ok", "failed": "error", "rejected": "error", "held": "warn", "cancelled": "warn"}
    title = gettext("Order: %(state)s", state=words.order_state(after))
    before = gettext("before: %(state)s", state=words.order_state(str(data.get("before"))))
    return "order", level.get(after, "info"), title, before


def _noted(data: Mapping[str, Any], _step: str) -> Words:
    return "note", "info", gettext("Note"), str(data.get("text", ""))


def _people_told(data: Mapping[str, Any], _step: str) -> Words:
    title = gettext("Told in the inbox: %(role)s", role=data.get("role"))
    return "note", "info", title, str(data.get("text", ""))


def _changed(data: Mapping[str, Any], _step: str) -> Words:
    title = gettext("Changed by its sender: %(name)s", name=data.get("attribute"))
    return "order", "info", title, str(data.get("after") or "")


def _asked(data: Mapping[str, Any], step: str) -> Words:
    return "order", "warn", gettext("Asked for: %(name)s", name=data.get("field")), step


def _cancel_requested(data: Mapping[str, Any], _step: str) -> Words:
    return "order", "warn", gettext("Cancellation asked for"), str(data.get("reason") or "")


def _cancel_answered(data: Mapping[str, Any], _step: str) -> Words:
    if data.get("granted"):
        return "order", "warn", gettext("Cancellation approved"), ""
    return "order", "ok", gettext("Cancellation refused: the order goes on"), ""


def _milestone(data: Mapping[str, Any], _step: str) -> Words:
    title = gettext("Milestone: %(name)s", name=words.milestone(str(data.get("milestone"))))
    return "order", "ok", title, ""


def _started(_data: Mapping[str, Any], _step: str) -> Words:
    return "step", "info", gettext("Process started"), ""


def _ended(data: Mapping[str, Any], _step: str) -> Words:
    state = str(data.get("state"))
    level = {"completed": "ok", "failed": "error"}.get(state, "warn")
    return (
        "step",
        level,
        gettext("Process ended: %(state)s", state=words.order_state(state)),
        str(data.get("code") or ""),
    )


def _task_opened(data: Mapping[str, Any], _step: str) -> Words:
    detail = f"{_task_name(data)} · {data.get('task')}"
    if data.get("crew"):
        return "task", "info", gettext("Task for crew %(crew)s", crew=data["crew"]), detail
    return "task", "info", gettext("Task opened"), detail


def _task_claimed(data: Mapping[str, Any], _step: str) -> Words:
    return (
        "task",
        "info",
        gettext("Task claimed by %(person)s", person=data.get("person", "")),
        _task_name(data),
    )


def _task_released(data: Mapping[str, Any], _step: str) -> Words:
    return "task", "info", gettext("Task given back"), _task_name(data)


def _task_completed(data: Mapping[str, Any], _step: str) -> Words:
    title = gettext("Task completed by %(person)s", person=data.get("person", ""))
    return "task", "ok", title, _task_name(data)


def _task_cancelled(data: Mapping[str, Any], _step: str) -> Words:
    return "task", "warn", gettext("Task cancelled"), _task_name(data)


def _incident(data: Mapping[str, Any], step: str) -> Words:
    title = gettext("Incident: %(step)s", step=step)
    return "incident", "error", title, told(str(data.get("code")), str(data.get("message"))).sentence


def _retried(_data: Mapping[str, Any], step: str) -> Words:
    return "incident", "warn", gettext("Queued for re-run: %(step)s", step=step), ""


def clock_label(data: Mapping[str, Any]) -> str:
    """The promise that a warning is about."""
    return words.say(str(data.get("label", "")), str(data.get("label_en", "")))


def _warned(data: Mapping[str, Any], _step: str) -> Words:
    title = gettext("%(percent)s %% of the time is used", percent=data.get("percent"))
    return "clock", "warn", title, clock_label(data)


def _breached(data: Mapping[str, Any], _step: str) -> Words:
    return "clock", "error", gettext("The time limit has passed"), clock_label(data)


def _not_told(data: Mapping[str, Any], _step: str) -> Words:
    title = gettext("A listener of the ordering system could not be told")
    return "call", "warn", title, str(data.get("event_type", ""))


def _expired(data: Mapping[str, Any], _step: str) -> Words:
    return "call", "warn", gettext("A message came that nobody waited for in time"), str(data.get("name", ""))


def _uploaded(data: Mapping[str, Any], _step: str) -> Words:
    return "step", "info", gettext("Diagram uploaded"), f"{data.get('process')} v{data.get('version')}"


def _deployed(data: Mapping[str, Any], _step: str) -> Words:
    return "step", "info", gettext("Diagram deployed"), f"{data.get('process')} v{data.get('version')}"


def _loaded(data: Mapping[str, Any], _step: str) -> Words:
    return "step", "info", gettext("Master data loaded"), str(data.get("file", ""))


def _row_saved(data: Mapping[str, Any], _step: str) -> Words:
    return "step", "info", gettext("Master data changed"), str(data.get("table", ""))


TELLERS: Mapping[str, Teller] = {
    **resource_lines.TELLERS,
    "MasterDataChanged": _row_saved,
    "MasterDataLoaded": _loaded,
    "ResourcesImported": _loaded,
    "OrderPlaced": _placed,
    "OrderStateChanged": _state_changed,
    "OrderNoted": _noted,
    "PeopleTold": _people_told,
    "OrderChanged": _changed,
    "InformationAsked": _asked,
    "CancelRequested": _cancel_requested,
    "CancelAnswered": _cancel_answered,
    "MilestoneReached": _milestone,
    "InstanceStarted": _started,
    "InstanceEnded": _ended,
    "TaskOpened": _task_opened,
    "TaskClaimed": _task_claimed,
    "TaskReleased": _task_released,
    "TaskCompleted": _task_completed,
    "TaskCancelled": _task_cancelled,
    "IncidentOpened": _incident,
    "IncidentRetried": _retried,
    "SlaWarned": _warned,
    "SlaBreached": _breached,
    "CallbackGivenUp": _not_told,
    "MessageExpired": _expired,
    "DefinitionUploaded": _uploaded,
    "DefinitionDeployed": _deployed,
    **partner_words.TELLERS,
    **ticket_words.TELLERS,
    **verb_words.TELLERS,
}
