"""The stored form of an instance: the live tokens, and the variables of its scopes. Versioned, compressed, JSON inside.

Indexes are rebuilt on loading. Any JSON value may be stored, and date-times, dates, durations and decimals besides.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from bpmn.parse import Executable
from bpmn.specs import Inclusive, Loop
from bpmn.specs.nodes import FUTURE, READY, WAITING
from engine.runtime.instance import Instance
from engine.runtime.scope import ScopeMixin, SubScope
from engine.runtime.token import Children, Token

PLAIN, DEFLATED = b"\x01", b"\x02"  # the first byte says how the rest is packed
LARGE = 32_000  # from here on, compressing well costs more than the bytes that it saves
SMALL = 4096  # up to here a window of this size finds as much, and is set up in a fifth of the time
_MARK = '{"$'  # begins every tag; inside a text the quote would be escaped
_FORM: dict[str, Any] = {"ensure_ascii": False, "separators": (",", ":"), "allow_nan": False}
_json = json.JSONEncoder(**_FORM)


def pack(value: Any) -> bytes:
    """Any storable value as bytes."""
    return _packed(_text(value))


def _text(value: Any) -> str:
    """JSON with tags. The library does the work, unless data of ours looks like a tag and has to be escaped."""
    tags = 0

    def tag(found: Any) -> dict[str, Any]:
        nonlocal tags
        tags += 1
        return _WRITE[type(found)](found)

    text = json.JSONEncoder(default=tag, **_FORM).encode(value)
    return text if text.count(_MARK) == tags else _json.encode(_tagged(value))


def _packed(text: str) -> bytes:
    raw = text.encode("utf-8", "surrogatepass")
    window, memory = (12, 5) if len(raw) <= SMALL else (15, 8)
    deflate = zlib.compressobj(6 if len(raw) < LARGE else 1, zlib.DEFLATED, window, memory)
    small = deflate.compress(raw) + deflate.flush()
    return DEFLATED + small if len(small) < len(raw) else PLAIN + raw


def unpack(data: bytes) -> Any:
    """The value again."""
    kind, body = data[:1], data[1:]
    if kind not in (PLAIN, DEFLATED):
        raise ValueError(f"stored by a newer version: format {kind!r} is not known")
    text = (zlib.decompress(body) if kind == DEFLATED else body).decode("utf-8", "surrogatepass")
    value = json.loads(text)
    return _untagged(value) if _MARK in text else value


_WRITE: Mapping[type, Callable[[Any], dict[str, Any]]] = {
    datetime: lambda v: {"$t": v.isoformat()},
    date: lambda v: {"$d": v.isoformat()},
    timedelta: lambda v: {"$s": [v.days, v.seconds, v.microseconds]},
    Decimal: lambda v: {"$n": str(v)},
}
_READ: Mapping[str, Callable[[Any], Any]] = {
    "$t": datetime.fromisoformat,
    "$d": date.fromisoformat,
    "$s": lambda v: timedelta(*v),
    "$n": Decimal,
    "$o": lambda v: v,
}


def _tagged(value: Any) -> Any:
    if isinstance(value, dict):
        inner = {k: _tagged(v) for k, v in value.items()}
        return {"$o": inner} if len(inner) == 1 and next(iter(inner)) in _READ else inner
    if isinstance(value, list | tuple):
        return [_tagged(v) for v in value]
    write = _WRITE.get(type(value))
    return write(value) if write else value


def _untagged(value: Any) -> Any:
    if isinstance(value, dict):
        if len(value) == 1:
            key, content = next(iter(value.items()))
            if key == "$o":
                return {k: _untagged(v) for k, v in content.items()}
            if key in _READ:
                return _READ[key](content)
        return {k: _untagged(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_untagged(v) for v in value]
    return value


def encode_tokens(top: Instance) -> bytes:
    """The frontier: `[last id, last end event, queue order, [[owner, scope, [row …], records] …]]`, parents first.

    A row is `[id, element, state, parent, what the token keeps]`. Records are what may have to be compensated; they are left
    out where there are none.
    """
    inner = sorted(top.subprocesses.values(), key=lambda s: s.depth) if top.subprocesses else ()
    scopes = [_scope_text(0, "", top), *(_scope_text(s.parent_task_id, s.spec.name, s) for s in inner)]
    head = _json.encode([top.last_id, top.last_end_event, list(top.queue)])
    return _packed(f"{head[:-1]},[{','.join(scopes)}]]")


def _scope_text(owner: int, name: str, scope: ScopeMixin) -> str:
    rows = ",".join(map(_row_text, scope.tasks.values()))
    undo = f",{_text(scope.undo)}" if scope.undo else ""
    return f"[{owner},{_json.encode(name)},[{rows}]{undo}]"


def _row_text(token: Token) -> str:
    if token.packed is None:
        row = [token.id, token.task_spec.name, token._state, token._parent or 0, token.internal_data]
        token.packed = _text(row)
    return token.packed


def encode_variables(top: Instance) -> bytes:
    """`[[[owner, data] …], [[token, what its loop remembers] …]]`.

    Data is by scope: 0 is the instance, a sub-process is listed if it has data of its own.
    """
    data = [[0, top.data], *([owner, top.subprocesses[owner].data] for owner in top.with_data())]
    return pack([data, [[token, kept] for token, kept in top.memory.items()]])


def last_id(tokens: bytes) -> int:
    """The highest number of a token that the instance has used."""
    found: int = unpack(tokens)[0]
    return found


def decode(tokens: bytes, variables: bytes, executable: Executable, business_key: str, now: Any) -> Instance:
    """A live instance; every index is rebuilt from the tokens."""
    top = Instance(executable, business_key, now)
    top.last_id, top.last_end_event, queue, scopes = unpack(tokens)
    for owner, name, rows, *undo in scopes:
        scope: ScopeMixin = top
        if owner:
            scope = top.subprocesses[owner] = SubScope(executable.scopes[name], owner, top)
        scope.undo = undo[0] if undo else []
        for row in rows:
            _restore(scope, *row)
    spaces, memory = unpack(variables)
    for owner, data in spaces:
        (top.subprocesses[owner] if owner else top).data = data
    top.memory = dict(memory)
    top.stored_with_data = top.with_data()
    top.queue = dict.fromkeys(queue)
    return top


def _restore(
    scope: ScopeMixin, ident: int, name: str, state: int, parent: int, internal: dict[str, Any]
) -> None:
    top, token, node = scope.top_workflow, Token.__new__(Token), scope.spec.node(name)
    if "nth" in internal and isinstance(node, Loop):
        node = node.body
    token.id, token.workflow, token.task_spec, token._state = ident, scope, node, state
    token._parent, token._children, token.internal_data = parent or None, Children(), internal
    token.data, token.triggered, token.thread_id, token.last_state_change = {}, False, 0, 0.0
    scope.tasks[ident] = top.by_id[ident] = token
    if parent:
        scope.tasks[parent]._children.append(ident)
    else:
        scope.task_tree = token
    if state == WAITING:
        top.waiting.index(token)
        if isinstance(node, Inclusive) and parent:
            scope.joins[name] = None
    elif state == FUTURE and token.task_spec.passive:
        top.arrivals[ident] = None
    elif state == FUTURE or (state == READY and not token.task_spec.manual):
        top.queue[ident] = None
    top.changes.loaded(token)
