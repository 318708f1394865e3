"""lint and deploy: diagrams from the command line."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bpmn.lint import Catalogue
from bpmn.parse import problems_of
from engine.config import Settings
from engine.deploy.definitions import Upload
from engine.deploy.queries import with_known_forms
from engine.errors import BadInput
from web.commands.output import add_format, show
from web.master_data import shipped_roles


class FileUnreadable(BadInput):
    """The file {file} cannot be read: {detail}."""

    code = "file"


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The parsers of these commands."""
    lint = commands.add_parser("lint", help="check a diagram")
    lint.add_argument("file", type=Path)
    lint.add_argument("--locale", choices=("zh-CN", "en"), default="en")
    add_format(lint)
    lint.set_defaults(run=run_lint)
    deploy = commands.add_parser("deploy", help="upload a diagram and put it into service")
    deploy.add_argument("file", type=Path)
    deploy.add_argument("--draft", action="store_true", help="upload only")
    add_format(deploy)
    deploy.set_defaults(run=run_deploy)


def run_lint(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Prints every problem; 1 if the diagram would be refused."""
    from adapters.registry import Registry
    from web.bootstrap import catalogue

    registry = Registry.from_settings(Settings.load(environment))
    known = catalogue(registry, shipped_roles())
    registry.close()
    forms = forms_beside(arguments.file)
    data = read_file(arguments.file)
    problems = problems_of(data, Catalogue(known.operations, known.roles, forms or None))
    ok = all(p.severity != "error" for p in problems)
    listed = [p.as_dict(arguments.locale) for p in problems]
    lines = [
        f"{p['severity']} {p['code']} line {p['line']} {p['element'] or ''}: {p['message']}" for p in listed
    ]
    show(arguments, {"ok": ok, "problems": listed}, "\n".join(lines) or "no problem found")
    return 0 if ok else 1


def run_deploy(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Uploads and, unless `--draft`, deploys every process of the file."""
    from web.bootstrap import assemble

    services = assemble(Settings.load(environment))
    at = services.clock.now()
    upload = Upload(arguments.file.name, read_file(arguments.file), forms_beside(arguments.file))
    with services.store.write() as session:
        upload, taken = with_known_forms(session, upload)
        versions = services.definitions.upload(session, upload, at=at, actor="cli")
        if not arguments.draft:
            for version in versions:
                services.definitions.deploy(session, version.id, at=at, actor="cli")
        result = [
            {"process": v.key, "version": v.version, "state": v.state, "taken_forms": taken} for v in versions
        ]
    lines = [f"{r['process']} version {r['version']} is {r['state']}" for r in result]
    lines += [f"form {key} taken from the version before" for key in taken]
    show(arguments, result, "\n".join(lines))
    return 0


def forms_beside(file: Path) -> dict[str, Any]:
    """Forms next to the diagram: `*.form` in its folder and in `forms/`."""
    found = {}
    for path in [*file.parent.glob("*.form"), *(file.parent / "forms").glob("*.form")]:
        try:
            found[path.stem] = json.loads(read_file(path))
        except ValueError as e:
            raise FileUnreadable(file=path, detail=e) from e
    return found


def read_file(file: Path) -> bytes:
    """The bytes of a file. Raises `FileUnreadable`."""
    try:
        return file.read_bytes()
    except OSError as e:
        raise FileUnreadable(file=file, detail=e.strerror) from e
