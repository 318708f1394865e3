"""Logging in, and the rule that every view needs: `allow("right")`, `allow_login` or `allow_anyone`."""

from web.auth.rules import allow, allow_anyone, allow_login

__all__ = ["allow", "allow_anyone", "allow_login"]
