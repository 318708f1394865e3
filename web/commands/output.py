"""How results are printed: for people, or as JSON for programs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import Any


def add_format(parser: argparse.ArgumentParser) -> None:
    """`--format json` for everything that prints a result."""
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how to print the result")


def show(arguments: argparse.Namespace, result: Any, text: str) -> None:
    """Prints the result in the wanted form."""
    print(json.dumps(result, ensure_ascii=False, default=str) if arguments.format == "json" else text)


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Rows under their headings; a word where there is none."""
    if not rows:
        return "nothing"
    lines = [[str(r.get(c) if r.get(c) is not None else "") for c in columns] for r in rows]
    lines.insert(0, list(columns))
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    return "\n".join(
        "  ".join(v.ljust(w) for v, w in zip(line, widths, strict=True)).rstrip() for line in lines
    )
