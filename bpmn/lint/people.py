"""What people and machines need to do a step: roles, forms and operations that exist."""

from __future__ import annotations

from collections.abc import Collection

from lxml import etree

from bpmn import extension
from bpmn.forms import FormRefused, load_form
from bpmn.lint.report import Report, some
from bpmn.xml import kind_of


def check(report: Report) -> None:
    """User tasks and service tasks, and forms that come with the diagram without being used."""
    used, people = set[str](), _people(report)
    for scope in report.diagram.scopes():
        for element in scope.nodes.values():
            if kind_of(element) == "userTask":
                used.add(extension.attributes(element).get("formKey", ""))
                _user_task(report, element, people)
            elif kind_of(element) == "serviceTask":
                _service_task(report, element)
    for form in sorted(set(report.catalogue.forms or {}) - used):
        _form(report, report.diagram.root, form)


def _user_task(report: Report, element: etree._Element, people: Collection[str]) -> None:
    ours = extension.attributes(element)
    if (other := ours.get("otherThan")) is not None and other not in people:
        report.add("REFERENCE", element, attribute="kaitong:otherThan", target=other)
    roles = report.catalogue.roles
    if not ours.get("role"):
        report.add("ROLE_MISSING", element)
    elif roles is not None and ours["role"] not in roles:
        report.add("ROLE_UNKNOWN", element, role=ours["role"], known=some(roles, 30))
    form = ours.get("formKey")
    if not form:
        report.add("FORM_MISSING", element)
        return
    forms = report.catalogue.forms
    if forms is None:
        return
    if form not in forms:
        report.add("FORM_UNKNOWN", element, form=form)
        return
    _form(report, element, form)


def _people(report: Report) -> set[str]:
    """All user tasks of the file."""
    return {
        str(element.get("id"))
        for scope in report.diagram.scopes()
        for element in scope.nodes.values()
        if kind_of(element) == "userTask"
    }


def _form(report: Report, element: etree._Element, form: str) -> None:
    try:
        load_form((report.catalogue.forms or {})[form])
    except FormRefused as e:
        report.add("FORM", element, form=form, detail=e.message)


def _service_task(report: Report, element: etree._Element) -> None:
    operation = extension.attributes(element).get("operation")
    known = report.catalogue.operations
    if not operation:
        report.add("OPERATION_MISSING", element)
    elif known is not None and operation not in known:
        report.add("OPERATION_UNKNOWN", element, operation=operation, known=some(known))
