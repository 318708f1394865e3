"""Processes and their versions: uploading a diagram, reading what was found in it, putting it into service."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from werkzeug.datastructures import FileStorage

from bpmn.problems import DiagramRefused, Problem
from engine.deploy import queries
from engine.deploy.definitions import NothingChanged, Upload, versions_of
from engine.deploy.model import ProcessDefinition
from engine.errors import NotAllowed
from engine.identity.people import names_by_login
from web.auth import allow, allow_login
from web.pages import words
from web.pages.blueprint import pages
from web.services import services
from web.told import told


class FormFileUnreadable(Exception):
    """A file that should be a form is no JSON object."""

    def __init__(self, filename: str, line: int, detail: str) -> None:
        super().__init__(filename)
        self.filename, self.line, self.detail = filename, line, detail


@pages.get("/definitions")
@allow("view_definitions")
def definitions() -> ResponseReturnValue:
    """All processes with the versions that matter now."""
    return _list_page()


@pages.post("/definitions")
@allow("upload_definition")
def upload_definition() -> ResponseReturnValue:
    """Checks a diagram and stores it as a draft; a refused one is shown with its problems and stored nowhere."""
    me, file = services(), request.files.get("file")
    if file is None or not file.filename:
        flash(gettext("Choose a .bpmn file first."), "error")
        return _list_page(), 400
    try:
        upload = Upload(file.filename, file.read(), _forms(request.files.getlist("forms")))
        with me.store.write() as db:
            upload, taken = queries.with_known_forms(db, upload)
            versions = me.definitions.upload(db, upload, at=me.clock.now(), actor=g.actor.login)
            first = versions[0].id
    except DiagramRefused as refused:
        return _refused_page(file.filename, [_spoken(problem) for problem in refused.problems]), 400
    except FormFileUnreadable as unreadable:
        return _refused_page(file.filename, [_form_problem(unreadable)]), 400
    except NothingChanged as same:
        flash(told(same), "warning")
        return _list_page(), same.http_status
    flash(gettext("Uploaded as a draft: no order runs on it before it is deployed."), "success")
    if taken:
        names = ", ".join(taken)
        flash(gettext("Forms taken over from the version before: %(names)s.", names=names), "info")
    return redirect(url_for("pages.definition", definition_id=first), 303)


@pages.get("/definitions/<int:definition_id>")
@allow("view_definitions")
def definition(definition_id: int) -> ResponseReturnValue:
    """One version: its drawing, its warnings, and its neighbours."""
    with services().store.read() as db:
        row = queries.get_definition(db, definition_id)
        people = names_by_login(db, [row.deployment.created_by])
        shown = _shown(row, people)
        versions = [_version(other) for other in versions_of(db, row.key)]
        problems = [_stored(problem) for problem in row.deployment.problems]
    return render_template(
        "definition.html",
        definition=shown,
        versions=versions,
        problems=problems,
        xml_url=url_for("pages.definition_xml", definition_id=definition_id),
    )


@pages.post("/definitions/<int:definition_id>/deploy")
@allow("deploy_definition")
def deploy_definition(definition_id: int) -> ResponseReturnValue:
    """New orders run on this version from now on; open ones stay where they are."""
    me = services()
    with me.store.write() as db:
        row = queries.get_definition(db, definition_id)
        if row.state != "active":
            me.definitions.deploy(db, definition_id, at=me.clock.now(), actor=g.actor.login)
        version = row.version
    text = gettext(
        "Version %(version)s is in service: new orders run on it, open ones stay where they are.",
        version=version,
    )
    flash(text, "success")
    return redirect(url_for("pages.definition", definition_id=definition_id), 303)


@pages.get("/definitions/<int:definition_id>/diagram.bpmn")
@allow_login
def definition_xml(definition_id: int) -> ResponseReturnValue:
    """The bytes that were uploaded, for those who see processes or orders. They never change under their number."""
    if not (g.actor.can("view_definitions") or g.actor.can("view_orders")):
        raise NotAllowed(right="view_definitions")
    with services().store.read() as db:
        deployment = queries.get_definition(db, definition_id).deployment
        xml, sha = deployment.xml, deployment.sha256
    response = Response(xml, mimetype="application/xml")
    response.set_etag(sha)
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response.make_conditional(request)


def _list_page() -> str:
    with services().store.read() as db:
        found = queries.overview(db)
        people = names_by_login(db, {one.definition.deployed_by or "" for one in found})
        rows = [_listed(one, people) for one in found]
    return render_template("definitions.html", definitions=rows, can_deploy=g.actor.can("upload_definition"))


def _refused_page(filename: str, problems: Sequence[Mapping[str, Any]]) -> str:
    """Without a drawing: the file is kept nowhere, so there is nothing that a browser could load."""
    return render_template("definition_refused.html", filename=filename, problems=problems, xml_url=None)


def _forms(files: Sequence[FileStorage]) -> dict[str, Any]:
    """Form documents by key: the file's name without its ending."""
    found = {}
    for file in files:
        if not file.filename:
            continue
        key = file.filename.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0]
        found[key] = _form(file)
    return found


def _form(file: FileStorage) -> dict[str, Any]:
    name = file.filename or ""
    try:
        document = json.loads(file.read().decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise FormFileUnreadable(name, 0, "UTF-8") from None
    except json.JSONDecodeError as broken:
        raise FormFileUnreadable(name, broken.lineno, broken.msg) from None
    except RecursionError:
        raise FormFileUnreadable(name, 0, "JSON") from None
    if not isinstance(document, dict):
        raise FormFileUnreadable(name, 1, "JSON object")
    return document


def _spoken(problem: Problem) -> dict[str, Any]:
    return problem.as_dict("en" if words.in_english() else "zh") | {"line": problem.line or None}


def _stored(problem: Mapping[str, Any]) -> dict[str, Any]:
    """A warning as it was stored with the upload, in both languages."""
    return {
        "severity": problem["severity"],
        "code": problem["code"],
        "line": problem["line"] or None,
        "element": problem["element"],
        "message": words.say(problem.get("message_zh", problem["message"]), problem["message"]),
        "remedy": words.say(problem.get("remedy_zh", problem["remedy"]), problem["remedy"]),
    }


def _form_problem(unreadable: FormFileUnreadable) -> dict[str, Any]:
    message = gettext(
        "The form %(name)s cannot be read as JSON: %(detail)s",
        name=unreadable.filename,
        detail=unreadable.detail,
    )
    return {
        "severity": "error",
        "code": "FORM_JSON",
        "line": unreadable.line or None,
        "element": None,
        "message": message,
        "remedy": gettext("Export the form again from the form editor."),
    }


def _listed(one: queries.ListedVersion, people: Mapping[str, str]) -> dict[str, Any]:
    row = one.definition
    return _version(row) | {
        "key": row.key,
        "name": words.say(row.name, row.name_en),
        "deployed_by": words.actor(row.deployed_by, people),
        "open_instances": one.open_instances,
    }


def _version(row: ProcessDefinition) -> dict[str, Any]:
    return {
        "version": row.version,
        "state": row.state,
        "deployed_at": row.deployed_at,
        "url": url_for("pages.definition", definition_id=row.id),
    }


def _shown(row: ProcessDefinition, people: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": row.id,
        "key": row.key,
        "name": words.say(row.name, row.name_en),
        "version": row.version,
        "state": row.state,
        "sha": row.deployment.sha256,
        "created_at": row.created_at,
        "by": words.actor(row.deployment.created_by, people),
    }
