"""What the stubs of a simulation answer: by element, for each visit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from marshmallow import Schema, ValidationError, fields

from bpmn import durations
from bpmn.specs import Node, ServiceActivity
from engine.errors import BadInput
from engine.testing import START

_OF_RESULT = re.compile(r"\bresult(?:\.(\w+)|\[\s*['\"](\w+)['\"]\s*\])")


class BadAnswers(BadInput):
    """The answers cannot be used: {detail}."""

    code = "simulation.answers"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a person or a system: values, or a business error; after a while, or never."""

    values: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None
    after: timedelta = timedelta(0)
    never: bool = False


class _AnswerSchema(Schema):
    values = fields.Dict(keys=fields.String(), load_default=dict)
    error = fields.String(load_default=None)
    after = fields.String(load_default=None)
    never = fields.Boolean(load_default=False)


class Answers:
    """Given answers by element; the last one of an element serves for every later visit."""

    def __init__(self, given: Mapping[str, Sequence[Answer]] | None = None) -> None:
        self._given, self._visits = dict(given or {}), Counter[str]()

    @classmethod
    def read(cls, document: Any) -> Answers:
        """From JSON: element → answer, or a list of answers. Raises `BadAnswers`, which names the place."""
        if not isinstance(document, dict):
            raise BadAnswers(detail="an object with a member for each element is needed")
        return cls({element: _listed(element, found) for element, found in document.items()})

    def of(self, node: Node) -> Answer:
        """The answer for the next visit. Without one a person says nothing, and a system gives None for all it is asked."""
        given = self._given.get(node.name)
        if not given:
            return Answer(_nothing(node))
        nth = min(self._visits[node.name], len(given) - 1)
        self._visits[node.name] += 1
        return given[nth]


def _listed(element: str, found: Any) -> list[Answer]:
    return [
        _answer(f"{element}[{n}]", one) for n, one in enumerate(found if isinstance(found, list) else [found])
    ]


def _answer(where: str, document: Any) -> Answer:
    try:
        loaded = _AnswerSchema().load(document)
        after = durations.duration(loaded["after"], START) if loaded["after"] else timedelta(0)
    except (ValidationError, durations.BadTimer) as e:
        raise BadAnswers(detail=f"{where}: {e}") from e
    return Answer(loaded["values"], loaded["error"], after, loaded["never"])


def _nothing(node: Node) -> dict[str, Any]:
    mapping = node.output_map if isinstance(node, ServiceActivity) else ()
    asked = [name for _, e in mapping for pair in _OF_RESULT.findall(e.text) for name in pair if name]
    return dict.fromkeys(asked)
