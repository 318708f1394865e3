"""Errors of the domain on a page where the person can go on: a flash message in the reader's language."""

from __future__ import annotations

from flask import flash, request

from engine.errors import KaitongError
from web.told import told


def flash_error(error: KaitongError) -> None:
    """Shows the error on the next page."""
    flash(told(error), "error")


def is_fragment() -> bool:
    """Whether a script asks for a part of a page, which then shows an error at the place where the person is."""
    return request.headers.get("HX-Request") == "true"
