"""Definitions: versions of diagrams, their files, uploading one and putting it into service."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from flask import Response, g, jsonify, request
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, gettext
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import UnsupportedMediaType

from bpmn.problems import DiagramRefused
from engine.deploy import queries
from engine.deploy.definitions import Upload
from engine.deploy.model import ProcessDefinition
from engine.errors import BadInput
from web.api.reading import choice, number, only_parameters, optional_number, text
from web.api.times import stamp
from web.api.v1 import shapes
from web.api.v1.route import Parameter, Route, listing, page_parameters
from web.auth import allow
from web.services import services

XML_TYPES = ("application/xml", "text/xml")
STATES = ("draft", "active", "retired")


class BadUpload(BadInput):
    """The upload cannot be read: {detail}."""

    code = "definition.upload"


@allow("view_definitions")
def list_definitions() -> ResponseReturnValue:
    """Versions of all processes, newest upload first."""
    only_parameters("process", "state", "after", "limit")
    state = choice("state", (*STATES, ""), "") or None
    with services().store.read() as session:
        found, following = queries.versions(
            session,
            key=text("process"),
            state=state,
            after=optional_number("after"),
            limit=number("limit", 50, least=1, most=200),
        )
        return jsonify(listing([_json(one) for one in found], following))


@allow("view_definitions")
def show_definition(definition_id: int) -> ResponseReturnValue:
    """One version with the report of its check."""
    with services().store.read() as session:
        found = queries.get_definition(session, definition_id)
        deployment = found.deployment
        more = {
            "filename": deployment.filename,
            "uploaded_by": deployment.created_by,
            "forms": sorted(deployment.forms),
            "problems": _stored_problems(deployment.problems),
        }
        return jsonify(_json(found) | more)


@allow("view_definitions")
def download_definition(definition_id: int) -> ResponseReturnValue:
    """The diagram, byte for byte as it was uploaded."""
    with services().store.read() as session:
        found = queries.get_definition(session, definition_id)
        name = f"{found.key}-{found.version}.bpmn"
        response = Response(found.deployment.xml, mimetype="application/xml")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


@allow("upload_definition")
def upload_definition() -> ResponseReturnValue:
    """Uploads a diagram as new draft versions: the XML itself, or a form with `file` and the forms beside it (`forms`)."""
    me = services()
    upload = _upload()
    try:
        with me.store.write() as session:
            upload, _ = queries.with_known_forms(session, upload)
            made = me.definitions.upload(session, upload, at=me.clock.now(), actor=g.actor.login)
            problems = made[0].deployment.problems if made else []
            answer = {"items": [_json(one) for one in made], "problems": _stored_problems(problems)}
    except DiagramRefused as e:
        return _refused(e)
    return jsonify(answer), 201


@allow("deploy_definition")
def deploy_definition(definition_id: int) -> ResponseReturnValue:
    """Puts a version into service: what starts from now on runs on it."""
    me = services()
    with me.store.write() as session:
        found = me.definitions.deploy(session, definition_id, at=me.clock.now(), actor=g.actor.login)
        answer = _json(found)
    return jsonify(answer)


def _upload() -> Upload:
    if request.mimetype in XML_TYPES:
        return Upload(text("filename") or "upload.bpmn", request.get_data(), {})
    if request.mimetype != "multipart/form-data":
        raise UnsupportedMediaType()
    file = request.files.get("file")
    if file is None:
        raise BadUpload(detail=gettext("there is no part named file"))
    forms = dict(_form(part) for part in request.files.getlist("forms"))
    return Upload(file.filename or "upload.bpmn", file.read(), forms)


def _form(part: FileStorage) -> tuple[str, dict[str, Any]]:
    name = part.filename or ""
    try:
        document = json.loads(part.read())
    except (ValueError, RecursionError):
        document = None
    if not name.endswith(".form") or not isinstance(document, dict):
        raise BadUpload(detail=gettext("%(name)s is no form-js document (NAME.form)", name=name or "forms"))
    return name.removesuffix(".form"), document


def _refused(error: DiagramRefused) -> ResponseReturnValue:
    code = "definition.refused"
    body = {
        "type": f"urn:kaitong:error:{code}",
        "title": gettext("Not valid"),
        "status": 400,
        "detail": gettext("The diagram has problems; nothing was stored."),
        "code": code,
        "instance": f"urn:kaitong:request:{g.get('request_id', '')}",
        "problems": [problem.as_dict(_language()) for problem in error.problems],
    }
    response = jsonify(body)
    response.mimetype = "application/problem+json"
    return response, 400


def _stored_problems(problems: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The report of a check as it was stored, in the caller's language."""
    suffix = "" if _language() == "en" else "_zh"
    return [
        {k: one[k] for k in ("code", "severity", "line", "element")}
        | {k: one[k + suffix] for k in ("message", "remedy")}
        for one in problems
    ]


def _language() -> str:
    locale = get_locale()
    return locale.language if locale else "en"


def _json(one: ProcessDefinition) -> dict[str, Any]:
    return {
        "id": one.id,
        "process": one.key,
        "version": one.version,
        "name": one.name,
        "name_en": one.name_en,
        "state": one.state,
        "created_at": stamp(one.created_at),
        "deployed_at": stamp(one.deployed_at),
        "deployed_by": one.deployed_by,
    }


ROUTES = (
    Route(
        "GET",
        "/definitions",
        list_definitions,
        shapes.DefinitionList,
        parameters=page_parameters(
            Parameter("process", "the id of a process"), Parameter("state", "only these", one_of=STATES)
        ),
    ),
    Route(
        "POST",
        "/definitions",
        upload_definition,
        shapes.Uploaded,
        status=201,
        uploads=(*XML_TYPES, "multipart/form-data"),
        parameters=(Parameter("filename", "the name of the file, for a body of XML"),),
    ),
    Route("GET", "/definitions/<id:definition_id>", show_definition, shapes.DefinitionDetail),
    Route(
        "GET",
        "/definitions/<id:definition_id>/xml",
        download_definition,
        None,
        media="application/xml",
    ),
    Route("POST", "/definitions/<id:definition_id>/deploy", deploy_definition, shapes.Definition),
)
