"""Files of resources: taken over with a report of the rows that were refused."""

from __future__ import annotations

import io
from typing import IO, Any

from flask import g, jsonify, request
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, gettext
from werkzeug.exceptions import UnsupportedMediaType

from engine.errors import NotFound
from engine.resources.importing.run import KINDS, import_file
from engine.resources.importing.table_file import BadFile
from web.api.reading import choice, only_parameters
from web.api.v1 import shapes
from web.api.v1.route import Parameter, Route
from web.auth import allow
from web.services import services

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
UPLOADS = ("text/csv", XLSX, "multipart/form-data")


@allow("manage_resources")
def import_resources(kind: str) -> ResponseReturnValue:
    """Takes over a file of `coverage`, `ports`, `onus`, `numbers` or `stock`; the same file twice changes nothing."""
    only_parameters("dry_run", "filename")
    if kind not in KINDS:
        raise NotFound(what="import", id=kind)
    me, (name, stream) = services(), _file()
    report = import_file(
        me.store,
        kind,
        stream,
        file=name,
        at=me.clock.now,
        actor=g.actor.login,
        dry_run=choice("dry_run", ("true", "false"), "false") == "true",
    )
    locale = get_locale()
    chinese = locale is not None and locale.language == "zh"
    answer: dict[str, Any] = report.as_dict()
    answer["refusals"] = [
        {"row": r.row, "column": r.column, "reason": r.zh if chinese else r.en} for r in report.refusals
    ]
    return jsonify(answer)


def _file() -> tuple[str, IO[bytes]]:
    if request.mimetype in UPLOADS[:2]:
        return request.args.get("filename") or "upload", io.BytesIO(request.get_data())
    if request.mimetype != "multipart/form-data":
        raise UnsupportedMediaType()
    part = request.files.get("file")
    if part is None:
        raise BadFile(detail=gettext("there is no part named file"))
    return part.filename or "upload", part.stream


ROUTES = (
    Route(
        "POST",
        "/imports/<kind>",
        import_resources,
        shapes.ImportReport,
        uploads=UPLOADS,
        parameters=(
            Parameter("dry_run", "only tell what would happen", one_of=("true", "false")),
            Parameter("filename", "the name of the file, where the body is the file itself"),
        ),
    ),
)
