"""The shapes of /api/v1 as marshmallow schemas. Request shapes are loaded; answer shapes describe the views' plain dicts."""

from __future__ import annotations

from marshmallow import RAISE, Schema, fields, validate


class Strict(Schema):
    """A request: what we do not know is refused."""

    class Meta:
        unknown = RAISE


def _text(most: int = 200, **more: object) -> fields.String:
    return fields.String(validate=validate.Length(max=most), **more)  # type: ignore[arg-type]


def _maybe_text() -> fields.String:
    return fields.String(required=True, allow_none=True)


def _maybe_time() -> fields.DateTime:
    return fields.DateTime(required=True, allow_none=True)


# ---- requests


class Completion(Strict):
    """The answers to a task's form; `request_id` makes a repeat harmless."""

    values = fields.Dict(keys=fields.String(), load_default=dict)
    request_id = _text(100, load_default=None, allow_none=True)


class NewInstance(Strict):
    """Which process to start, and its first variables."""

    process = _text(64, required=True)
    variables = fields.Dict(keys=fields.String(validate=validate.Length(min=1, max=200)), load_default=dict)


class Cancellation(Strict):
    """Why an order is to be cancelled."""

    reason = _text(500, load_default=None, allow_none=True)


class NewNote(Strict):
    """A remark."""

    text = fields.String(required=True, validate=validate.Length(min=1, max=2000))


class NewToken(Strict):
    """A token for oneself."""

    name = fields.String(required=True, validate=validate.Length(min=1, max=200))
    days = fields.Integer(strict=True, load_default=90, validate=validate.Range(min=1, max=365))


class NewHold(Strict):
    """Where, how fast, and the caller's own name for it."""

    address = fields.String(required=True, validate=validate.Length(min=1, max=300))
    area = _text(64, load_default=None, allow_none=True)
    speed_mbps = fields.Integer(strict=True, load_default=0, validate=validate.Range(min=0, max=10**6))
    reference = _text(100, load_default=None, allow_none=True)


class Nothing(Strict):
    """No values are needed."""


# ---- answers


class Holder(Schema):
    """Who has claimed a task."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)


class CrewRef(Schema):
    """The crew that a task was given to."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    name_en = fields.String(required=True)


class Task(Schema):
    """A task (工单). `form` is the form-js document when `expand=form` asks for it."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    name_en = fields.String(required=True)
    element = fields.String(required=True)
    order = fields.String(required=True)
    instance = fields.Integer(required=True)
    state = fields.String(
        required=True, validate=validate.OneOf(["open", "claimed", "completed", "cancelled"])
    )
    role = fields.String(required=True)
    area = _maybe_text()
    customer = _maybe_text()
    crew = fields.Nested(CrewRef, required=True, allow_none=True)
    assignee = fields.Nested(Holder, required=True, allow_none=True)
    due_at = _maybe_time()
    created_at = fields.DateTime(required=True)
    closed_at = _maybe_time()
    form_key = _maybe_text()
    form = fields.Dict(required=True, allow_none=True)


class TaskList(Schema):
    """A page of tasks."""

    items = fields.List(fields.Nested(Task), required=True)
    next = _maybe_text()


class Completed(Schema):
    """The completed task, and what is open now in the same process."""

    task = fields.Nested(Task, required=True)
    next_tasks = fields.List(fields.Nested(Task), required=True)


class OrderItem(Schema):
    """One item of an order."""

    id = fields.String(required=True)
    action = fields.String(required=True)
    product = fields.String(required=True)
    state = fields.String(required=True)
    instance = fields.Integer(required=True, allow_none=True)


class Note(Schema):
    """A remark on an order."""

    id = fields.Integer(required=True)
    author = fields.String(required=True)
    text = fields.String(required=True)
    at = fields.DateTime(required=True)


class OrderError(Schema):
    """Why an order failed."""

    code = _maybe_text()
    message = _maybe_text()


class Order(Schema):
    """A service order."""

    id = fields.String(required=True)
    external_id = _maybe_text()
    source = fields.String(required=True)
    order_type = fields.String(required=True)
    state = fields.String(required=True)
    product = fields.String(required=True)
    tier = fields.String(required=True)
    area = fields.String(required=True)
    customer = _maybe_text()
    phone = _maybe_text()
    address = _maybe_text()
    placed_at = fields.DateTime(required=True)
    started_at = _maybe_time()
    expected_at = _maybe_time()
    ended_at = _maybe_time()
    version = fields.Integer(required=True)
    urges = fields.Integer(required=True)
    error = fields.Nested(OrderError, required=True, allow_none=True)
    items = fields.List(fields.Nested(OrderItem), required=True)
    notes = fields.List(fields.Nested(Note), required=True)


class OrderList(Schema):
    """A page of orders."""

    items = fields.List(fields.Nested(Order), required=True)
    next = _maybe_text()


class TimelineEntry(Schema):
    """Something that happened."""

    id = fields.Integer(required=True)
    at = fields.DateTime(required=True)
    kind = fields.String(required=True)
    actor = _maybe_text()
    element = _maybe_text()
    data = fields.Dict(required=True)


class Timeline(Schema):
    """What happened to an order, newest first."""

    items = fields.List(fields.Nested(TimelineEntry), required=True)
    next = _maybe_text()


class CancelRequest(Schema):
    """A wish to cancel, and what became of it."""

    id = fields.String(required=True)
    order = fields.String(required=True)
    state = fields.String(required=True)
    reason = _maybe_text()
    message = _maybe_text()
    requested_at = fields.DateTime(required=True)
    ended_at = _maybe_time()


class Cancelled(Schema):
    """The wish, and the order as it stands now."""

    cancel_request = fields.Nested(CancelRequest, required=True)
    order = fields.Nested(Order, required=True)


class Resting(Schema):
    """A place in the diagram where an instance waits."""

    element = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(["ready", "started", "waiting", "failed"]))


class Instance(Schema):
    """A process instance. `variables` is null for callers without the right see_variables."""

    id = fields.Integer(required=True)
    business_key = fields.String(required=True)
    process = fields.String(required=True)
    version = fields.Integer(required=True)
    state = fields.String(required=True)
    created_at = fields.DateTime(required=True)
    ended_at = _maybe_time()
    error = fields.Nested(OrderError, required=True, allow_none=True)
    tokens = fields.List(fields.Nested(Resting), required=True)
    variables = fields.Dict(required=True, allow_none=True)


class Started(Schema):
    """A new process instance."""

    id = fields.Integer(required=True)
    business_key = fields.String(required=True)
    process = fields.String(required=True)
    version = fields.Integer(required=True)
    state = fields.String(required=True)


class Incident(Schema):
    """Something that a person has to mend."""

    id = fields.Integer(required=True)
    state = fields.String(required=True)
    order = fields.String(required=True)
    instance = fields.Integer(required=True, allow_none=True)
    element = _maybe_text()
    element_name = fields.String(required=True)
    area = _maybe_text()
    code = fields.String(required=True)
    message = fields.String(required=True)
    fingerprint = fields.String(required=True)
    attempts = fields.Integer(required=True)
    created_at = fields.DateTime(required=True)
    resolved_at = _maybe_time()
    resolved_by = _maybe_text()


class IncidentList(Schema):
    """A page of incidents."""

    items = fields.List(fields.Nested(Incident), required=True)
    next = _maybe_text()


class Problem(Schema):
    """What the check of a diagram found."""

    code = fields.String(required=True)
    severity = fields.String(required=True, validate=validate.OneOf(["error", "warning"]))
    line = fields.Integer(required=True, allow_none=True)
    element = _maybe_text()
    message = fields.String(required=True)
    remedy = fields.String(required=True)


class Definition(Schema):
    """One version of one process."""

    id = fields.Integer(required=True)
    process = fields.String(required=True)
    version = fields.Integer(required=True)
    name = fields.String(required=True)
    name_en = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(["draft", "active", "retired"]))
    created_at = fields.DateTime(required=True)
    deployed_at = _maybe_time()
    deployed_by = _maybe_text()


class DefinitionList(Schema):
    """A page of versions."""

    items = fields.List(fields.Nested(Definition), required=True)
    next = _maybe_text()


class DefinitionDetail(Definition):
    """A version with the report of its check and the names of its forms."""

    filename = fields.String(required=True)
    uploaded_by = fields.String(required=True)
    forms = fields.List(fields.String(), required=True)
    problems = fields.List(fields.Nested(Problem), required=True)


class Uploaded(Schema):
    """The new draft versions, one for each process of the file, and the warnings of the check."""

    items = fields.List(fields.Nested(Definition), required=True)
    problems = fields.List(fields.Nested(Problem), required=True)


class Token(Schema):
    """A token; its text is not known any more."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    created_at = fields.DateTime(required=True)
    expires_at = fields.DateTime(required=True)
    used_at = _maybe_time()
    revoked_at = _maybe_time()


class TokenList(Schema):
    """All tokens of the caller, newest first."""

    items = fields.List(fields.Nested(Token), required=True)
    next = _maybe_text()


class CreatedToken(Schema):
    """The text of a new token; it is shown this once."""

    token = fields.String(required=True)
    item = fields.Nested(Token, required=True)


class Me(Schema):
    """The caller."""

    id = fields.Integer(required=True)
    login = fields.String(required=True)
    name = fields.String(required=True)
    locale = fields.String(required=True)
    roles = fields.List(fields.String(), required=True)
    rights = fields.List(fields.String(), required=True)
    areas = fields.List(fields.String(), required=True)
    crew = _maybe_text()
    employer = _maybe_text()


class BuildingRef(Schema):
    """A building that we know."""

    area = fields.String(required=True)
    name = fields.String(required=True)


class Network(Schema):
    """A network that could serve an address."""

    network = fields.String(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(["own", "partner"]))
    name = _maybe_text()
    name_en = _maybe_text()
    technology = fields.String(required=True)
    top_speed_mbps = fields.Integer(required=True)


class Serviceability(Schema):
    """What can be sold at an address; `building` is null where we know none of that name."""

    building = fields.Nested(BuildingRef, required=True, allow_none=True)
    networks = fields.List(fields.Nested(Network), required=True)


class Hold(Schema):
    """A port that waits for this customer."""

    id = fields.String(required=True)
    until = fields.DateTime(required=True)


class RefusedRow(Schema):
    """A row that was not taken; the heading is row 1."""

    row = fields.Integer(required=True)
    column = fields.String(required=True)
    reason = fields.String(required=True)


class ImportReport(Schema):
    """What became of the rows of a file. `refusals` shows the first thousand."""

    kind = fields.String(required=True)
    dry_run = fields.Boolean(required=True)
    rows = fields.Integer(required=True)
    added = fields.Integer(required=True)
    changed = fields.Integer(required=True)
    unchanged = fields.Integer(required=True)
    refused = fields.Integer(required=True)
    refusals = fields.List(fields.Nested(RefusedRow), required=True)


class MasterRow(Schema):
    """One row of a table of master data, by column."""

    row = fields.Dict(keys=fields.String(), required=True)


class MasterRows(Schema):
    """Rows as the table has them."""

    items = fields.List(fields.Dict(), required=True)
    next = _maybe_text()


class Error(Schema):
    """A problem report (RFC 9457). `errors` names fields, `problems` the mistakes in a diagram."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    code = fields.String(required=True)
    instance = fields.String(required=True)
    errors = fields.Raw()
    problems = fields.List(fields.Nested(Problem))
