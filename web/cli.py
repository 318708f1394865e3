"""`kaitong`: the command line. Errors are one sentence on standard error; tracebacks are for bugs only."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from bpmn.problems import DiagramRefused
from engine.errors import KaitongError
from web.commands import definitions, demo, doctor, imports, orders, people, processes, simulate


def parser() -> argparse.ArgumentParser:
    """All commands."""
    top = argparse.ArgumentParser(prog="kaitong", description="Order orchestration for telecom operators.")
    top.add_argument("--version", action="version", version=f"kaitong {version('kaitong')}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for theme in (processes, definitions, simulate, orders, imports, people, demo, doctor):
        theme.add_to(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; 0 went well, 1 did not, 2 was not understood."""
    arguments = parser().parse_args(argv)
    try:
        return int(arguments.run(arguments, os.environ))
    except KaitongError as e:
        print(f"kaitong: {e.text()} [{e.code}]", file=sys.stderr)
    except DiagramRefused as e:
        for problem in e.problems:
            print(
                f"{problem.severity} {problem.code} line {problem.line}: {problem.message('en')}",
                file=sys.stderr,
            )
    except BrokenPipeError:
        sys.stderr.close()
    return 1


if __name__ == "__main__":
    sys.exit(main())
