"""import: files of resources from the command line."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from engine.config import Settings
from engine.resources.importing.report import Report
from engine.resources.importing.run import KINDS, import_file
from web.commands.definitions import FileUnreadable
from web.commands.output import add_format, show

_SHOWN = 20


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The parsers of these commands."""
    kinds = commands.add_parser("import", help="take over files of resources, CSV or XLSX").add_subparsers(
        metavar="WHAT", required=True
    )
    for kind in KINDS:
        one = kinds.add_parser(kind, help=f"a file of {kind}")
        one.add_argument("file", type=Path)
        one.add_argument("--dry-run", action="store_true", help="only tell what would happen")
        one.add_argument("--locale", choices=("zh-CN", "en"), default="en", help="language of the reasons")
        add_format(one)
        one.set_defaults(run=run_import, kind=kind)


def run_import(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """0 if every row was taken."""
    from web.bootstrap import assemble

    services = assemble(Settings.load(environment))
    try:
        with arguments.file.open("rb") as stream:
            report = import_file(
                services.store,
                arguments.kind,
                stream,
                file=arguments.file.name,
                at=services.clock.now,
                actor="cli",
                dry_run=arguments.dry_run,
            )
    except OSError as e:
        raise FileUnreadable(file=arguments.file, detail=e.strerror) from e
    finally:
        services.registry.close()
        services.store.close()
    show(arguments, report.as_dict(), _text(report, arguments.locale))
    return 1 if report.refused else 0


def _text(report: Report, locale: str) -> str:
    counts = f"{report.added} added, {report.changed} changed, {report.unchanged} unchanged, {report.refused} refused"
    lines = [f"{report.rows} rows: {counts}" + (" (nothing was written)" if report.dry_run else "")]
    shown = report.refusals[:_SHOWN]
    lines += [f"row {r.row} {r.column}: {r.zh if locale == 'zh-CN' else r.en}" for r in shown]
    if report.refused > len(shown):
        lines.append(f"and {report.refused - len(shown)} more: --format json")
    return "\n".join(lines)
