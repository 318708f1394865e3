"""What measurements of a line mean: the faulty segment, the cause as a code, and what can be mended from afar."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

STRONGEST_DBM, WEAKEST_DBM = -8.0, -27.0
"""The range in which a terminal can be used."""
LONGEST_DELAY_MS = 50.0


@dataclass(frozen=True, slots=True)
class Measured:
    """What systems said about a line. None: not asked."""

    port_ok: bool = True
    bound: bool = True
    sync: bool = True
    rx_power_dbm: float | None = None
    profile_ok: bool = True
    session_stuck: bool = False
    login_ok: bool | None = None
    login_ms: int | None = None
    configured: bool = True
    loss_percent: float | None = None
    delay_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A segment, the F code of its cause, the remedy, and a sentence for people."""

    segment: str
    cause_code: str | None
    remedy: str | None
    findings: str


WORKS = Finding("none", None, None, "各项测试正常 all tests are good")


def of_home(seen: Measured) -> Finding:
    """What is wrong with a home line, the nearest to the network first."""
    power = seen.rx_power_dbm
    if not seen.port_ok:
        return Finding("olt", "F04", None, "OLT 端口故障 the port of the OLT is faulty")
    if not seen.bound:
        return Finding("config", "F07", "rebind", "光猫未绑定 the ONU is not bound")
    if not seen.sync:
        return Finding("terminal", "F05", "reset", "光猫离线 the ONU is offline")
    if power is not None and not WEAKEST_DBM <= power <= STRONGEST_DBM:
        return Finding(
            "drop_cable", "F01", None, f"光功率 {power} dBm 超限 the optical power is out of range"
        )
    if not seen.profile_ok:
        return Finding("config", "F07", "profile", "线路模板不符 the profile is not the one that was sold")
    if seen.session_stuck:
        return Finding("aaa", "F08", "session", "认证会话挂死 a session hangs")
    if seen.login_ok is False:
        return Finding("aaa", "F08", None, "认证登录失败 the login fails")
    return WORKS


def of_circuit(seen: Measured) -> Finding:
    """What is wrong with a circuit."""
    if not seen.configured:
        return Finding("config", "F07", None, "路由器上无此电路 the router does not have the circuit")
    if seen.loss_percent is not None and seen.loss_percent >= 100:
        return Finding("trunk_cable", "F03", None, "电路中断 nothing comes back")
    if seen.loss_percent:
        return Finding("bearer", "F09", None, f"丢包 {seen.loss_percent:g}% packets are lost")
    if seen.delay_ms is not None and seen.delay_ms > LONGEST_DELAY_MS:
        return Finding("bearer", "F09", None, f"时延 {seen.delay_ms:g} ms the delay is too long")
    return WORKS


def told(finding: Finding, seen: Measured) -> dict[str, Any]:
    """The finding with its figures."""
    figures = {name: getattr(seen, name) for name in ("rx_power_dbm", "login_ms", "loss_percent", "delay_ms")}
    return {"ok": finding is WORKS, **asdict(finding), **figures}
