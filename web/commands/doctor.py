"""doctor and assets: is this installation whole?"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable, Mapping
from pathlib import Path

from engine.config import Settings
from engine.errors import KaitongError
from engine.store import Store, migrate
from web.assets import build_assets
from web.commands.output import add_format, show

PACKAGES = ("bpmn", "engine", "tasks", "adapters", "sla", "web")


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The parsers of these commands."""
    doctor = commands.add_parser("doctor", help="check this installation")
    add_format(doctor)
    doctor.set_defaults(run=run_doctor)
    assets = commands.add_parser("assets", help="the front end").add_subparsers(metavar="WHAT", required=True)
    build = assets.add_parser("build", help="build it, if it has changed")
    build.add_argument("--force", action="store_true")
    build.set_defaults(run=run_build)


def run_doctor(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Runs every check; 1 if one fails."""
    settings = Settings.load(environment)
    checks: dict[str, Callable[[], str]] = {
        "packages": _packages,
        "database": lambda: _database(settings),
        "assets": _assets,
        "adapters": lambda: _adapters(settings),
    }
    results = [_result(name, check) for name, check in checks.items()]
    lines = [f"{'ok ' if r['ok'] else 'BAD'} {r['check']}: {r['detail']}" for r in results]
    show(arguments, results, "\n".join(lines))
    return 0 if all(r["ok"] for r in results) else 1


def run_build(arguments: argparse.Namespace, _environment: Mapping[str, str]) -> int:
    """Builds what the browser needs."""
    build_assets(force=arguments.force)
    return 0


def _result(name: str, check: Callable[[], str]) -> dict[str, object]:
    try:
        return {"check": name, "ok": True, "detail": check()}
    except (KaitongError, _Wrong) as e:
        return {"check": name, "ok": False, "detail": str(e)}


class _Wrong(Exception):
    """A check that failed; the text says what to do."""


def _packages() -> str:
    """Names like `tasks` are common: another distribution's package must not stand in front of ours."""
    root = Path(__file__).resolve().parents[2]
    for name in PACKAGES:
        found = importlib.import_module(name).__file__
        if found is None or Path(found).resolve().parents[1] != root:
            raise _Wrong(f"{name} is not ours but {found}; use a virtual environment of Kaitong's own")
    return f"from {root}"


def _database(settings: Settings) -> str:
    store = Store(settings.database)
    try:
        migrate.check(store)
    finally:
        store.close()
    return store.url.render_as_string(hide_password=True)


def _assets() -> str:
    from web.assets import Manifest

    manifest = Manifest()
    if not manifest.is_built:
        raise _Wrong("not built; run kaitong assets build")
    return "built"


def _adapters(settings: Settings) -> str:
    from adapters.registry import Registry

    registry = Registry.from_settings(settings)
    try:
        if registry.failed:
            raise _Wrong(f"cannot be loaded: {registry.failed}")
        answers = registry.probe()
        silent = {name: answer.get("detail") for name, answer in answers.items() if not answer.get("ok")}
        if silent:
            raise _Wrong(f"no answer from {silent}; with the simulators, start kaitong serve first")
        return ", ".join(sorted(answers))
    finally:
        registry.close()
