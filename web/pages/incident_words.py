"""What went wrong, in the reader's words. What the other system or the language said stays as it came, as a quotation."""

from __future__ import annotations

import re
from typing import NamedTuple

from flask_babel import gettext

from engine.errors import AdapterError, NeedsHuman, OutcomeUnknown, Permanent, Retryable

_PREFIX = re.compile(r"\A[A-Za-z]+: ")  # the class of an error that was no error of ours


class Told(NamedTuple):
    """A sentence for the reader, and the quotation for whoever has to mend it."""

    sentence: str
    quotation: str


def told(code: str, message: str) -> Told:
    """An incident's cause; a code in capitals is a refusal for which the diagram has no way on."""
    for kind in (Retryable, OutcomeUnknown, NeedsHuman, Permanent):
        if kind.code == code:
            found = _pattern(kind).fullmatch(_PREFIX.sub("", message))
            target = found["target"] if found else gettext("another system")
            return Told(_adapter_sentence(kind, target), found["detail"] if found else message)
    return Told(_own_sentence(code), message)


def _adapter_sentence(kind: type[AdapterError], target: str) -> str:
    if kind is Retryable:
        return gettext("%(target)s is not available; nothing has happened there.", target=target)
    if kind is OutcomeUnknown:
        return gettext("The answer of %(target)s was lost: it may have happened there.", target=target)
    if kind is NeedsHuman:
        return gettext("Only a person can decide what to do at %(target)s.", target=target)
    return gettext("%(target)s has refused.", target=target)


def _own_sentence(code: str) -> str:
    if code == "step.input":
        return gettext("The input of the step cannot be worked out.")
    if code == "instance.stuck":
        return gettext("The order waits at a join that can no longer be reached by all branches.")
    if code == "job.poison":
        return gettext("The step has ended its worker several times.")
    if re.fullmatch(r"[A-Z0-9_]+", code):
        return gettext("Refused with code %(code)s, and the diagram has no way on for it.", code=code)
    return gettext("The step has failed.")


def _pattern(kind: type[AdapterError]) -> re.Pattern[str]:
    """The message of an error class as a pattern of its facts."""
    template = re.escape((kind.__doc__ or "").strip().splitlines()[0])
    for fact in ("target", "detail"):
        template = template.replace(re.escape(f"{{{fact}}}"), f"(?P<{fact}>.*)", 1)
    return re.compile(template, re.DOTALL)
