"""simulate: tries a diagram out, without a database, an outside system or a person."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bpmn import durations
from bpmn.problems import DiagramRefused
from engine.deploy.definitions import Upload
from engine.errors import BadInput
from engine.simulation import Answers, Simulation, Trial, simulate
from engine.testing import START
from web.commands.definitions import FileUnreadable, forms_beside, read_file
from web.commands.output import add_format, show


class BadOption(BadInput):
    """{option} cannot be used: {detail}."""

    code = "simulation.option"


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The parser of this command."""
    found = commands.add_parser("simulate", help="try a diagram out with stubs and a clock that jumps")
    found.add_argument("file", type=Path)
    found.add_argument("--process", metavar="ID", default="", help="the first of the file if left out")
    found.add_argument(
        "--also-start",
        metavar="ID",
        action="append",
        default=[],
        help="a process to start before; repeatable",
    )
    found.add_argument("--input", metavar="JSON", default="{}", help="variables of the process")
    found.add_argument("--until", metavar="DURATION", default="P365D", help="ISO 8601, such as PT48H")
    found.add_argument("--answers", metavar="FILE", type=Path, help="what people and services answer")
    add_format(found)
    found.set_defaults(run=run_simulate)


def run_simulate(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Prints how it went; 1 if the diagram was refused or the process failed."""
    upload = Upload(arguments.file.name, read_file(arguments.file), forms_beside(arguments.file))
    trial = Trial(
        upload, arguments.process, arguments.also_start, _input(arguments.input), _until(arguments.until)
    )
    try:
        found = simulate(trial, _answers(arguments.answers))
    except DiagramRefused as e:
        problems = [p.as_dict("en") for p in e.problems]
        lines = [f"{p['severity']} {p['code']} line {p['line']}: {p['message']}" for p in problems]
        show(arguments, _document("refused", problems=problems), "\n".join(["refused", *lines]))
        return 1
    result = _document(
        found.outcome, error=found.error, trace=list(found.trace), instances=list(found.instances)
    )
    show(arguments, result, _text(found))
    return 1 if found.outcome == "failed" else 0


def _document(outcome: str, **parts: Any) -> dict[str, Any]:
    return {"outcome": outcome, "error": None, "problems": [], "trace": [], "instances": []} | parts


def _text(found: Simulation) -> str:
    lines = [f"{t['at']}  {t['instance']}  {t['event']:<9} {t['element']}" for t in found.trace]
    lines.append(found.outcome)
    if found.error is not None:
        lines.append(f"{found.error['code']} at {found.error['element']}: {found.error['message']}")
    return "\n".join(lines)


def _input(text: str) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except ValueError as e:
        raise BadOption(option="--input", detail=e) from e
    if not isinstance(values, dict):
        raise BadOption(option="--input", detail="an object is needed")
    return values


def _until(text: str) -> Any:
    try:
        return durations.duration(text, START)
    except durations.BadTimer as e:
        raise BadOption(option="--until", detail=e) from e


def _answers(file: Path | None) -> Answers:
    if file is None:
        return Answers()
    try:
        return Answers.read(json.loads(read_file(file)))
    except ValueError as e:
        raise FileUnreadable(file=file, detail=e) from e
