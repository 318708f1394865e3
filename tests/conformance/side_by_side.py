"""The same diagram in the plain library and in our kernel, with the same commands."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from bpmn.parse import parse
from engine.testing import Driver
from tests.bpmn_xml import process
from tests.conformance.plain import Plain


class Pair:
    """Commands are words: `u` completes the task or service u, `!go` is the message go, `@` lets an hour pass."""

    def __init__(self, *body: str, **values: Any) -> None:
        file = process(*body)
        executable = parse(file).processes["p"]
        self.names = set(executable.nodes)
        self.ours = Driver(executable, values)
        self.plain = Plain(file, values)

    def do(self, commands: str) -> None:
        """Gives the commands to both."""
        self.do_ours(commands)
        self.do_plain(commands)

    def do_ours(self, commands: str) -> None:
        """Gives the commands to our kernel."""
        for word in commands.split():
            if word == "@":
                self.ours.pass_time(timedelta(hours=1))
            elif word[0] == "!":
                self.ours.message(word[1:])
            elif word in self.ours.tasks:
                self.ours.complete(word)
            else:
                self.ours.result(word)

    def do_plain(self, commands: str) -> None:
        """Gives the commands to the library."""
        for word in commands.split():
            if word == "@":
                self.plain.pass_time()
            elif word[0] == "!":
                self.plain.message(word[1:])
            else:
                tasks = [t for t in (*self.plain.users, *self.plain.services) if t.task_spec.name == word]
                (self.plain.complete if tasks[0].task_spec.manual else self.plain.result)(tasks[0])

    @property
    def plain_done(self) -> Counter[str]:
        """What the library has completed."""
        return self.plain.done(self.names)

    @property
    def our_done(self) -> Counter[str]:
        """What our kernel has completed."""
        return Counter(self.ours.completed)
