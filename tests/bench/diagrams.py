"""The processes that are measured, each written once; the broadband order also in SpiffWorkflow's own dialect."""

from __future__ import annotations

from collections.abc import Callable

from tests.bpmn_xml import element, end, flows, on_timer, par, process, script, service, start, user, xor

SPIFF = "http://spiffworkflow.org/bpmn/schema/1.0/core"
USER_STEPS = ("survey", "construct", "accept")
VALUES = {
    "mode": "self",
    "order_no": "BB-20261122-000001",
    "customer": "林女士",
    "tier": "gold",
    "address": "东汀区汀兰路18号3栋",
    "product": "FTTH-1000M",
    "phone": "13800000000",
}


def order() -> bytes:
    """A broadband order in our dialect: seven services on its way, three people, one limit of 48 hours."""
    return _order(_noop, "PT48H")


def order_for_spiff() -> bytes:
    """The same for plain SpiffWorkflow, which wants its own extension and durations as expressions."""
    return _order(_spiff_service, "'PT48H'")


def _noop(ident: str) -> str:
    return service(ident, operation="demo.noop")


def _spiff_service(ident: str) -> str:
    operator = (
        f'<w:serviceTaskOperator xmlns:w="{SPIFF}" id="noop" resultVariable="r_{ident}"><w:parameters/>'
        "</w:serviceTaskOperator>"
    )
    return element("serviceTask", ident, f"<extensionElements>{operator}</extensionElements>")


def _order(work: Callable[[str], str], limit: str) -> bytes:
    services = ("check", "selfbuilt", "partner", "reserve", "escalate", "radius", "linetest", "crm")
    return process(
        start(),
        xor("how", default="how_partner"),
        xor("merge"),
        par("fork", "join"),
        *(work(ident) for ident in services),
        _person(*USER_STEPS),
        on_timer("late", "construct", limit, interrupts=False),
        end("e", "e_late"),
        flows("s check how partner merge", "how selfbuilt if mode == 'self'", "selfbuilt merge fork"),
        flows("fork survey join", "fork reserve join", "join construct radius linetest accept crm e"),
        flows("late escalate e_late"),
    )


def loop(kind: str, rounds: int) -> bytes:
    """A person does the same task `rounds` times: by a gateway, a standard loop or a multi-instance in sequence."""
    if kind == "gateway":
        return process(
            start(),
            xor("again"),
            _person("u"),
            script("count", "n = n + 1"),
            xor("enough", default="enough_e"),
            end(),
            flows("s again u count enough e", f"enough again if n < {rounds}"),
        )
    if kind == "standard":
        body = f'<standardLoopCharacteristics loopMaximum="{rounds}"><loopCondition>True</loopCondition>'
        return _one_task(body + "</standardLoopCharacteristics>")
    return _one_task(_for_each("true"))


def wide() -> bytes:
    """One task for each of `items`, all at the same time."""
    return _one_task(_for_each("false"))


def sequence(length: int) -> bytes:
    """`length` services, one after another, then a person, so that something is left to look at."""
    names = [f"t{i}" for i in range(length)]
    return process(
        start(), *(_noop(name) for name in names), _person("u"), end(), flows(f"s {' '.join(names)} u e")
    )


def _one_task(body: str) -> bytes:
    return process(start(), element("userTask", "u", body, _role="DP"), end(), flows("s u e"))


def _for_each(in_sequence: str) -> str:
    names = 'kaitong:collection="items" kaitong:elementVariable="item"'
    return f'<multiInstanceLoopCharacteristics isSequential="{in_sequence}" {names} />'


def _person(*idents: str) -> str:
    return user(*idents, _role="DP")
