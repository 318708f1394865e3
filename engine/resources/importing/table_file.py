"""Rows of a CSV or XLSX file as texts, one after the other; nothing of a file is ever calculated or rendered.

A formula is the text that it is written as. Files are read as streams, so their length costs no memory.
"""

from __future__ import annotations

import codecs
import csv
import io
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import IO, Any

from engine.errors import BadInput

MOST_COLUMNS = 50
MOST_ROWS = 2_000_000
LONGEST_CELL = 300
UNPACKED_BYTES = 1_000_000_000
_ZIP = b"PK\x03\x04"
_BLOCK = 1 << 16


class BadFile(BadInput):
    """The file cannot be read as a table: {detail}."""

    code = "import.file"


def rows_of(stream: IO[bytes]) -> Iterator[tuple[int, Sequence[str]]]:
    """Number (the heading is row 1) and cells of each row that is not empty. Raises `BadFile`."""
    start = stream.read(4)
    stream.seek(0)
    cells = _workbook(stream) if start == _ZIP else _csv(stream)
    for number, row in enumerate(cells, 1):
        if number > MOST_ROWS:
            raise BadFile(detail=f"it has more than {MOST_ROWS:,} rows")
        texts = [text.strip() for text in row[:MOST_COLUMNS]]
        if any(texts):
            yield number, texts


def _csv(stream: IO[bytes]) -> Iterator[Sequence[str]]:
    text = io.TextIOWrapper(stream, encoding=_encoding(stream), errors="replace", newline="")
    first = text.readline(_BLOCK)
    delimiter = max(",;\t", key=first.count)
    text.seek(0)
    try:
        yield from csv.reader(text, delimiter=delimiter)
    except csv.Error as e:
        raise BadFile(detail=str(e)) from e
    finally:
        text.detach()


def _encoding(stream: IO[bytes]) -> str:
    """UTF-8, or what spreadsheets in China write."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while block := stream.read(_BLOCK):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "gb18030"
    finally:
        stream.seek(0)
    return "utf-8-sig"


def _workbook(stream: IO[bytes]) -> Iterator[Sequence[str]]:
    """The first sheet. What it unpacks to is looked at before anything is unpacked."""
    from openpyxl import load_workbook  # it takes a while, and most processes never need it

    try:
        with zipfile.ZipFile(stream) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > UNPACKED_BYTES:
                raise BadFile(detail=f"it unpacks to more than {UNPACKED_BYTES:,} bytes")
        stream.seek(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that we do not look at
            book = load_workbook(stream, read_only=True, keep_links=False)
            for row in book.worksheets[0].iter_rows(values_only=True, max_col=MOST_COLUMNS):
                yield [_text(value) for value in row]
            book.close()
    except BadFile:
        raise
    except Exception as e:  # whatever the reader finds in a broken or hostile file
        raise BadFile(detail=f"{type(e).__name__}: {str(e)[:200]}") from e


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)
