"""Taking a file over in batches, each a transaction of its own.

The same file twice changes nothing, so an import that was interrupted is done again from the start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import IO, Any, Protocol

from sqlalchemy.orm import Session

from engine.events import record
from engine.resources.importing.coverage import CoverageFile
from engine.resources.importing.report import Report
from engine.resources.importing.sheet import Column, Refusal, read_sheet
from engine.resources.importing.things import NumberFile, OnuFile, PortFile, StockFile
from engine.store import Store

BATCH = 500
Row = tuple[int, Mapping[str, Any]]


class File(Protocol):
    """One kind of file."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """What a row has."""

    def refuse(self, number: int, row: Mapping[str, Any]) -> Refusal | None:
        """What is wrong with a row."""

    def write(self, session: Session, rows: Sequence[Row], report: Report, at: datetime) -> None:
        """Puts a batch into the database and counts what became of each row."""


KINDS: Mapping[str, Callable[[Session], File]] = {
    "coverage": CoverageFile,
    "ports": PortFile,
    "onus": OnuFile,
    "numbers": NumberFile,
    "stock": StockFile,
}


class _Undo(Exception):
    """Ends a transaction of a dry run."""


def import_file(
    store: Store,
    kind: str,
    stream: IO[bytes],
    *,
    file: str,
    at: Callable[[], datetime],
    actor: str,
    dry_run: bool = False,
) -> Report:
    """Reads the file and writes what is right in it. Raises `BadFile` where it is no table; batches before that stay."""
    report = Report(kind, dry_run)
    with store.read() as session:
        reader = KINDS[kind](session)
    for batch in _batches(stream, reader, report):
        try:
            with store.write() as session:
                write_batch(session, reader, batch, report, file, at(), actor)
                if dry_run:
                    raise _Undo
        except _Undo:
            pass
    report.refusals.sort(key=lambda refusal: refusal.row)
    return report


def import_rows(session: Session, kind: str, stream: IO[bytes], *, file: str, at: datetime) -> Report:
    """The same in the caller's transaction, for files that we ship."""
    report, reader = Report(kind, dry_run=False), KINDS[kind](session)
    for batch in _batches(stream, reader, report):
        write_batch(session, reader, batch, report, file, at, "system")
    return report


def write_batch(
    session: Session, reader: File, batch: Sequence[Row], report: Report, file: str, at: datetime, actor: str
) -> None:
    """One batch with its event, in the caller's transaction."""
    before = report.added, report.changed
    reader.write(session, batch, report, at)
    added, changed = report.added - before[0], report.changed - before[1]
    if added or changed:
        record(
            session,
            "ResourcesImported",
            at=at,
            actor=actor,
            resource_kind=report.kind,
            file=file[:200],
            added=added,
            changed=changed,
        )


def _batches(stream: IO[bytes], reader: File, report: Report) -> Iterator[list[Row]]:
    good = _good(stream, reader, report)
    while batch := list(islice(good, BATCH)):
        yield batch


def _good(stream: IO[bytes], reader: File, report: Report) -> Iterator[Row]:
    for number, row in read_sheet(stream, reader.columns):
        report.rows += 1
        refusal = row if isinstance(row, Refusal) else reader.refuse(number, row)
        if refusal is not None:
            report.refuse(refusal)
        elif not isinstance(row, Refusal):
            yield number, row
