"""The key that signs cookies: from the settings, or made once and kept in the data folder."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from engine.config import Secret, Settings
from engine.errors import SettingError

_LEAST = 32


def secret_key(settings: Settings) -> Secret:
    """Raises `SettingError` for a key that could be guessed."""
    if settings.secret_key:
        return _checked(settings.secret_key, "KAITONG_SECRET_KEY")
    path = settings.data_dir / "secret_key"
    if not path.exists():
        _make(path)
    return _checked(Secret(path.read_text("ascii").strip()), str(path))


def _make(path: Path) -> None:
    """Appears complete or not at all, so that processes starting together agree on one key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".secret_key.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(48))
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()


def _checked(key: Secret, source: str) -> Secret:
    if len(key) < _LEAST:
        raise SettingError(name=source, detail=f"a secret key has at least {_LEAST} characters")
    return key
