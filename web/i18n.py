"""Language and time zone: whose language a request speaks, the catalogues, and how times are shown.

Catalogues are all `*.po` files of a language, read when the application starts: no compile step can be forgotten.
English is the language of the message keys and needs no catalogue.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, g, has_request_context, request, session
from flask_babel import Babel, Domain, get_locale, gettext
from werkzeug.local import LocalProxy

from engine.clock import Clock
from engine.config import Settings
from engine.identity.actor import Actor

TRANSLATIONS = Path(__file__).parent / "translations"
LOCALES = ("zh_CN", "en")
_SOON_MINUTES = 120
_LANGUAGES = {"zh": "zh_CN", "en": "en"}


class Catalogues(Domain):
    """Messages of all languages, in memory."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self._by_locale = {locale: read_catalogue(root / locale / "LC_MESSAGES") for locale in LOCALES}

    def get_translations(self) -> NullTranslations:
        return self._by_locale[_locale()]


def read_catalogue(folder: Path) -> NullTranslations:
    """All `*.po` files of a folder as one catalogue. A line that is none of such a file stops the start."""
    together = Translations()
    for source in sorted(folder.glob("*.po")):
        compiled = io.BytesIO()
        with source.open("rb") as file:
            write_mo(compiled, read_po(file, locale=folder.parent.name, abort_invalid=True))
        compiled.seek(0)
        read = Translations(compiled)
        together.merge(read)
        together.plural = read.plural
    return together


def init_app(app: Flask, settings: Settings, clock: Clock) -> None:
    """Flask-Babel, the filters `local_time`, `local_date`, `remaining`, and the globals `current_actor`, `locale`, `can`."""
    babel = Babel()
    babel.init_app(
        app,
        default_locale=settings.locale,
        default_timezone=settings.time_zone,
        locale_selector=lambda: choose_locale(settings.locale),
    )
    babel.domain_instance = Catalogues(TRANSLATIONS)
    zone = settings.zone
    app.jinja_env.filters.update(
        local_time=lambda at, seconds=False: local_time(at, zone, seconds=seconds),
        local_date=lambda at: "" if at is None else at.astimezone(zone).strftime("%Y-%m-%d"),
        remaining=lambda due_at: remaining(due_at, clock.now()),
    )
    app.jinja_env.globals.update(can=_can, current_actor=LocalProxy(_actor), locale=LocalProxy(_locale))
    app.context_processor(lambda: {"current_actor": _actor(), "locale": _locale()})


def choose_locale(default: str) -> str:
    """The person's language, else the one chosen in this browser, else the browser's own, else the site's.

    A machine that asks for a language with its request is answered in that one.
    """
    if not has_request_context():
        return default
    actor = _actor()
    by_bearer = bool(g.get("by_bearer"))
    asked = request.accept_languages.best_match(_LANGUAGES) if request.accept_languages else None
    if by_bearer and asked:
        return _LANGUAGES[asked]
    if actor is not None and actor.locale in LOCALES:
        return actor.locale
    if not by_bearer and session.get("locale") in LOCALES:
        return str(session["locale"])
    return _LANGUAGES[asked] if asked else default


def local_time(at: datetime | None, zone: ZoneInfo, *, seconds: bool = False) -> str:
    """`2026-11-22 09:12` in the site's zone; empty for no time."""
    if at is None:
        return ""
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def remaining(due_at: datetime | None, now: datetime) -> Mapping[str, Any]:
    """How long until a limit: `text`, `late`, and `level`: ok, warn (less than two hours left), late."""
    if due_at is None:
        return {"text": "", "late": False, "level": "ok"}
    is_late = now > due_at
    minutes = max(1, int(abs((due_at - now).total_seconds()) // 60))
    if is_late:
        return {"text": gettext("%(span)s late", span=_span(minutes)), "late": True, "level": "late"}
    level = "warn" if minutes < _SOON_MINUTES else "ok"
    return {"text": gettext("%(span)s left", span=_span(minutes)), "late": False, "level": level}


def _span(minutes: int) -> str:
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return gettext("%(days)s d %(hours)s h", days=days, hours=hours)
    if hours:
        return gettext("%(hours)s h %(minutes)s min", hours=hours, minutes=minutes)
    return gettext("%(minutes)s min", minutes=minutes)


def _actor() -> Actor | None:
    actor: Actor | None = g.get("actor") if g else None
    return actor


def _locale() -> str:
    """Our own code of the language; Babel would call zh_CN zh_Hans_CN."""
    locale = get_locale()
    return _LANGUAGES.get(locale.language, "en") if locale else "en"


def _can(right: str) -> bool:
    actor = _actor()
    return actor is not None and actor.can(right)
