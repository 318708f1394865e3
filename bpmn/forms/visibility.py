"""Which fields are hidden by the answers given so far; computed before anything is judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from bpmn.forms.messages import FormProblem
from bpmn.forms.schema import TEXT_KINDS, Field

if TYPE_CHECKING:
    from bpmn.forms.form import Form

_ANSWER_KINDS = TEXT_KINDS | {"select", "radio"}


def hidden_keys(fields: Mapping[str, Field], typed: Callable[[str], str | None]) -> frozenset[str]:
    """Keys of hidden fields; `typed` gives an answer as text. A hidden field counts as not answered."""
    hidden: dict[str, bool] = {}

    def is_hidden(key: str) -> bool:
        if key not in hidden:
            hidden[key] = any(condition.holds(answer) for condition in fields[key].hidden_by)
        return hidden[key]

    def answer(key: str) -> str | None:
        return None if is_hidden(key) else typed(key)

    return frozenset(key for key in fields if is_hidden(key))


def check_conditions(form: Form) -> list[FormProblem]:
    """Conditions must ask text or choice fields of this form, for an option it has, and never in a circle."""
    inputs = {field.key: field for field in form.inputs}
    problems = [
        FormProblem("form.conditional", f"{field.path}.conditional.hide", {"reason": reason})
        for field in _everything(form.fields)
        if field.hide is not None
        for reason in _reasons(field, inputs)
    ]
    if not problems and (circle := _in_circle(inputs)):
        reason = ("条件互相循环", "the conditions depend on each other in a circle")
        problems.append(FormProblem("form.conditional", f"{circle.path}.conditional", {"reason": reason}))
    return problems


def _everything(fields: Iterable[Field]) -> Iterator[Field]:
    for field in fields:
        yield field
        yield from _everything(field.children)


def _reasons(field: Field, inputs: Mapping[str, Field]) -> Iterator[tuple[str, str]]:
    for comparison in field.hide or ():
        asked = inputs.get(comparison.key)
        if asked is None:
            yield f"表单没有“{comparison.key}”", f"the form has no field “{comparison.key}”"
        elif asked.kind not in _ANSWER_KINDS or asked.read_only:
            yield (
                f"“{comparison.key}”不是可填写的文本、下拉或单选项",
                f"“{comparison.key}” is not a text, select or radio field that can be filled in",
            )
        elif asked.options and comparison.literal not in {option.value for option in asked.options}:
            yield (
                f"“{comparison.literal}”不是“{comparison.key}”的选项",
                f"“{comparison.literal}” is no option of “{comparison.key}”",
            )


def _in_circle(inputs: Mapping[str, Field]) -> Field | None:
    """Some field whose visibility depends on itself."""
    asks = {
        key: {one.key for condition in field.hidden_by for one in condition} for key, field in inputs.items()
    }
    settled: set[str] = set()
    while ready := {key for key in asks if key not in settled and asks[key] <= settled}:
        settled |= ready
    return next((field for key, field in inputs.items() if key not in settled), None)
