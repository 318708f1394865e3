"""What a password must be, and its argon2id hash."""

from __future__ import annotations

from functools import cache
from typing import ClassVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from engine.errors import BadInput

LEAST = 12
MOST = 200
_LEAST_DIFFERENT = 5


class PasswordTooShort(BadInput):
    """The password needs at least {least} characters."""

    code: ClassVar[str] = "password.too_short"


class PasswordTooLong(BadInput):
    """The password may have at most {most} characters."""

    code: ClassVar[str] = "password.too_long"


class PasswordIsName(BadInput):
    """The password must not be the login or the name."""

    code: ClassVar[str] = "password.is_name"


class PasswordTooPlain(BadInput):
    """The password repeats too few different characters."""

    code: ClassVar[str] = "password.too_plain"


def check_rules(password: str, login: str, name: str) -> None:
    """Raises the first rule that the password breaks."""
    if len(password) < LEAST:
        raise PasswordTooShort(least=LEAST)
    if len(password) > MOST:
        raise PasswordTooLong(most=MOST)
    if password.casefold().strip() in (login.casefold(), name.casefold()):
        raise PasswordIsName()
    if len(set(password)) < _LEAST_DIFFERENT:
        raise PasswordTooPlain()


def hash_password(password: str) -> str:
    """The hash with its salt and its parameters."""
    return _hasher().hash(password)


def matches(password_hash: str | None, password: str) -> bool:
    """Whether the password belongs to the hash. Takes the same time when there is no hash at all."""
    try:
        return _hasher().verify(password_hash or _nobody(), password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


@cache
def _nobody() -> str:
    """The hash that is checked for a login that does not exist, so that the answer takes as long."""
    return _hasher().hash("nobody has this password")
