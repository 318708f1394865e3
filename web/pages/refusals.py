"""Errors of the domain on a page where the person can go on: a flash message in the reader's language."""

from __future__ import annotations

from flask import flash, request
from flask_babel import gettext

from engine.errors import KaitongError


def told(error: KaitongError) -> str:
    """The error in the reader's language, with states in his words."""
    template = gettext(error.template)
    if state := error.facts.get("state"):
        template = template.replace("{state}", gettext(str(state)))
    return error.text(template)


def flash_error(error: KaitongError) -> None:
    """Shows the error on the next page."""
    flash(told(error), "error")


def is_fragment() -> bool:
    """Whether a script asks for a part of a page, which then shows an error at the place where the person is."""
    return request.headers.get("HX-Request") == "true"
