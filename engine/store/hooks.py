"""What has to happen when a transaction has really been committed, and never otherwise."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

_AFTER = "kaitong_after_commit"


def after_commit(session: Session, call: Callable[[], object]) -> None:
    """Calls when the session's transaction has been committed; never if it was rolled back. It must not fail."""
    session.info.setdefault(_AFTER, []).append(call)


def committed(session: Session) -> None:
    """For whoever commits: makes the calls."""
    for call in session.info.pop(_AFTER, ()):
        call()
