"""Errors of the domain in the reader's language, with the things and rights that they name in his words too."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask_babel import gettext, pgettext

from engine.errors import KaitongError

_WORDS: Mapping[str, Callable[[str], str]] = {
    "what": lambda thing: pgettext("thing", thing),
    "right": lambda right: pgettext("right", right),
    "state": lambda state: gettext(state),
}


def told(error: KaitongError) -> str:
    """The whole sentence."""
    worded = {name: say(str(error.facts[name])) for name, say in _WORDS.items() if error.facts.get(name)}
    return error.text(gettext(error.template), **worded)
