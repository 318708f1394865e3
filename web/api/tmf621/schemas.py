"""What a ticket must look like on the wire. Unknown attributes are let through: extending is part of the standard."""

from __future__ import annotations

from marshmallow import fields, validate

from web.api.tmf641.schemas import Extensible, Identifier, Note, RelatedParty


def _short(most: int = 200, **more: object) -> fields.String:
    return fields.String(validate=validate.Length(max=most), **more)  # type: ignore[arg-type]


def _needed(most: int) -> fields.String:
    return fields.String(required=True, validate=validate.Length(min=1, max=most))


class RelatedEntity(Extensible):
    id = Identifier(required=True, validate=validate.Length(max=100))
    role = _short(required=True)


class Relationship(Extensible):
    id = Identifier()
    relationship_type = _short(data_key="relationshipType")


class TroubleTicketCreate(Extensible):
    """The body of POST troubleTicket; from `symptom` on attributes of ours."""

    description = _needed(4000)
    severity = _needed(64)
    ticket_type = _needed(200)
    ticket_type.data_key = "ticketType"
    external_id = fields.String(data_key="externalId", validate=validate.Length(min=1, max=100))
    name = _short()
    priority = _short(64)
    requested_resolution_date = fields.AwareDateTime(data_key="requestedResolutionDate", format="iso")
    note = fields.List(fields.Nested(Note), load_default=list, validate=validate.Length(max=20))
    related_entity = fields.List(
        fields.Nested(RelatedEntity),
        required=True,
        data_key="relatedEntity",
        validate=validate.Length(min=1, max=20),
    )
    related_party = fields.List(fields.Nested(RelatedParty), data_key="relatedParty")
    relationship = fields.List(fields.Nested(Relationship), data_key="troubleTicketRelationship")
    symptom = _short()
    wished_window = _short(100, data_key="wishedWindow")
    contact_phone = fields.String(
        data_key="contactPhone", validate=validate.Regexp(r"\+?[0-9][0-9 ()-]{3,30}[0-9]\Z")
    )
    product = _short(64)
    area = _short(64)
    address = _short(300)
    customer_name = _short(data_key="customerName")
    tier = _short(64)


class TroubleTicketPatch(Extensible):
    """The body of PATCH troubleTicket. As in every merge patch null takes an attribute away."""

    note = fields.List(fields.Nested(Note), validate=validate.Length(min=1, max=20))
    priority = _short(64, allow_none=True)
    severity = fields.String(validate=validate.Length(min=1, max=64))
    requested_resolution_date = fields.AwareDateTime(
        data_key="requestedResolutionDate", format="iso", allow_none=True
    )
    status = fields.String()
    status_change_reason = _short(500, data_key="statusChangeReason", allow_none=True)


CREATE, PATCH = TroubleTicketCreate(), TroubleTicketPatch()
