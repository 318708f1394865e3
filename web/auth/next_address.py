"""Where to go after logging in: an address inside this application, whatever the request says."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

HOME = "/"
_LOCAL = re.compile(
    r"/(?!/)[\x21-\x5b\x5d-\x7e\u0080-\U0010ffff]*"
)  # no control character, blank or backslash
_LOOPS = ("/login", "/logout", "/password")


def safe_next(wanted: str | None) -> str:
    """`wanted` if it is a path of ours, else the start page."""
    if not wanted or len(wanted) > 1000 or not _LOCAL.fullmatch(wanted):
        return HOME
    parts = urlsplit(wanted)
    if parts.scheme or parts.netloc or parts.path in _LOOPS:
        return HOME
    return wanted


def path_of(address: str | None) -> str:
    """The local part of an address that a browser reports, for example in HX-Current-URL."""
    if not address:
        return HOME
    try:
        parts = urlsplit(address)
    except ValueError:
        return HOME
    return safe_next(parts.path + (f"?{parts.query}" if parts.query else ""))
