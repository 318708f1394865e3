"""From cells to values: which columns a kind of file has, by their names in both languages, and what is wrong with a row."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from engine.resources.importing.table_file import LONGEST_CELL, BadFile, rows_of

_UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its names, what stands for an empty cell (None: it must be filled), and how its text is read."""

    name: str
    zh: str
    read: Callable[[str], Any]
    empty: Any = None
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was not taken, with the reason in both languages."""

    row: int
    column: str
    zh: str
    en: str


class Refused(ValueError):
    """A cell that does not fit; its reason in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


def read_sheet(
    stream: IO[bytes], columns: Sequence[Column]
) -> Iterator[tuple[int, Mapping[str, Any] | Refusal]]:
    """The rows below the heading, read or refused. Raises `BadFile` if the heading lacks a column."""
    rows = rows_of(stream)
    heading = next(rows, None)
    if heading is None:
        raise BadFile(detail="it is empty")
    places = _places(heading[1], columns)
    for number, cells in rows:
        yield number, _read(number, cells, places)


def whole(least: int, most: int) -> Callable[[str], int]:
    """Reads a whole number."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text, re.ASCII) or not least <= int(text) <= most:
            raise Refused(f"应为 {least} 到 {most} 的整数", f"must be a whole number from {least} to {most}")
        return int(text)

    return read


def word(pattern: str, zh: str, en: str) -> Callable[[str], str]:
    """Reads a text of a certain form."""

    def read(text: str) -> str:
        if not re.fullmatch(pattern, text, re.ASCII):
            raise Refused(zh, en)
        return text

    return read


def any_text(text: str) -> str:
    """Reads any text."""
    return text


def one_of(*known: str) -> Callable[[str], str]:
    """Reads one of some words."""

    def read(text: str) -> str:
        if text not in known:
            raise Refused(f"应为 {'、'.join(known)} 之一", f"must be one of {', '.join(known)}")
        return text

    return read


def _places(heading: Sequence[str], columns: Sequence[Column]) -> list[tuple[Column, int | None]]:
    names = [text.strip().casefold() for text in heading]
    found: list[tuple[Column, int | None]] = []
    for column in columns:
        place = next((n for n, name in enumerate(names) if name in (column.name, column.zh.casefold())), None)
        if place is None and column.needed:
            raise BadFile(detail=f"the first row names no column {column.name} ({column.zh})")
        found.append((column, place))
    return found


def _read(
    number: int, cells: Sequence[str], places: Sequence[tuple[Column, int | None]]
) -> Mapping[str, Any] | Refusal:
    values = {}
    for column, place in places:
        text = cells[place] if place is not None and place < len(cells) else ""
        try:
            values[column.name] = _value(text, column)
        except Refused as e:
            return Refusal(number, column.name, e.zh, e.en)
    return values


def _value(text: str, column: Column) -> Any:
    if not text:
        if column.needed:
            raise Refused("不能为空", "must not be empty")
        return column.empty
    if len(text) > LONGEST_CELL:
        raise Refused(f"超过 {LONGEST_CELL} 个字符", f"is longer than {LONGEST_CELL} characters")
    if _UNSTORABLE.search(text):
        raise Refused("含有无法存储的字符", "holds characters that cannot be stored")
    return column.read(text)
