"""What is played: the orders that come in, and how people answer, read from the files beside this module."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from importlib import resources
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import yaml

FIRST_HOUR, LAST_HOUR = 8, 20
"""When people work."""
_WINDOWS = ("08-10", "10-12", "14-16", "16-18", "18-20")


@dataclass(frozen=True, slots=True)
class Wish:
    """An order that a customer is going to place, `at` minutes from the beginning; `regret`: hours until he cancels it."""

    at: timedelta
    category: str
    product: str
    area: str
    building: str
    tier: str
    customer: str
    phone: str
    values: Mapping[str, Any]
    regret: timedelta | None


@dataclass(frozen=True, slots=True)
class Complaint:
    """A report about some line that works by then; `wrong`: what is the matter, as the simulators are told."""

    at: timedelta
    symptom: str
    description: str
    wrong: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """A simulator that fails for some calls."""

    at: timedelta
    simulator: str
    fault: str
    times: int


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody answers a form."""

    weight: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """How long somebody takes for a task, in minutes, and how it may end."""

    shortest: int
    longest: int
    nights: bool
    mends: bool
    ways: Sequence[Way]

    def pick(self, chance: Random) -> Mapping[str, Any]:
        """One of the ways."""
        return chance.choices(self.ways, [way.weight for way in self.ways])[0].values

    def due(self, opened: datetime, zone: ZoneInfo, chance: Random) -> datetime:
        """When somebody who works by day has done it."""
        done = opened + timedelta(minutes=chance.uniform(self.shortest, self.longest))
        local = done.astimezone(zone)
        if self.nights or FIRST_HOUR <= local.hour < LAST_HOUR:
            return done
        day = local.date() + timedelta(days=int(local.hour >= LAST_HOUR))
        begin = datetime.combine(day, time(FIRST_HOUR), zone)
        return begin + timedelta(minutes=chance.uniform(0, 150))


@dataclass(frozen=True, slots=True)
class Script:
    """The whole play."""

    length: timedelta
    wishes: Sequence[Wish]
    complaints: Sequence[Complaint]
    troubles: Sequence[Trouble]
    answers: Mapping[str, Answer]


def read_script(chance: Random, orders: int) -> Script:
    """The play as it is shipped, with about so many orders, but at least one of each kind."""
    told, ways = _file("orders.yaml"), _file("answers.yaml")
    share = orders / sum(kind["count"] for kind in (*told["kinds"], *told["faults"]))
    length = timedelta(hours=told["hours"])
    wishes = [w for kind in told["kinds"] for w in _wishes(kind, told["surnames"], length, share, chance)]
    troubles = [
        Trouble(length - timedelta(hours=t["before"]), t["simulator"], t["fault"], t["times"])
        for t in told["troubles"]
    ]
    answers = {
        element: _answer(
            one["after"], one["ways"], nights=one.get("nights", False), mends=one.get("mends", False)
        )
        for element, one in ways.items()
    }
    complaints = [c for kind in told["faults"] for c in _complaints(kind, length, share, chance)]
    return Script(length, sorted(wishes, key=lambda wish: wish.at), complaints, troubles, answers)


def _answer(after: Sequence[int], ways: Sequence[Mapping[str, Any]], *, nights: bool, mends: bool) -> Answer:
    shortest, longest = after
    return Answer(shortest, longest, nights, mends, [Way(**way) for way in ways])


def _complaints(
    kind: Mapping[str, Any], length: timedelta, share: float, chance: Random
) -> Iterator[Complaint]:
    for _ in range(max(1, round(kind["count"] * share))):
        at = length * chance.uniform(0.55, 0.99)  # there have to be lines first
        yield Complaint(at, kind["symptom"], kind["description"], kind["wrong"])


def _wishes(
    kind: Mapping[str, Any], surnames: str, length: timedelta, share: float, chance: Random
) -> Iterator[Wish]:
    count = max(1, round(kind["count"] * share))
    for number in range(count):
        yield Wish(
            at=length * chance.uniform(0, 0.995),
            category=kind["category"],
            product=chance.choice(kind["products"]),
            area=kind["area"],
            building=chance.choice(kind["buildings"]),
            tier=chance.choice(kind["tiers"]),
            customer=chance.choice(surnames) + chance.choice(("先生", "女士")),
            phone=f"138{chance.randrange(10**8):08}",
            values=kind.get("values", {}),
            regret=timedelta(hours=chance.uniform(1, 20)) if number < kind.get("cancelled", 0) else None,
        )


def fill(
    values: Mapping[str, Any], known: Mapping[str, str], now: datetime, chance: Random
) -> dict[str, Any]:
    """The values of a form, with what begins with `@` put in; `known`: what depends on the order. `now`: local time."""
    return {name: _fill(value, known, now, chance) for name, value in values.items()}


def _fill(value: Any, known: Mapping[str, str], now: datetime, chance: Random) -> Any:
    if not isinstance(value, str) or not value.startswith("@"):
        return value
    name, _, more = value[1:].partition("+")
    if name == "date":
        return (now.date() + timedelta(days=int(more))).isoformat()
    if name == "time":
        return (now + timedelta(hours=float(more))).isoformat()
    if name == "window":
        return chance.choice(_WINDOWS)
    if name == "speed":
        return round(float(known["speed"]) * chance.uniform(0.92, 0.97))
    return known[name]


def _file(name: str) -> Any:
    return yaml.safe_load(resources.files("web.playing").joinpath(name).read_text(encoding="utf-8"))
