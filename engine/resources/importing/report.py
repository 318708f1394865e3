"""What became of a file: counts, and the refused rows as far as a person would read them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from engine.resources.importing.sheet import Refusal

MOST_SHOWN = 1000


@dataclass(slots=True)
class Report:
    """Counts go on although only the first refusals are kept."""

    kind: str
    dry_run: bool
    rows: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    refusals: list[Refusal] = field(default_factory=list)

    def refuse(self, refusal: Refusal) -> None:
        """One row was not taken."""
        self.refused += 1
        if len(self.refusals) < MOST_SHOWN:
            self.refusals.append(refusal)

    def count(self, outcome: str) -> None:
        """One row was `added`, `changed` or `unchanged`."""
        setattr(self, outcome, getattr(self, outcome) + 1)

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)
