"""Stories: orders that are played once on one installation, each with how it has to end. Tests then look at them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from tests.scenario.stage import Play, Stage

Player = Callable[[Stage], Play]


@dataclass(frozen=True)
class Story:
    """One order: how it is played, how it ends, and why."""

    play: Player
    state: str
    code: str | None = None
    network: str = "own"
    parts: tuple[str, ...] = ()
    """What works at the end beside the line: voice, television."""


class Stories(dict[str, Story]):
    """The stories of a process, by name."""

    def story(
        self, state: str, code: str | None = None, network: str = "own", parts: tuple[str, ...] = ()
    ) -> Callable[[Player], Player]:
        """Writes a function down as a story."""

        def note(play: Player) -> Player:
            name = getattr(play, "__name__", "")
            assert name not in self, name
            self[name] = Story(play, state, code, network, parts)
            return play

        return note

    def cancelled(self, waiting: Mapping[str, Player]) -> None:
        """One story for each point at which an order can wait, cancelled there."""
        self.update(
            {f"cancelled_at_{element}": Story(play, "cancelled") for element, play in waiting.items()}
        )

    def play(self, stage: Stage, names: Iterable[str] | None = None) -> Played:
        """Each story once, one after the other; one that goes wrong does not keep the next from being played."""
        found = Played(self)
        for name in self if names is None else names:
            try:
                found.plays[name] = self[name].play(stage)
            except Exception as e:  # shown by the tests of this story
                found.plays[name] = e
            stage.heal()
        return found


@dataclass
class Played:
    """What has become of stories that were played."""

    stories: Stories
    plays: dict[str, Play | BaseException] = field(default_factory=dict)

    def of(self, name: str) -> Play:
        """The order of a story; raises what went wrong in it."""
        found = self.plays[name]
        if isinstance(found, BaseException):
            raise found
        return found

    def as_told(self, name: str) -> None:
        """The order has ended as its story says, and nobody has anything left to do for it."""
        play, told = self.of(name), self.stories[name]
        ended = (name, play.state, play.code)
        assert ended == (name, told.state, told.code), (play.open(), play.troubles())
        assert play.open() == []

    def all_as_told(self) -> None:
        """So for each that was played."""
        for name in self.plays:
            self.as_told(name)
