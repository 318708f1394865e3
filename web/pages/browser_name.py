"""A browser's own description, `Mozilla/5.0 (X11; Linux …`, as two words that its owner knows again."""

from __future__ import annotations

from collections.abc import Sequence

_BROWSERS = (
    ("MicroMessenger/", "WeChat"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("HuaweiBrowser/", "Huawei"),
    ("MiuiBrowser/", "Xiaomi"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Windows", "Windows"),
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def browser_name(agent: str) -> str:
    """`Chrome · Linux`; a browser that nobody here knows stays as it is."""
    browser, system = _first(_BROWSERS, agent), _first(_SYSTEMS, agent)
    return " · ".join(word for word in (browser, system) if word) if browser else agent


def _first(words: Sequence[tuple[str, str]], agent: str) -> str:
    """The word of the first sign that is there: later signs are what others claim to be as well."""
    return next((word for sign, word in words if sign in agent), "")
