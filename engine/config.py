"""Settings: read once from the environment and an optional file, then passed around.

An unknown KAITONG_* name is an error.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.errors import SettingError

PREFIX = "KAITONG_"


class Secret(str):
    """Text that never shows in a log or a traceback."""

    def __repr__(self) -> str:
        return "'***'"


_NOT_SET = Secret("")
_OF_SIMULATOR = Secret("kaitong-demo")


@dataclass(frozen=True)
class Settings:
    """Everything that differs between two installations. Names of the environment are KAITONG_ + the upper-case name."""

    data_dir: Path = Path("data")
    """Folder of the embedded database, simulators, secrets and demo logins."""
    database_url: str = ""
    """SQLAlchemy address; empty means SQLite in the data folder."""
    host: str = "127.0.0.1"
    """Address that the web server listens on."""
    port: int = 8420
    """Port that the web server listens on."""
    time_zone: str = "Asia/Shanghai"
    """Zone in which people read times."""
    locale: str = "zh_CN"
    """Language of people who have not chosen one: zh_CN or en."""
    secret_key: Secret = _NOT_SET
    """Signs session cookies; empty means a random one kept in the data folder."""
    https: bool = False
    """Pages are served over HTTPS by a proxy: cookies become Secure."""
    trusted_hosts: str = ""
    """Host names that requests may name, separated by commas; empty means any."""
    web_threads: int = 4
    """Threads that serve requests."""
    worker_threads: int = 2
    """Jobs that one worker process does at the same time."""
    lease_seconds: float = 15.0
    """How long a worker may hold a job without a sign of life; more than twice the longest call."""
    retry_seconds: float = 2.0
    """First pause before a failed call is tried again; doubles each time, up to five minutes."""
    max_attempts: int = 4
    """Failed tries of a call before it becomes an incident."""
    tick_seconds: float = 5.0
    """How often deadlines are looked at."""
    max_body_bytes: int = 2_097_152
    """Largest request that is accepted."""
    demo_orders: int = 200
    """How many orders of the last days a new demo operator is begun with, about; 0 for none."""
    simulators: bool = True
    """Run the simulated network and CRM beside the product."""
    aaa_url: str = ""
    """Address of the AAA provisioning interface; empty means the simulator."""
    aaa_radius: str = ""
    """host:port of the RADIUS server for login tests; empty means the simulator."""
    aaa_secret: Secret = _OF_SIMULATOR
    """Shared secret of the RADIUS server."""
    crm_url: str = ""
    """Address of the CRM's order report interface; empty means the simulator."""
    olt_url: str = ""
    """Address before the names of OLTs, where their NETCONF requests are posted; empty means the simulator."""
    router_url: str = ""
    """Address before the names of PE routers, where their command lines are posted; empty means the simulator."""
    ims_url: str = ""
    """Address of the IMS provisioning interface; empty means the simulator."""
    partner_urls: str = ""
    """Addresses of partners' order interfaces, P-CAT=https://…,P-YQ=https://…; a partner not named means the simulator."""
    partner_tokens: Secret = _NOT_SET
    """Bearer tokens that partners have given us, P-CAT=…,P-YQ=…"""
    adapter_timeout_seconds: float = 5.0
    """Longest wait for an answer of an outside system."""
    callback_hosts: str = "127.0.0.1,localhost"
    """Hosts that /hub call-backs may be sent to, separated by commas."""

    @classmethod
    def load(cls, env: Mapping[str, str], file: Path | None = None, **given: Any) -> Settings:
        """Defaults, then the TOML file (or KAITONG_CONFIG), then the environment, then `given`. Raises `SettingError`."""
        values: dict[str, Any] = {}
        path = file or (Path(env[PREFIX + "CONFIG"]) if env.get(PREFIX + "CONFIG") else None)
        if path is not None:
            values |= _from_file(path)
        for key, text in env.items():
            if key.startswith(PREFIX) and key != PREFIX + "CONFIG":
                values[key.removeprefix(PREFIX).lower()] = text
        known = {f.name: f for f in fields(cls)}
        for key in values:
            if key not in known:
                raise SettingError(name=PREFIX + key.upper(), detail=_unknown(key, list(known)))
        typed = {k: _typed(k, known[k].default, v) for k, v in values.items()}
        settings = cls(**(typed | {k: v for k, v in given.items() if v is not None}))
        settings._check()
        return settings

    @property
    def database(self) -> str:
        """The address of the database in use."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'kaitong.db').as_posix()}"

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.time_zone)

    def _check(self) -> None:
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError) as e:
            raise SettingError(name="KAITONG_TIME_ZONE", detail=f"{self.time_zone} is no time zone") from e
        if self.locale not in ("zh_CN", "en"):
            raise SettingError(name="KAITONG_LOCALE", detail="use zh_CN or en")
        if self.lease_seconds < 2 * self.adapter_timeout_seconds:
            raise SettingError(
                name="KAITONG_LEASE_SECONDS",
                detail="it must be at least twice KAITONG_ADAPTER_TIMEOUT_SECONDS",
            )


def _unknown(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1)
    return "unknown name" + (f"; did you mean {PREFIX}{near[0].upper()}?" if near else "")


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        raise SettingError(name=PREFIX + "CONFIG", detail=f"{path}: {e}") from e


def _typed(key: str, default: Any, value: Any) -> Any:
    try:
        if isinstance(default, bool):
            return _boolean(value)
        return type(default)(value) if not isinstance(default, Path) else Path(value)
    except (TypeError, ValueError) as e:
        raise SettingError(
            name=PREFIX + key.upper(), detail=f"{value!r} is no {type(default).__name__}"
        ) from e


def _boolean(value: Any) -> bool:
    text = str(value).lower()
    if text not in ("1", "0", "true", "false", "yes", "no"):
        raise ValueError(value)
    return text in ("1", "true", "yes")
