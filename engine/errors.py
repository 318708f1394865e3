"""The tree of errors. `code` is stable: clients, translations and metrics rely on it; texts may change.

The first line of a class docstring is the English text and the key of its translation; `{facts}` are filled in.
"""

from __future__ import annotations

from typing import Any, ClassVar


class KaitongError(Exception):
    """Something went wrong in the order system."""

    code: ClassVar[str] = "internal"
    http_status: ClassVar[int] = 500

    def __init__(self, message: str = "", /, **facts: Any) -> None:
        self.template = message or (type(self).__doc__ or "").strip().splitlines()[0]
        self.facts = facts
        super().__init__(self.text())

    def text(self, template: str | None = None, **worded: str) -> str:
        """The message with its facts; a translated template, and facts put into words, give it in another language."""
        try:
            return (template or self.template).format(**(self.facts | worded))
        except (KeyError, IndexError, ValueError):
            return template or self.template


class BadInput(KaitongError):
    """The request is not valid: {detail}."""

    code, http_status = "input", 400


class TooLarge(BadInput):
    """The request is larger than {limit} bytes."""

    code, http_status = "input.too_large", 413


class NotFound(KaitongError):
    """There is no {what} {id}."""

    code, http_status = "not_found", 404


class NotAllowed(KaitongError):
    """You are not allowed to do this: it needs the right "{right}"."""

    code, http_status = "not_allowed", 403


class NotLoggedIn(KaitongError):
    """Log in first."""

    code, http_status = "not_logged_in", 401


class RuleViolation(KaitongError):
    """The request breaks a business rule."""

    code, http_status = "rule", 409


class Conflict(RuleViolation):
    """Somebody else changed this at the same moment; load it again."""

    code = "conflict"


class SettingError(KaitongError):
    """The setting {name} is not valid: {detail}."""

    code = "setting"


class AdapterError(KaitongError):
    """A system outside ours did not do what we asked: {detail}."""

    code, http_status = "adapter", 502


class Retryable(AdapterError):
    """Nothing happened at {target}, or a repeat is harmless: {detail}."""

    code = "adapter.retryable"


class OutcomeUnknown(AdapterError):
    """It may have happened at {target}, the answer was lost: {detail}."""

    code = "adapter.unknown"


class Permanent(AdapterError):
    """{target} understood the request and said no: {detail}."""

    code = "adapter.refused"

    def __init__(self, bpmn_code: str, message: str = "", /, *, keeps: bool = False, **facts: Any) -> None:
        """`keeps`: what a local operation has written beside saying no is not taken back."""
        super().__init__(message, bpmn_code=bpmn_code, **facts)
        self.bpmn_code, self.keeps = bpmn_code, keeps


class NeedsHuman(AdapterError):
    """Only a person can decide what to do at {target}: {detail}."""

    code = "adapter.needs_human"
