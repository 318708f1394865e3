"""The first shape of the database."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite counts up INTEGER keys only


def upgrade() -> None:
    """Makes all tables."""
    op.create_table(
        "access_port",
        sa.Column("id", KEY, primary_key=True, autoincrement=True),
        sa.Column("node", sa.String(64), nullable=False),
        sa.Column("port", sa.String(64), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("vlan", sa.Integer, nullable=False),
        sa.Column("holder", sa.String(40)),
        sa.Column("held_until", sa.BigInteger),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("node", "port"),
    )
    op.create_index("ix_access_port_holder", "access_port", ["holder"])
    op.create_index("ix_access_port_node_state", "access_port", ["node", "state"])
    op.create_table(
        "area",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("name_en", sa.String(200), nullable=False),
    )
    op.create_table(
        "crew",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("name_en", sa.String(200), nullable=False),
        sa.Column("employer", sa.String(64)),
        sa.Column("areas", sa.JSON, nullable=False),
        sa.Column("skills", sa.JSON, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
    )
    op.create_table(
        "deployment",
        sa.Column("id", KEY, primary_key=True, autoincrement=True),
        sa.Column("filename", sa.String(200), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("xml", sa.LargeBinary, nullable=False),
        sa.Column("forms", sa.JSON, nullable=False),
        sa.Column("problems", sa.JSON, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
    )
    op.create_table(
        "event",
        sa.Column("id", KEY, primary_key=True, autoincrement=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("business_key", sa.String(40)),
        sa.Column("instance_id", sa.Integer),
        sa.Column("element", sa.String(64)),
        sa.Column("data", sa.JSON, nullable=False),
    )
    op.create_index("ix_event_business_key_id", "event", ["business_key", "id"])
    op.create_index("ix_event_instance_id_id", "event", ["instance_id", "id"])
    op.create_table(
        "heartbeat",
        sa.Column("process", sa.String(120), primary_key=True),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "hub_subscription",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("callback", sa.String(500), nullable=False),
        sa.Column("query", sa.String(500)),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "number_series",
        sa.Column("prefix", sa.String(8), primary_key=True),
        sa.Column("day", sa.String(8), primary_key=True),
        sa.Column("last", sa.Integer, nullable=False),
    )
    op.create_table(
        "person",
        sa.Column("id", KEY, primary_key=True, autoincrement=True),
        sa.Column("login", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("password_hash", sa.String(200)),
        sa.Column("roles", sa.JSON, nullable=False),
        sa.Column("areas", sa.JSON, nullable=False),
        sa.Column("crew_id", sa.String(64)),
        sa.Column("employer", sa.String(64)),
        sa.Column("locale", sa.String(8), nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("must_change_password", sa.Boolean, nullable=False),
        sa.Column("failed_logins", sa.Integer, nullable=False),
        sa.Column("locked_until", sa.BigInteger),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("login"),
    )
    op.create_index("ix_person_crew_id", "person", ["crew_id"])
    op.create_table(
        "process_binding",
        sa.Column("id", KEY, primary_key=True, autoincrement=True),
        sa.Column("order_type", sa.String(64), nullable=False),
        sa.Column("product", sa.String(64)),
        sa.Column("area", sa.String(64)),
        sa.Column("tier", sa.String(64)),
        sa.Column("valid_from", sa.BigInteger, nullable=False),
        sa.Column("process_key", sa.String(64), nullable=False),
    )
    op.create_table(
        "product",
        sa.Column("code", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("name_en", sa.String(200), nullable=False),
        sa.Column("order_type", sa.String(64), nullable=False),
        sa.Column("speed_mbps", sa.Integer, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
    )
    op.create_table(
        "replayed_request",
        sa.Column("id", KEY, primary_key=True, autoincrement=True),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("body_sha256", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("source", "key"),
    )
    op.create_index("ix_replayed_request_at", "replayed_request", ["at"])
    op.create_table(
        "service_order",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("external_id", sa.String(100)),
        sa.Column("order_type", sa.String(64), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("state_before_cancel", sa.String(24)),
        sa.Column("product", sa.String(64), nullable=False),
        sa.Column("tier", sa.String(64), nullable=False),
        sa.Column("area", sa.String(64), nullable=False),
        sa.Column("customer", sa.String(200), nullable=False),
        sa.Column("phone", sa.String(64), nullable=False),
        sa.Column("address", sa.String(300), nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("error_code", sa.String(64)),
        sa.Column("error_message", sa.String(500)),
        sa.Column("placed_at", sa.BigInteger, nullable=False),
        sa.Column("started_at", sa.BigInteger),
        sa.Column("expected_at", sa.BigInteger),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("version", sa.Integer, nullable=False),
        sa.UniqueConstraint("source", "external_id"),
    )
    op.create_index("ix_service_order_placed_at_id", "service_order", ["placed_at", "id"])
    op.create_index("ix_service_order_state_id", "service_order", ["state", "id"])
    op.create_table(
        "sla_policy",
        sa.Column("id", KEY, primary_key=True, autoincrement=True),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("name_en", sa.String(200), nullable=False),
        sa.Column("subject", sa.String(8), nullable=False),
        sa.Column("order_type", sa.String(64)),
        sa.Column("product", sa.String(64)),
        sa.Column("process", sa.String(64)),
        sa.Column("element", sa.String(64)),
        sa.Column("limit_minutes", sa.Integer, nullable=False),
        sa.Column("rungs", sa.JSON, nullable=False),
        sa.Column("valid_from", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "api_token",
        sa.Column("id", KEY, primary_key=True, autoincrement=True),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("person_id", KEY, sa.ForeignKey("person.id"), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
        sa.Column("used_at", sa.BigInteger),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_index("ix_api_token_person_id", "api_token", ["person_id"])
    op.create_table(
        "cancel_request",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("order_id", sa.String(40), sa.ForeignKey("service_order.id"), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("reason", sa.String(500)),
        sa.Column("message", sa.String(500)),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("requested_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
    )
    op.create_index("ix_cancel_request_order_id", "cancel_request", ["order_id"])
    op.create_table(
        "coverage",
        sa.Column("id", KEY, primary_key=True, autoincrement=True),
        sa.Column("area_id", sa.String(64), sa.ForeignKey("area.id"), nullable=False),
        sa.Column("building", sa.String(300), nullable=False),
        sa.Column("node", sa.String(64), nullable=False),
        sa.Column("top_speed_mbps", sa.Integer, nullable=False),
        sa.UniqueConstraint("area_id", "building"),
    )
    op.create_table(
        "inbox_message",
        sa.Column("id", KEY, primary_key=True, autoincrement=True),
        sa.Column("person_id", KEY, sa.ForeignKey("person.id"), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("level", sa.String(8), nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("read_at", sa.BigInteger),
        sa.UniqueConstraint("key"),
    )
    op.create_index("ix_inbox_message_person_id_id", "inbox_message", ["person_id", "id"])
    op.create_table(
        "order_note",
        sa.Column("id", KEY, primary_key=True, autoincrement=True),
        sa.Column("order_id", sa.String(40), sa.ForeignKey("service_order.id"), nullable=False),
        sa.Column("author", sa.String(200), nullable=False),
        sa.Column("text", sa.String(2000), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_order_note_order_id", "order_note", ["order_id"])
    op.create_table(
        "process_definition",
        sa.Column("id", KEY, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("name_en", sa.String(200), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("deployment_id", KEY, sa.ForeignKey("deployment.id"), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("deployed_at", sa.BigInteger),
        sa.Column("deployed_by", sa.String(200)),
        sa.UniqueConstraint("key", "version"),
    )
    op.create_index("ix_process_definition_deployment_id", "process_definition", ["deployment_id"])
    op.create_index("ix_process_definition_key_state", "process_definition", ["key", "state"])
    op.create_table(
        "web_session",
        sa.Column("id_hash", sa.String(64), primary_key=True),
        sa.Column("person_id", KEY, sa.ForeignKey("person.id"), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
        sa.Column("agent", sa.String(200), nullable=False),
    )
    op.create_index("ix_web_session_person_id", "web_session", ["person_id"])
    op.create_table(
        "process_instance",
        sa.Column("id", KEY, primary_key=True, autoincrement=True),
        sa.Column("definition_id", KEY, sa.ForeignKey("process_definition.id"), nullable=False),
        sa.Column("business_key", sa.String(40), nullable=False),
        sa.Column("order_id", sa.String(40)),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("tokens", sa.LargeBinary, nullable=False),
        sa.Column("variables", sa.LargeBinary, nullable=False),
        sa.Column("task_count", sa.Integer, nullable=False),
        sa.Column("has_incident", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("end_element", sa.String(64)),
        sa.Column("end_code", sa.String(64)),
        sa.Column("end_message", sa.String(500)),
    )
    op.create_index("ix_process_instance_business_key", "process_instance", ["business_key"])
    op.create_index("ix_process_instance_definition_id_state", "process_instance", ["definition_id", "state"])
    op.create_table(
        "adapter_call",
        sa.Column("id", KEY, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("operation", sa.String(64), nullable=False),
        sa.Column("target", sa.String(64), nullable=False),
        sa.Column("instance_id", KEY, sa.ForeignKey("process_instance.id")),
        sa.Column("element", sa.String(64)),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("plan", sa.JSON),
        sa.Column("result", sa.JSON),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("error_code", sa.String(64)),
        sa.Column("error", sa.String(1000)),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("key"),
    )
    op.create_index("ix_adapter_call_instance_id", "adapter_call", ["instance_id"])
    op.create_table(
        "instance_history",
        sa.Column("instance_id", KEY, sa.ForeignKey("process_instance.id"), primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "instance_timer",
        sa.Column("instance_id", KEY, sa.ForeignKey("process_instance.id"), primary_key=True),
        sa.Column("token_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_instance_timer_due_at", "instance_timer", ["due_at"])
    op.create_table(
        "job",
        sa.Column("id", KEY, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("instance_id", KEY, sa.ForeignKey("process_instance.id")),
        sa.Column("token_id", sa.Integer),
        sa.Column("element", sa.String(64)),
        sa.Column("payload", sa.JSON, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("owner", sa.String(120)),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("claims", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("lease_until", sa.BigInteger),
        sa.Column("error_code", sa.String(64)),
        sa.Column("error", sa.String(1000)),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.UniqueConstraint("key"),
    )
    op.create_index("ix_job_instance_id_token_id", "job", ["instance_id", "token_id"])
    op.create_index("ix_job_state_due_at", "job", ["state", "due_at"])
    op.create_table(
        "order_item",
        sa.Column("order_id", sa.String(40), sa.ForeignKey("service_order.id"), primary_key=True),
        sa.Column("item_id", sa.String(64), primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("action", sa.String(12), nullable=False),
        sa.Column("product", sa.String(64), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("instance_id", KEY, sa.ForeignKey("process_instance.id")),
    )
    op.create_index("ix_order_item_instance_id", "order_item", ["instance_id"])
    op.create_table(
        "sla_clock",
        sa.Column("id", KEY, primary_key=True, autoincrement=True),
        sa.Column("subject", sa.String(8), nullable=False),
        sa.Column("business_key", sa.String(40), nullable=False),
        sa.Column("instance_id", KEY, sa.ForeignKey("process_instance.id")),
        sa.Column("token_id", sa.Integer, nullable=False),
        sa.Column("element", sa.String(64)),
        sa.Column("label", sa.String(200), nullable=False),
        sa.Column("label_en", sa.String(200), nullable=False),
        sa.Column("area", sa.String(64)),
        sa.Column("policy_id", KEY, sa.ForeignKey("sla_policy.id"), nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.UniqueConstraint("subject", "business_key", "token_id"),
    )
    op.create_index("ix_sla_clock_instance_id", "sla_clock", ["instance_id"])
    op.create_index("ix_sla_clock_state_due_at_id", "sla_clock", ["state", "due_at", "id"])
    op.create_table(
        "subscription",
        sa.Column("instance_id", KEY, sa.ForeignKey("process_instance.id"), primary_key=True),
        sa.Column("token_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
    )
    op.create_index("ix_subscription_name_key", "subscription", ["name", "key"])
    op.create_table(
        "task",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("instance_id", KEY, sa.ForeignKey("process_instance.id"), nullable=False),
        sa.Column("token_id", sa.Integer, nullable=False),
        sa.Column("definition_id", KEY, sa.ForeignKey("process_definition.id"), nullable=False),
        sa.Column("business_key", sa.String(40), nullable=False),
        sa.Column("element", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("name_en", sa.String(200), nullable=False),
        sa.Column("role", sa.String(64), nullable=False),
        sa.Column("area", sa.String(64)),
        sa.Column("skill", sa.String(64)),
        sa.Column("customer", sa.String(200)),
        sa.Column("crew_id", sa.String(64), sa.ForeignKey("crew.id")),
        sa.Column("assignee_id", KEY, sa.ForeignKey("person.id")),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("form_key", sa.String(64)),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("rank_at", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("claimed_at", sa.BigInteger),
        sa.Column("closed_at", sa.BigInteger),
        sa.Column("closed_by", sa.String(200)),
        sa.Column("answers", sa.JSON),
        sa.Column("request_id", sa.String(100)),
        sa.Column("version", sa.Integer, nullable=False),
        sa.UniqueConstraint("instance_id", "token_id"),
    )
    _partial_index("ix_task_area_rank_at_id", "task", ["area", "rank_at", "id"], "closed_at IS NULL")
    _partial_index(
        "ix_task_assignee_id_rank_at_id", "task", ["assignee_id", "rank_at", "id"], "closed_at IS NULL"
    )
    op.create_index("ix_task_business_key", "task", ["business_key"])
    _partial_index("ix_task_crew_id_rank_at_id", "task", ["crew_id", "rank_at", "id"], "closed_at IS NULL")
    op.create_index("ix_task_definition_id", "task", ["definition_id"])
    _partial_index("ix_task_rank_at_id", "task", ["rank_at", "id"], "closed_at IS NULL")
    op.create_table(
        "incident",
        sa.Column("id", KEY, primary_key=True, autoincrement=True),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("instance_id", KEY, sa.ForeignKey("process_instance.id")),
        sa.Column("token_id", sa.Integer),
        sa.Column("job_id", KEY, sa.ForeignKey("job.id")),
        sa.Column("element", sa.String(64)),
        sa.Column("element_name", sa.String(200), nullable=False),
        sa.Column("business_key", sa.String(40), nullable=False),
        sa.Column("area", sa.String(64)),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("message", sa.String(1000), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("resolved_at", sa.BigInteger),
        sa.Column("resolved_by", sa.String(200)),
    )
    op.create_index("ix_incident_instance_id_state", "incident", ["instance_id", "state"])
    op.create_index("ix_incident_job_id", "incident", ["job_id"])
    op.create_index("ix_incident_state_id", "incident", ["state", "id"])
    op.create_table(
        "sla_rung",
        sa.Column("clock_id", KEY, sa.ForeignKey("sla_clock.id"), primary_key=True),
        sa.Column("percent", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("fired_at", sa.BigInteger),
    )
    op.create_index("ix_sla_rung_fired_at_due_at", "sla_rung", ["fired_at", "due_at"])


def _partial_index(name: str, table: str, columns: list[str], condition: str) -> None:
    covered = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=covered, postgresql_where=covered)
