"""The command lines of a PE router and what it says to them. A generic router, of no vendor: a session is one text.

A change is made under `configure exclusive` and becomes true with `commit`, all of it or nothing. An answer is complete
when its last line is the router's prompt.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.json_http import wire_key
from adapters.network.transport import Transport
from engine.errors import AdapterError, NeedsHuman, OutcomeUnknown, Permanent, Retryable

KIND = "router"
MEDIA = "application/x-cli"
PROBES = 100
"""How many packets a test sends."""
INTERFACE_UNKNOWN, IP_TAKEN, NOT_CONFIGURED = "INTERFACE_UNKNOWN", "IP_TAKEN", "CIRCUIT_NOT_CONFIGURED"
Block = tuple[str, ...]
"""The lines below `interface …`, without their indent."""

_ABSENT = re.compile(r"% Interface \S+ is not configured")
_UNCHANGED = "% No configuration changes"
_COMPLETE = "Commit complete."
_CODES = (
    (re.compile(r"% Invalid interface "), INTERFACE_UNKNOWN),
    (re.compile(r"% Address \S+ overlaps with "), IP_TAKEN),
    (_ABSENT, NOT_CONFIGURED),
)
_REFUSED = re.compile(r"% Refused \(([A-Z0-9_]{1,64})\)")
_LOCKED = re.compile(r"% Configuration is locked")
_LOSS = re.compile(r"(\d+) sent, \d+ received, (\d+(?:\.\d+)?) % loss")
_DELAY = re.compile(r"round trip min/avg/max \d+(?:\.\d+)?/(\d+(?:\.\d+)?)/\d+(?:\.\d+)? ms")


@dataclass(frozen=True, slots=True)
class Measured:
    """What a test of a circuit has shown; no delay when nothing came back."""

    loss_percent: float
    delay_ms: float | None


def access_name(args: Mapping[str, Any]) -> str:
    """`ge-0/0/1.1203`: the part of an interface that carries one VLAN."""
    return f"{args['interface']}.{args['vlan']}"


def access_block(args: Mapping[str, Any], reference: str) -> Block:
    """The lines of an access as the arguments want it."""
    rate = f"{args['bandwidth_mbps']} mbps"
    return (
        f"description {reference}",
        f"encapsulation dot1q {args['vlan']}",
        *([f"vrf forwarding {args['vrf']}"] if args["vrf"] else []),
        *([f"ip address {args['ip']}"] if args["ip"] else []),
        f"rate-limit input {rate}",
        f"rate-limit output {rate}",
        "no shutdown",
    )


def value_of(block: Block, word: str) -> str:
    """What follows `word` in a block; empty where the block does not say it."""
    return next((line[len(word) + 1 :] for line in block if line.startswith(word + " ")), "")


def difference(name: str, before: Block | None, after: Block | None) -> tuple[str, ...]:
    """What a change takes away and adds, line by line, for people."""
    old, new = before or (), after or ()
    gone = [f"- {line}" for line in old if line not in new]
    added = [f"+ {line}" for line in new if line not in old]
    head = f"interface {name}"
    return (f"+ {head}" if before is None else f"- {head}" if after is None else f"  {head}", *gone, *added)


def show_text(name: str) -> str:
    """Asks for the running configuration of an access."""
    return f"show running-config interface {name}\n"


def test_text(name: str) -> str:
    """Asks for a test of a circuit."""
    return f"test circuit {name} count {PROBES}\n"


def change_text(name: str, after: Block | None, key: str) -> str:
    """Takes away whatever block there is, and writes the new one, where there is to be one."""
    lines = ["configure exclusive", f"no interface {name}"]
    if after is not None:
        lines += [f"interface {name}", *(f" {line}" for line in after), "exit"]
    return "\n".join([*lines, f"commit comment {wire_key(key)}", "end", ""])


class Routers:
    """Asks and changes routers over a transport."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def running(self, device: str, name: str, deadline: float) -> Block | None:
        """The block of an access as it is now, or None."""
        lines = self._asked(device, show_text(name), deadline)
        if lines and _ABSENT.match(lines[0]):
            return None
        self._raise_refusal(device, lines)
        if not lines or lines[0] != f"interface {name}" or lines[-1] != "!":
            raise Retryable(target=target_of(device), detail="the running configuration cannot be read")
        return tuple(line.strip() for line in lines[1:-1])

    def tested(self, device: str, name: str, deadline: float) -> Measured:
        """Sends packets over a circuit and counts what comes back."""
        lines = self._asked(device, test_text(name), deadline)
        self._raise_refusal(device, lines)
        text = "\n".join(lines)
        loss, delay = _LOSS.search(text), _DELAY.search(text)
        if loss is None or (delay is None and float(loss[2]) < 100):
            raise Retryable(target=target_of(device), detail="the result of the test cannot be read")
        return Measured(float(loss[2]), None if delay is None else float(delay[1]))

    def change(self, device: str, name: str, after: Block | None, key: str, deadline: float) -> bool:
        """Commits a change; False when the router found nothing to change."""
        lines = self._exchange(device, change_text(name, after, key), deadline, False)
        if _UNCHANGED in lines:
            return False
        self._raise_refusal(device, lines)
        if _COMPLETE not in lines:
            raise OutcomeUnknown(
                target=target_of(device), detail="the answer does not say what was committed"
            )
        return True

    def _asked(self, device: str, text: str, deadline: float) -> list[str]:
        return self._exchange(device, text, deadline, True)

    def _exchange(self, device: str, text: str, deadline: float, reads: bool) -> list[str]:
        raw = self.transport.exchange(device, text.encode(), deadline, reads)
        lines = [line.rstrip() for line in raw.decode("utf-8", "replace").splitlines()]
        if not lines or lines[-1] != f"{device}#":
            uncertain: type[AdapterError] = Retryable if reads else OutcomeUnknown
            raise uncertain(target=target_of(device), detail="the answer does not end with the prompt")
        return lines[:-1]

    @staticmethod
    def _raise_refusal(device: str, lines: list[str]) -> None:
        """The first `%` line is why the router did not do it; nothing was committed then."""
        line = next((line for line in lines if line.startswith("% ")), None)
        if line is None:
            return
        detail, target = line[2:202], target_of(device)
        if _LOCKED.match(line):
            raise Retryable(target=target, detail=detail)
        refused = _REFUSED.match(line)
        code = refused[1] if refused else next((c for pattern, c in _CODES if pattern.match(line)), None)
        if code is not None:
            raise Permanent(code, target=target, detail=detail)
        raise NeedsHuman(target=target, detail=f"it did not take our commands: {detail}")


def target_of(device: str) -> str:
    """Each router is a target of its own."""
    return f"{KIND}:{device}"
