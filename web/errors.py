"""The one place where an error becomes an answer: a TM Forum body, problem+json or a page, in the reader's language."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from flask import Flask, Response, g, jsonify, make_response, render_template, request
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from markupsafe import Markup
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge, SecurityError

from engine.errors import BadInput, Conflict, KaitongError, NotAllowed, NotLoggedIn, TooLarge
from web.request_log import request_facts
from web.told import told

log = logging.getLogger("kaitong.request")
Shape = Literal["tmf", "api", "page"]


class FormExpired(KaitongError):
    """The page is too old, or the request came from another site: load the page again."""

    code, http_status = "form_expired", 400


class PasswordChangeNeeded(KaitongError):
    """Choose a new password first."""

    code, http_status = "password.change_needed", 403


class NoSuchPage(KaitongError):
    """There is nothing at this address."""

    code, http_status = "not_found", 404


class WrongMethod(KaitongError):
    """This address does not answer {method}."""

    code, http_status = "method_not_allowed", 405


class WrongMediaType(KaitongError):
    """This address does not read {media_type}."""

    code, http_status = "unsupported_media_type", 415


class NotUnderstood(KaitongError):
    """The request cannot be read."""

    code, http_status = "input", 400


class OddStatus(KaitongError):
    """The request cannot be answered (HTTP {status})."""

    def __init__(self, status: int) -> None:
        super().__init__(status=status)
        self.code, self.http_status = f"http.{status}", status  # type: ignore[misc]


class Broken(KaitongError):
    """Something went wrong on our side; it has been written down."""

    code, http_status = "internal", 500


def titles() -> Mapping[int, str]:
    """Short texts by status."""
    return {
        400: gettext("Not valid"),
        401: gettext("Not logged in"),
        403: gettext("Not allowed"),
        404: gettext("Not found"),
        405: gettext("Method not allowed"),
        409: gettext("Conflict"),
        413: gettext("Too large"),
        415: gettext("Unknown format"),
        429: gettext("Too many requests"),
        500: gettext("Internal error"),
        502: gettext("Another system failed"),
        503: gettext("Not available at the moment"),
    }


def remedies() -> Mapping[int, str]:
    """What the reader can do, by status."""
    return {
        400: gettext("Go back, correct the entry and send it again."),
        401: gettext("Log in and try again."),
        403: gettext("Ask your supervisor or an administrator for the right."),
        404: gettext("Check the address, or go back to your list; what you look for may belong to others."),
        405: gettext("Go back and use the buttons of the page."),
        409: gettext("Load the page again to see the present state, then decide."),
        413: gettext("Send a smaller file."),
        415: gettext("Send one of the formats that the page names."),
    }


@dataclass(frozen=True, slots=True)
class Answer:
    """An error in the reader's words."""

    status: int
    code: str
    title: str
    detail: str
    remedy: str
    errors: Any = None


def init_app(app: Flask) -> None:
    """One handler for everything."""
    app.register_error_handler(Exception, handle)


def shape() -> Shape:
    """The form of error that the caller of this address expects."""
    if request.path.startswith("/tmf-api/"):
        return "tmf"
    return "api" if request.path.startswith("/api/") else "page"


def handle(error: Exception) -> Response:
    """The answer to any exception; one of ours that is nobody's fault but ours is logged with its trace."""
    if isinstance(error, HTTPException) and error.response is not None:
        return make_response(error.response)
    known = as_kaitong(error)
    if known.http_status >= 500:
        log.error("request.failed", exc_info=error, extra={"facts": request_facts() | {"code": known.code}})
    response = make_response(_render(_answer(known)))
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    if known.http_status == 401 and shape() != "page":
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def as_kaitong(error: Exception) -> KaitongError:
    """The error of our own tree that says the same."""
    if isinstance(error, KaitongError):
        return error
    if isinstance(error, ValidationError):
        return BadInput(detail=_flat(error.normalized_messages()), errors=error.normalized_messages())
    if isinstance(error, CSRFError):
        return FormExpired()
    if isinstance(error, HTTPException):
        return _from_http(error)
    return Broken()


def _from_http(error: HTTPException) -> KaitongError:
    if isinstance(error, RequestEntityTooLarge):
        return TooLarge(limit=request.max_content_length)
    status = error.code or 500
    if status == 405:
        return WrongMethod(method=request.method)
    if status == 415:
        return WrongMediaType(media_type=request.mimetype or "?")
    plain = {400: NotUnderstood, 401: NotLoggedIn, 404: NoSuchPage, 409: Conflict, 500: Broken}
    if status in plain:
        return plain[status]()
    if status == 403:
        return NotAllowed("You are not allowed to do this.")
    return OddStatus(status)


def _answer(error: KaitongError) -> Answer:
    status = error.http_status
    fallback = gettext("Internal error") if status >= 500 else gettext("Not valid")
    remedy = remedies().get(status) or gettext(
        "Try again later; if it stays, tell your operator the number below."
    )
    return Answer(
        status=status,
        code=error.code,
        title=titles().get(status, fallback),
        detail=told(error),
        remedy=remedy,
        errors=error.facts.get("errors"),
    )


def _render(answer: Answer) -> Response:
    match shape():
        case "tmf":
            response = jsonify(_tmf_body(answer))
        case "api":
            response = jsonify(_problem_body(answer))
            response.mimetype = "application/problem+json"
        case _:
            response = make_response(_page(answer))
    response.status_code = answer.status
    return response


def _tmf_body(answer: Answer) -> dict[str, Any]:
    return {
        "@type": "Error",
        "code": answer.code,
        "reason": answer.title,
        "message": answer.detail,
        "status": str(answer.status),
    }


def _problem_body(answer: Answer) -> dict[str, Any]:
    body = {
        "type": f"urn:kaitong:error:{answer.code}",
        "title": answer.title,
        "status": answer.status,
        "detail": answer.detail,
        "code": answer.code,
        "instance": f"urn:kaitong:request:{g.get('request_id', '')}",
    }
    return body if answer.errors is None else body | {"errors": answer.errors}


def _page(answer: Answer) -> str:
    """The error page; a bare one when the page itself is what fails."""
    if isinstance(request.routing_exception, SecurityError):  # no address of ours can be built for this host
        return _bare_page(answer)
    facts = {name: getattr(answer, name) for name in ("status", "code", "title", "detail", "remedy")}
    try:
        return render_template("error.html", **facts, request_id=g.get("request_id", ""))
    except Exception as second:
        log.error("error_page.failed", exc_info=second, extra={"facts": request_facts()})
        return _bare_page(answer)


def _bare_page(answer: Answer) -> str:
    words = (answer.title, answer.detail, g.get("request_id", ""))
    return Markup("<!doctype html><title>{}</title><h1>{}</h1><p>{}</p><p>{}</p>").format(words[0], *words)


def _flat(messages: Mapping[str, Any]) -> str:
    """`area: Missing data; items.0.action: Unknown field` from the nested messages of a schema."""
    return "; ".join(_lines(messages, ""))


def _lines(messages: Any, path: str) -> list[str]:
    if isinstance(messages, Mapping):
        return [
            line
            for key, inner in messages.items()
            for line in _lines(inner, f"{path}.{key}" if path and key != "_schema" else path or str(key))
        ]
    return [f"{path}: {text}" for text in messages]
