"""The wheel: built from the tree, installed somewhere else without network, complete."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
import requests

from tests.product import Product
from tests.real_parts import missing

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("bpmn", "engine", "tasks", "adapters", "sla", "web")
NOT_SOURCES = shutil.ignore_patterns("node_modules", "__pycache__", "*.pyc")
pytestmark = pytest.mark.xdist_group("wheel")  # built once, by one worker


def _run(command: list[str | Path], cwd: Path) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        command, cwd=cwd, env=clean, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy, so that no earlier build in the tree can add to it."""
    copy, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=NOT_SOURCES)
    for file in ROOT.iterdir():
        if file.is_file() and not file.name.startswith("."):
            shutil.copy(file, copy)
    build: list[str | Path] = [sys.executable, "-m", "build", "--wheel", "--no-isolation"]
    _run([*build, "--outdir", out, copy], copy)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel; the libraries are those that the tests run with."""
    home = tmp_path_factory.mktemp("installed")
    _run([sys.executable, "-m", "venv", "--without-pip", home], home)
    python = home / "bin" / "python"
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
    _run([*pip, "install", "--quiet", "--no-deps", "--no-index", wheel], home)
    site = _run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], home).strip()
    Path(site, "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return home


@pytest.fixture(scope="session")
def contents(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def sources(pattern: str) -> set[str]:
    """The files of our packages that are used when running, without what is built and the front end's own sources."""
    built_or_elsewhere = {"node_modules", "__pycache__", "frontend", "dist", "babel.cfg"}
    return {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob(pattern)
        if path.is_file() and not built_or_elsewhere & set(path.parts)
    }


def test_kaitong_starts_from_its_wheel(installed: Path) -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    answer = _run([installed / "bin" / "kaitong", "--version"], installed)
    assert setup["metadata"]["version"] in answer


def test_the_installed_wheel_serves_pages_with_diagrams_and_assets(installed: Path, tmp_path: Path) -> None:
    product = Product(tmp_path / "data", python=str(installed / "bin" / "python"), folder=tmp_path)
    product.start()
    try:
        browser = requests.Session()
        page = browser.get(f"{product.url}/login", timeout=30)
        assert page.status_code == 200
        assets = re.findall(r'(?:src|href)="(/static/dist/[^"]+)"', page.text)
        assert any(a.endswith(".css") for a in assets)
        assert any(a.endswith(".js") for a in assets)
        for asset in assets:
            assert browser.get(product.url + asset, timeout=30).status_code == 200, asset
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        assert token is not None
        form = {"csrf_token": token[1], "login": "designer", "password": product.password("designer")}
        assert "/login" not in browser.post(f"{product.url}/login", data=form, timeout=30).url
        listed = browser.get(f"{product.url}/definitions", timeout=30)
        shown = re.search(r'href="(/definitions/\d+)"', listed.text)
        assert shown is not None
        definition = browser.get(product.url + shown[1], timeout=30)
        drawing = re.search(r'data-xml-url="([^"]+)"', definition.text)
        assert drawing is not None
        diagram = browser.get(product.url + drawing[1], timeout=30)
        assert diagram.content == (ROOT / "bpmn/definitions/broadband/broadband.bpmn").read_bytes()
        assert any("diagram" in a for a in re.findall(r'src="(/static/dist/[^"]+)"', definition.text))
    finally:
        assert product.stop() == 0


def test_packages_come_from_the_wheel_and_not_from_the_tree(installed: Path) -> None:
    ask = f"import importlib; print(*(importlib.import_module(n).__file__ for n in {PACKAGES}), sep='\\n')"
    places = _run([installed / "bin" / "python", "-c", ask], installed).split()
    assert [place for place in places if not place.startswith(str(installed))] == []


def test_every_file_of_our_packages_is_in_the_wheel(contents: set[str]) -> None:
    assert sources("*") - contents == set()


@pytest.mark.parametrize("pattern", ["*.bpmn", "*.form", "*.html", "*.po", "versions/0*.py"])
def test_what_is_no_module_is_in_the_wheel_too(contents: set[str], pattern: str) -> None:
    wanted = sources(pattern)
    assert wanted
    assert wanted - contents == set()


def test_the_wheel_holds_only_our_packages(contents: set[str]) -> None:
    others = {name for name in contents if name.split("/")[0] not in PACKAGES}
    assert {name.split("/")[0].partition("-")[0] for name in others} == {"kaitong"}
    assert [name for name in contents if "node_modules" in name or "__pycache__" in name] == []


@pytest.mark.parametrize("name", ["LICENSE", "NOTICE", "web/frontend/NOTICES.md"])
def test_the_licences_travel_with_the_wheel(contents: set[str], name: str) -> None:
    assert [entry for entry in contents if entry.endswith(f".dist-info/licenses/{name}")]


def test_the_built_front_end_is_in_the_wheel(contents: set[str]) -> None:
    built = ROOT / "web" / "static" / "dist"
    if not (built / "manifest.json").exists():
        missing("The built front end")
    wanted = {path.relative_to(ROOT).as_posix() for path in built.rglob("*") if path.is_file()}
    assert wanted - contents == set()


def test_the_migrations_of_the_wheel_make_a_database(installed: Path, tmp_path: Path) -> None:
    make = (
        "from engine.store import Store; from engine.store.migrate import *; s = Store('sqlite:///new.db'); "
    )
    _run([installed / "bin" / "python", "-c", make + "upgrade(s); check(s)"], tmp_path)
    assert (tmp_path / "new.db").stat().st_size > 0
