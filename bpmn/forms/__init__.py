"""Forms of user tasks: form-js JSON read once, judged on the server, rendered by the web layer.

The designer draws a form with the form-js editor; `load_form` turns that document into a `Form` or says why
it cannot be used (`FormRefused`). `Form.validate` (JSON API) and `Form.validate_html` (page posts) apply the
same rules and give the same values. Nothing here reads a clock, a database or a request object.
"""

from __future__ import annotations

from bpmn.forms.conditions import Comparison, Condition
from bpmn.forms.form import Form, Posted
from bpmn.forms.loading import load_form
from bpmn.forms.messages import FIELD_CODES, PROBLEM_CODES, FieldError, FormInvalid, FormProblem, FormRefused
from bpmn.forms.schema import CHINA_TIME, Field, Option, Rules, Text

__all__ = [
    "CHINA_TIME",
    "FIELD_CODES",
    "PROBLEM_CODES",
    "Comparison",
    "Condition",
    "Field",
    "FieldError",
    "Form",
    "FormInvalid",
    "FormProblem",
    "FormRefused",
    "Option",
    "Posted",
    "Rules",
    "Text",
    "load_form",
]
