"""Random diagrams of nested blocks. Each block has one way in and one way out, and knows what it will complete.

What a block writes is computed too: every script, answer, result and message counts in a variable of its own name, which
begins at 0. Inside a scope that ends abruptly no branch is drawn that could still be on its way: what it completes would
be a matter of luck.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from random import Random
from typing import Any

from bpmn.parse import Executable, parse
from tests.bpmn_xml import (
    again,
    catch,
    definition,
    each,
    end,
    end_all,
    end_error,
    escalate,
    event_sub,
    flows,
    ior,
    on_error,
    on_escalation,
    on_message,
    on_timer,
    par,
    process,
    repeated,
    script,
    service,
    start,
    sub,
    timer,
    user,
    whichever,
    xor,
)

NEVER = "P300D"
CODES = ("E1", "E2", "E3")
FEWEST_DONE, MOST_DONE = 20, 250


@dataclass(frozen=True)
class Block:
    """Elements, the first and the last of them, and how often each is completed."""

    text: str
    first: str
    last: str
    done: Counter[str]


@dataclass(frozen=True)
class Looping:
    """Loop characteristics, and how many rounds they make."""

    text: str
    rounds: int


@dataclass
class Plan:
    """What whoever walks through the diagram has to know of single elements."""

    never: set[str] = field(default_factory=set)
    """Tasks that nobody does."""
    refused: dict[str, str] = field(default_factory=dict)
    """Services that are refused, with the code."""
    beside: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Tasks that are done after their boundary event has happened so often."""
    interrupted: set[str] = field(default_factory=set)
    """Sub-processes that an error ends."""
    repeated: set[str] = field(default_factory=set)
    """Activities with a loop: they count rounds."""
    wrong: list[str] = field(default_factory=list)
    """Variables that are 0 and should be 1: somebody corrects them when a step has failed."""
    outputs: dict[str, tuple[str, list[Any]]] = field(default_factory=dict)
    """Lists that loops leave: the variable, and of which activity with what."""


@dataclass(frozen=True)
class Drawing:
    """A whole diagram with what running it must give."""

    body: str
    messages: tuple[str, ...]
    codes: tuple[str, ...]
    escalations: tuple[str, ...]
    counting: tuple[str, ...]
    done: Counter[str]
    plan: Plan
    features: frozenset[str]

    @cached_property
    def file(self) -> bytes:
        """The diagram as XML."""
        roots = [f'<message id="M_{name}" name="{name}" />' for name in self.messages]
        roots += [f'<error id="X_{code}" name="{code}" errorCode="{code}" />' for code in self.codes]
        roots += [f'<escalation id="Y_{e}" name="{e}" escalationCode="{e}" />' for e in self.escalations]
        return process(self.body, roots="".join(roots))

    @cached_property
    def executable(self) -> Executable:
        """The process, ready to run."""
        return parse(self.file).processes["p"]

    @property
    def before(self) -> dict[str, Any]:
        """Variables at the start."""
        return dict.fromkeys([*self.counting, *self.plan.wrong], 0)

    @property
    def after(self) -> dict[str, Any]:
        """What is known of the variables at the end."""
        looping = self.plan.repeated
        known: dict[str, Any] = {n: self.done[round_of(n) if n in looping else n] for n in self.counting}
        return known | {n: found for n, (of, found) in self.plan.outputs.items() if self.done[of]}


def round_of(name: str) -> str:
    """What a round of a repeated activity counts as."""
    return f"{name}*"


def draw(seed: int, depth: int = 4, without: frozenset[str] = frozenset()) -> Drawing:
    """The diagram of a seed; too short and too long ones are drawn again. `without` names blocks that are left out."""
    random = Random(seed)
    while True:
        artist = Artist(random, without)
        inner = artist.block(depth)
        done = inner.done + Counter(["s", "e"])
        if FEWEST_DONE <= sum(done.values()) <= MOST_DONE:
            body = start() + inner.text + end() + flows(f"s {inner.first}", f"{inner.last} e")
            lists = artist.messages, artist.codes, artist.codes_of_escalations, artist.counting
            names = [tuple(found) for found in lists]
            return Drawing(body, *names, done, artist.plan, frozenset(artist.features))


class Artist:
    """Draws blocks, and remembers what was drawn."""

    def __init__(self, random: Random, without: frozenset[str] = frozenset()) -> None:
        self.random, self.without = random, without
        self.plan, self.messages, self.codes, self.counting = Plan(), list[str](), [*CODES], list[str]()
        self.codes_of_escalations: list[str] = []
        self.features: set[str] = set()
        self._numbers = Counter[str]()
        self._inside = Counter[str]()
        self._items: list[str] = []

    def name(self, prefix: str, *, counts: bool = False) -> str:
        """A new name; `counts` makes it a variable too."""
        self._numbers[""] += 1
        name = f"{prefix}{self._numbers['']}"
        if counts:
            self.counting.append(name)
        return name

    def half(self) -> bool:
        """One time in two."""
        return self.random.random() < 0.5

    def several(self, done: Counter[str], rounds: int) -> Counter[str]:
        """What several rounds complete."""
        return Counter({name: count * rounds for name, count in done.items()})

    @contextmanager
    def inside(self, what: str) -> Iterator[None]:
        """While something is drawn that surrounds what comes now."""
        self._inside[what] += 1
        yield
        self._inside[what] -= 1

    def block(self, depth: int) -> Block:
        """Any block, nested at most so deep."""
        nested = depth > 0 and self.random.random() < 0.75
        kinds: Mapping[str, Callable[[int], Block]] = self.nested if nested else self.simple
        also: dict[str, str] = {}
        if self._inside["loop"]:
            also["fork"] = "fork in a loop"
        if self._inside["parallel"]:
            also |= {"loop": "loop in parallel", "message": "message in parallel"}
        left_out = self.without | {"loop in parallel"}  # its counter would be everybody's
        kind = self.random.choice([k for k in kinds if not {k, also.get(k)} & left_out])
        self.features |= {kind, also.get(kind, kind)}
        return kinds[kind](depth)

    def listens(self) -> bool:
        """Whether a boundary event waits for a message rather than for a time."""
        return not (self._inside["parallel"] and "message in parallel" in self.without) and self.half()

    def key(self) -> dict[str, str]:
        """In an instance among several, a message says which one it is for."""
        return {"_key": " + '.' + ".join(f"str({item})" for item in self._items)} if self._items else {}

    @property
    def simple(self) -> Mapping[str, Callable[[int], Block]]:
        """Blocks that hold no others."""
        return {
            "script": self.script,
            "user": self.user,
            "service": self.service,
            "timer": self.timer,
            "message": self.message,
            "late": self.late,
            "beside": self.beside,
            "refusal": self.refusal,
            "again": self.again,
            "race": self.race,
            "fault": self.fault,
        }

    @property
    def nested(self) -> Mapping[str, Callable[[int], Block]]:
        """Blocks of blocks."""
        return {
            "sequence": self.sequence,
            "choice": self.choice,
            "fork": self.fork,
            "scope": self.scope,
            "loop": self.loop,
            "error": self.error,
            "terminate": self.terminate,
            "rounds": self.rounds,
            "some": self.some,
            "escalation": self.escalation,
        }

    # ---- blocks that hold no others

    def script(self, _depth: int = 0) -> Block:
        n = self.name("c", counts=True)
        return Block(script(n, f"{n} = {n} + 1"), n, n, Counter([n]))

    def user(self, _depth: int = 0) -> Block:
        n = self.name("u", counts=True)
        watch = on_timer(f"{n}b", n, NEVER, self.half()) if self.half() else ""
        rest = end(f"{n}e") + flows(f"{n}b {n}e") if watch else ""
        return Block(user(n) + watch + rest, n, n, Counter([n]))

    def service(self, _depth: int = 0) -> Block:
        n = self.name("v", counts=True)
        return Block(service(n, f"output {n} = {n} + result.one"), n, n, Counter([n]))

    def timer(self, _depth: int = 0) -> Block:
        n = self.name("t")
        return Block(timer(n, f"PT{self.random.randint(1, 90)}M"), n, n, Counter([n]))

    def message(self, _depth: int = 0) -> Block:
        n = self.name("m", counts=True)
        self.messages.append(n)
        return Block(catch(n, n, **self.key()), n, n, Counter([n]))

    def late(self, _depth: int = 0) -> Block:
        """A task that nobody does, alone or in a sub-process; a timer or a message interrupts it."""
        n = self.name("late")
        never, boundary = f"{n}never", f"{n}b"
        self.plan.never.add(never)
        done, begun = Counter([boundary, f"{n}x"]), 1
        if self.half():
            host, text = never, user(never)
        else:
            host, text = n, sub(n, start(f"{n}s"), user(never), end(f"{n}e"), flows(f"{n}s {never} {n}e"))
        if "several late" not in self.without and self.half():
            in_sequence, often = self.half(), self.random.randint(1, 3)
            text, begun = repeated(text, each(often=str(often), sequence=in_sequence)), often
            begun = 1 if in_sequence else often
        if host == n:
            done[f"{n}s"] = begun
        if self.listens():
            self.messages.append(boundary)
            self.counting.append(boundary)
            watch = on_message(boundary, host, boundary, **self.key())
        else:
            watch = on_timer(boundary, host, "PT1H")
        text += watch + xor(f"{n}x") + flows(f"{host} {n}x", f"{boundary} {n}x")
        return Block(text, host, f"{n}x", done)

    def beside(self, _depth: int = 0) -> Block:
        """A task that is done after its boundary event has started a branch beside it."""
        n = self.name("u", counts=True)
        boundary, often = f"{n}b", 1
        if self.listens():
            often = 1 if "message again" in self.without else self.random.randint(1, 3)
            self.messages.append(boundary)
            self.counting.append(boundary)
            watch = on_message(boundary, n, boundary, interrupts=False, **self.key())
            self.features |= {"message again"} if often > 1 else set()
        else:
            often = 1 if "cycle" in self.without else self.random.randint(1, 3)
            watch = on_timer(boundary, n, f"R{often}/PT1H" if often > 1 else "PT1H", interrupts=False)
        self.plan.beside[n] = boundary, often
        may_wait = not self._inside["abrupt"] and self.half()
        side = self.user() if may_wait else self.script()
        text = user(n) + watch + side.text + end(f"{n}e")
        text += flows(f"{boundary} {side.first}", f"{side.last} {n}e")
        return Block(text, n, n, self.several(side.done + Counter([boundary, f"{n}e"]), often) + Counter([n]))

    def refusal(self, _depth: int = 0) -> Block:
        """A service that is refused; its boundary events know the code, or any."""
        n, code = self.name("r"), self.random.choice(CODES)
        self.plan.refused[n] = code
        way = self.random.choice(["exact", "any", "both"])
        often = each(often=str(self.random.randint(1, 3)), sequence=self.half()) if self.half() else ""
        activity = repeated(service(n), often) if often else service(n)
        text, caught = activity + xor(f"{n}x") + flows(f"{n} {n}x"), f"{n}any"
        if way != "exact":
            text += on_error(f"{n}any", n) + flows(f"{n}any {n}x")
        if way != "any":
            text, caught = text + on_error(f"{n}exact", n, code) + flows(f"{n}exact {n}x"), f"{n}exact"
        return Block(text, n, f"{n}x", Counter([caught, f"{n}x"]))

    def fault(self, _depth: int = 0) -> Block:
        """A step that fails until somebody corrects a variable: when it is entered, when it runs or when it is left."""
        n = self.name("z", counts=True)
        good = f"{n}_ok"
        self.plan.wrong.append(good)
        check, way = f"1 // {good}", self.random.choice(["enter", "run", "output", "leave"])
        if way == "enter":
            watch = on_timer(f"{n}b", n, f"'{NEVER}' if {check} else ''") + end(f"{n}e") + flows(f"{n}b {n}e")
            return Block(script(n, f"{n} = {n} + 1") + watch, n, n, Counter([n]))
        if way == "run":
            return Block(script(n, f"{n} = {n} + {check}"), n, n, Counter([n]))
        if way == "output":
            return Block(service(n, f"output {n} = {n} + result.one // {good}"), n, n, Counter([n]))
        text = script(n, f"{n} = {n} + 1") + xor(f"{n}g") + xor(f"{n}x")
        chains = flows(f"{n} {n}g", f"{n}g {n}x if {good} == 1", f"{n}g {n}x if {good} == 2")
        return Block(text + chains, n, f"{n}x", Counter([n, f"{n}g", f"{n}x"]))

    def race(self, _depth: int = 0) -> Block:
        """An event gateway: a message comes before a time that never does."""
        n = self.name("m", counts=True)
        self.messages.append(n)
        text = whichever(f"{n}w") + catch(n, n, **self.key()) + timer(f"{n}t", NEVER) + xor(f"{n}x")
        chains = flows(f"{n}w {n} {n}x", f"{n}w {n}t {n}x")
        return Block(text + chains, f"{n}w", f"{n}x", Counter([f"{n}w", n, f"{n}x"]))

    def again(self, _depth: int = 0) -> Block:
        """A task with a loop."""
        n = self.name("a", counts=True)
        task = self.random.choice(
            [
                script(n, f"{n} = {n} + 1"),
                user(n),
                service(n, f"output {n} = {n} + result.one"),
            ]
        )
        loop = self.looping(n, may_leave=True)
        return Block(repeated(task, loop.text), n, n, Counter({n: 1, round_of(n): loop.rounds}))

    def looping(self, n: str, *, may_leave: bool, parallel: bool | None = None) -> Looping:
        """Loop characteristics of any kind. `may_leave`: instances of which some are left undone."""
        self.plan.repeated.add(n)
        if parallel is None:
            parallel = self.random.random() < 0.4
        if not parallel and self.half():
            return self._standard()
        often, needed = self.random.randint(0, 4), self.random.randint(1, 5)
        may_stop = "completion" not in self.without and (may_leave or not parallel)
        stops = needed < often and may_stop and self.half()
        ours = {"enough": f"numberOfCompletedInstances >= {needed}"} if stops else {}
        rounds, values = min(often, needed) if stops else often, [10 * k for k in range(often)]
        if "outputs" not in self.without and self.half() and not (stops and parallel):
            ours |= {"outputCollection": f"{n}out", "outputElement": "loopCounter * 10"}
            left: list[Any] = [None] * (often - rounds)
            self.plan.outputs[f"{n}out"] = n, [*values[:rounds], *left]
        if "collection" in self.without:
            text = each(often=str(often), sequence=not parallel, **ours)
        elif self.half() or parallel:
            text = each(str(values), elementVariable=f"{n}i", sequence=not parallel, **ours)
        else:
            text = each(often=f"{often} + 0", sequence=not parallel, **ours)
        return Looping(text, rounds)

    def _standard(self) -> Looping:
        rounds = self.random.randint(1, 4)
        if "condition" in self.without or self.half():
            return Looping(again(loopMaximum=str(rounds)), rounds)
        if self.half():
            return Looping(again(f"loopCounter < {rounds}"), rounds)
        return Looping(again(f"loopCounter < {rounds - 1}", testBefore="true"), rounds - 1)

    # ---- blocks of blocks

    def sequence(self, depth: int) -> Block:
        parts = [self.block(depth - 1) for _ in range(self.random.randint(1, 3))]
        joins = flows(*(f"{a.last} {b.first}" for a, b in pairwise(parts)))
        done = sum((p.done for p in parts), Counter[str]())
        return Block("".join(p.text for p in parts) + joins, parts[0].first, parts[-1].last, done)

    def choice(self, depth: int) -> Block:
        g, m = self.name("g"), self.name("g")
        parts = [self.block(depth - 1) for _ in range(self.random.randint(2, 3))]
        taken, last = self.random.randrange(len(parts)), len(parts) - 1
        chains = [
            f"{g} {p.first}" + ("" if n == last else f" if {n == taken}") for n, p in enumerate(parts)
        ] + [f"{p.last} {m}" for p in parts]
        text = "".join(p.text for p in parts) + xor(g, f"{g}_{parts[last].first}") + xor(m) + flows(*chains)
        return Block(text, g, m, Counter([g, m]) + parts[taken].done)

    def fork(self, depth: int) -> Block:
        f, j = self.name("f"), self.name("j")
        parts = [self.block(depth - 1) for _ in range(self.random.randint(2, 3))]
        chains = [c for p in parts for c in (f"{f} {p.first}", f"{p.last} {j}")]
        done = sum((p.done for p in parts), Counter([f, j]))
        return Block("".join(p.text for p in parts) + par(f, j) + flows(*chains), f, j, done)

    def some(self, depth: int) -> Block:
        """An inclusive gateway: some of the branches, or the default one."""
        f, j = self.name("f"), self.name("j")
        parts = [self.block(depth - 1) for _ in range(self.random.randint(2, 3))]
        chosen = [self.half() for _ in parts[1:]]
        taken = [p for p, is_chosen in zip(parts[1:], chosen, strict=True) if is_chosen] or parts[:1]
        chains = [f"{f} {parts[0].first}"] + [
            f"{f} {p.first} if {is_chosen}" for p, is_chosen in zip(parts[1:], chosen, strict=True)
        ]
        chains += [f"{p.last} {j}" for p in parts]
        text = "".join(p.text for p in parts) + ior(f, f"{f}_{parts[0].first}") + ior(j) + flows(*chains)
        return Block(text, f, j, sum((p.done for p in taken), Counter([f, j])))

    def escalation(self, depth: int) -> Block:
        """A sub-process that escalates: a branch begins beside it, or it is interrupted."""
        n, interrupts = self.name("Y"), self._inside["abrupt"] > 0 or self.half()
        with self.inside("abrupt" if interrupts else "scope"):
            inner = self.block(depth - 1)
        thrower, boundary, side = f"{n}t", f"{n}b", self.script()
        self.codes_of_escalations.append(n)
        chain = flows(f"{n}s {inner.first}", f"{inner.last} {thrower} {n}e")
        whole = sub(n, start(f"{n}s"), inner.text, escalate(thrower, n), end(f"{n}e"), chain)
        whole += on_escalation(boundary, n, n if self.half() else "", interrupts) + side.text
        done = inner.done + side.done + Counter([f"{n}s", boundary])
        if interrupts:  # the throwing event too
            whole += xor(f"{n}x") + flows(f"{n} {n}x", f"{boundary} {side.first}", f"{side.last} {n}x")
            return Block(whole, n, f"{n}x", done + Counter([f"{n}x"]))
        whole += end(f"{n}y") + flows(f"{boundary} {side.first}", f"{side.last} {n}y")
        return Block(whole, n, n, done + Counter([thrower, f"{n}e", f"{n}y", n]))

    def scope(self, depth: int) -> Block:
        n, inner = self.name("S"), self.block(depth - 1)
        inside = start(f"{n}s"), inner.text, end(f"{n}e"), flows(f"{n}s {inner.first}", f"{inner.last} {n}e")
        return Block(sub(n, *inside), n, n, inner.done + Counter([f"{n}s", f"{n}e", n]))

    def rounds(self, depth: int) -> Block:
        """A sub-process with a loop."""
        n, parallel = self.name("R"), self.half()
        loop = self.looping(n, may_leave=False, parallel=parallel)
        with self.inside("parallel" if parallel else "sequence"):
            self._items += [f"{n}i"] if parallel else []
            inner = self.block(depth - 1)
            self._items = self._items[:-1] if parallel else self._items
        inside = start(f"{n}s"), inner.text, end(f"{n}e"), flows(f"{n}s {inner.first}", f"{inner.last} {n}e")
        done = self.several(inner.done + Counter([f"{n}s", f"{n}e", round_of(n)]), loop.rounds)
        return Block(repeated(sub(n, *inside), loop.text), n, n, done + Counter([n]))

    def loop(self, depth: int) -> Block:
        """Round and round through two exclusive gateways."""
        n, rounds = self.name("l", counts=True), self.random.randint(1, 4)
        with self.inside("loop"):
            inner = self.block(depth - 1)
        chains = (
            f"{n}i {n}m {inner.first}",
            f"{inner.last} {n} {n}g",
            f"{n}g {n}m if {n}n < {rounds}",
            f"{n}g {n}x",
        )
        own = script(f"{n}i", f"{n}n = 0") + script(n, f"{n}n = {n}n + 1; {n} = {n} + 1")
        own += xor(f"{n}m") + xor(f"{n}g", f"{n}g_{n}x") + xor(f"{n}x")
        done = self.several(inner.done + Counter([f"{n}m", n, f"{n}g"]), rounds) + Counter([f"{n}i", f"{n}x"])
        return Block(inner.text + own + flows(*chains), f"{n}i", f"{n}x", done)

    def error(self, depth: int) -> Block:
        """A sub-process that an error ends: of a script, of a refused service or of an end event, maybe from deeper."""
        n, code, is_exact = self.name("X"), self.random.choice(CODES), self.half()
        if "code twice" in self.without:
            code, is_exact = f"E_{n}", True
            self.codes.append(code)
        self.plan.interrupted.add(n)
        with self.inside("abrupt"):
            text, first, last, done = self._before_the_end(n, depth)
        ways = [w for w in ("script", "service", "event") if f"error by {w}" not in self.without]
        way, thrower = self.random.choice(ways), f"{n}t"
        if way == "script":
            throw = script(thrower, f"bpmn_error('{code}')") + end(f"{n}e") + flows(f"{thrower} {n}e")
        elif way == "service":
            throw = service(thrower) + end(f"{n}e") + flows(f"{thrower} {n}e")
            self.plan.refused[thrower] = code
        else:
            throw, done = end_error(thrower, code), done + Counter([thrower])
        self.features.add(f"error by {way}")
        if "error from deeper" not in self.without and self.half():  # its own boundary knows another code
            self.features.add("error from deeper")
            other, d = self.random.choice([c for c in CODES if c != code]), f"{n}d"
            inside = start(f"{d}s"), throw, flows(f"{d}s {thrower}")
            throw = sub(d, *inside) + on_error(f"{d}b", d, other) + end(f"{d}e")
            throw += flows(f"{d} {d}e", f"{d}b {d}e")
            thrower, done = d, done + Counter([f"{d}s"])
        inside = start(f"{n}s"), text, throw, flows(f"{n}s {first}", f"{last} {thrower}")
        if "handler" not in self.without and self.random.random() < 0.3:
            return self._handled(n, code if is_exact else "", inside, done + Counter([f"{n}s"]))
        catcher = on_error(f"{n}b", n, code if is_exact else "")
        activity = sub(n, *inside)
        if "several error" not in self.without and self.half():  # the first round ends it
            activity = repeated(activity, each(often="3", sequence=True) if self.half() else again("True"))
        whole = activity + catcher + xor(f"{n}x") + flows(f"{n} {n}x", f"{n}b {n}x")
        return Block(whole, n, f"{n}x", done + Counter([f"{n}s", f"{n}b", f"{n}x"]))

    def _handled(self, n: str, code: str, inside: tuple[str, ...], done: Counter[str]) -> Block:
        """The error starts an event sub-process; when that is done, so is the sub-process."""
        h, handler = f"{n}H", self.script()
        chain = flows(f"{h}_s {handler.first} {h}e")
        text = sub(n, *inside, event_sub(h, definition("error", code), handler.text, end(f"{h}e"), chain))
        return Block(text, n, n, done + handler.done + Counter([f"{h}_s", f"{h}e", h, n]))

    def terminate(self, depth: int) -> Block:
        """A sub-process that a terminate end event ends."""
        n = self.name("K")
        with self.inside("abrupt"):
            text, first, last, done = self._before_the_end(n, depth)
        inside = start(f"{n}s"), text, end_all(f"{n}e"), flows(f"{n}s {first}", f"{last} {n}e")
        return Block(sub(n, *inside), n, n, done + Counter([f"{n}s", f"{n}e", n]))

    def _before_the_end(self, n: str, depth: int) -> tuple[str, str, str, Counter[str]]:
        """What happens in a scope that ends abruptly; maybe beside a task that nobody does."""
        inner = self.block(depth - 1)
        if self.half():
            return inner.text, inner.first, inner.last, inner.done
        never, f = f"{n}never", f"{n}f"
        self.plan.never.add(never)
        text = inner.text + par(f) + user(never) + end(f"{n}y")
        chains = flows(f"{f} {inner.first}", f"{f} {never} {n}y")
        return text + chains, f, inner.last, inner.done + Counter([f])
