"""What an order must look like on the wire. Unknown attributes are let through: extending is part of the standard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import INCLUDE, Schema, ValidationError, fields, validate

ACTIONS = ("add", "modify", "delete", "noChange")
MOST_ITEMS = 20
_action = {action.lower(): action for action in ACTIONS}


class Identifier(fields.Field[str]):
    """Text, or a whole number that some senders give instead; not empty."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> str:
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or not value.strip():
            raise ValidationError("Not a valid identifier.")
        return value


class Action(fields.String):
    """What is to be done, in any spelling of upper and lower case."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> str:
        given = super()._deserialize(value, attr, data, **more)
        if given.lower() not in _action:
            raise ValidationError(f"Must be one of: {', '.join(ACTIONS)}.")
        return _action[given.lower()]


def _short(most: int = 200, **more: Any) -> fields.String:
    return fields.String(validate=validate.Length(max=most), **more)


class Extensible(Schema):
    """The attributes that every TM Forum object may carry."""

    class Meta:
        unknown = INCLUDE

    at_type = _short(data_key="@type")
    at_base_type = _short(data_key="@baseType")
    at_schema_location = _short(500, data_key="@schemaLocation")
    at_referred_type = _short(data_key="@referredType")
    href = _short(500)


class Characteristic(Extensible):
    name = _short(required=True)
    value = fields.Raw(required=True, allow_none=True)


class ServiceSpecification(Extensible):
    id = Identifier(required=True, validate=validate.Length(max=64))


class Service(Extensible):
    service_specification = fields.Nested(
        ServiceSpecification, required=True, data_key="serviceSpecification"
    )
    service_characteristic = fields.List(
        fields.Nested(Characteristic),
        data_key="serviceCharacteristic",
        load_default=list,
        validate=validate.Length(max=200),
    )


class ServiceOrderItem(Extensible):
    id = Identifier(required=True, validate=validate.Length(max=64))
    action = Action(required=True)
    quantity = fields.Integer(strict=True, validate=validate.Equal(1))
    service = fields.Nested(Service, required=True)


class Note(Extensible):
    id = Identifier()
    text = fields.String(required=True, validate=validate.Length(min=1, max=2000))
    author = _short()


class RelatedParty(Extensible):
    id = Identifier(required=True)


class ExternalReference(Extensible):
    name = _short(required=True)


class OrderRelationship(Extensible):
    id = Identifier(required=True)
    relationship_type = _short(required=True, data_key="relationshipType")


class ServiceOrderCreate(Extensible):
    """The body of POST serviceOrder."""

    external_id = fields.String(data_key="externalId", validate=validate.Length(min=1, max=100))
    category = _short()
    description = _short(4000)
    priority = _short()
    notification_contact = _short(data_key="notificationContact")
    requested_start_date = fields.AwareDateTime(data_key="requestedStartDate", format="iso")
    requested_completion_date = fields.AwareDateTime(data_key="requestedCompletionDate", format="iso")
    note = fields.List(fields.Nested(Note), load_default=list, validate=validate.Length(max=20))
    related_party = fields.List(fields.Nested(RelatedParty), data_key="relatedParty")
    external_reference = fields.List(fields.Nested(ExternalReference), data_key="externalReference")
    order_relationship = fields.List(fields.Nested(OrderRelationship), data_key="orderRelationship")
    service_order_item = fields.List(
        fields.Nested(ServiceOrderItem),
        required=True,
        data_key="serviceOrderItem",
        validate=validate.Length(min=1, max=MOST_ITEMS),
    )


class ServiceOrderPatch(Schema):
    """The body of PATCH serviceOrder. As in every merge patch null takes an attribute away."""

    note = fields.List(fields.Nested(Note), validate=validate.Length(min=1, max=20))
    priority = _short(allow_none=True)
    requested_start_date = fields.AwareDateTime(data_key="requestedStartDate", format="iso", allow_none=True)
    requested_completion_date = fields.AwareDateTime(
        data_key="requestedCompletionDate", format="iso", allow_none=True
    )
    state = fields.String()


class OrderReference(Extensible):
    id = Identifier(required=True)


class CancelServiceOrderCreate(Extensible):
    """The body of POST cancelServiceOrder."""

    service_order = fields.Nested(OrderReference, required=True, data_key="serviceOrder")
    cancellation_reason = _short(500, data_key="cancellationReason")
    requested_cancellation_date = fields.AwareDateTime(data_key="requestedCancellationDate", format="iso")


class HubCreate(Schema):
    """The body of POST hub."""

    class Meta:
        unknown = INCLUDE

    callback = fields.String(required=True, validate=validate.Length(max=500))
    query = fields.String(allow_none=True, validate=validate.Length(max=500))


CREATE, PATCH, CANCEL, HUB = (
    ServiceOrderCreate(),
    ServiceOrderPatch(),
    CancelServiceOrderCreate(),
    HubCreate(),
)
