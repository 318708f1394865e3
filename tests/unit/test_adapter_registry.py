"""Finding adapters: built-ins, plug-ins, broken plug-ins, and names taken twice."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from typing import Any

import pytest
from marshmallow import Schema

from adapters.registry import BUILT_IN, GROUP, Registry
from engine.config import Settings
from engine.errors import NotFound, SettingError
from engine.ports import Adapter, Call, Observed, Operation, Plan, Repeat, Result


class Plugin:
    """A small adapter as an operator would write one, without our base classes."""

    name = "plugin"
    offers = "plugin.do"

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.closed = False

    def operations(self) -> Mapping[str, Operation]:
        return {self.offers: Operation(self.offers, "做", "Do", Schema, Schema, Repeat.NONE)}

    def target(self, call: Call) -> str:
        return "plugin:1"

    def plan(self, call: Call) -> Plan:
        return Plan((), {}, {})

    def apply(self, call: Call, plan: Plan) -> Result:
        return Result("done", {})

    def observe(self, call: Call, plan: Plan) -> tuple[Observed, Mapping[str, Any]]:
        return Observed.UNKNOWN, {}

    def undo(self, call: Call, plan: Plan) -> Result:
        return Result("already", {})

    def probe(self) -> Mapping[str, Any]:
        raise RuntimeError("probe broke")

    def close(self) -> None:
        self.closed = True
        raise RuntimeError("close broke")


class Rival(Plugin):
    offers = "aaa.subscriber.open"


def broken(settings: Settings) -> Adapter:
    raise RuntimeError("no licence")


def _point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value if ":" in value else f"{__name__}:{value}", GROUP)


def _registry(*points: EntryPoint) -> Registry:
    return Registry.from_settings(Settings(), plugins=points)


def test_built_ins_work_without_being_installed() -> None:
    registry = _registry()

    assert set(registry.operations()) == {
        "aaa.subscriber.open",
        "aaa.subscriber.change",
        "aaa.subscriber.move",
        "aaa.subscriber.switch",
        "aaa.subscriber.close",
        "aaa.login.test",
        "aaa.session.reset",
        "crm.account.check",
        "crm.order.report",
        "line.diagnose",
        "line.repair",
        "partner.order.send",
        "partner.order.stop",
        "partner.order.state",
        "partner.order.confirm",
        "partner.order.send_back",
        "partner.orders.list",
        "partner.ticket.create",
        "partner.ticket.state",
        "olt.service_port.create",
        "olt.service_port.remove",
        "olt.multicast.join",
        "olt.multicast.leave",
        "olt.onu.bind",
        "olt.onu.unbind",
        "olt.onu.profile",
        "olt.onu.reset",
        "olt.line.read",
        "router.access.configure",
        "router.access.remove",
        "router.circuit.test",
        "voice.subscriber.open",
        "voice.subscriber.close",
        "voice.line.test",
        "voice.subscriber.bar",
    }
    assert registry.adapter_for("aaa.login.test") is registry.adapter_for("aaa.subscriber.open")
    assert registry.failed == {}
    registry.close()


def test_an_installed_built_in_is_not_loaded_twice() -> None:
    registry = _registry(*(_point(name, value) for name, value in BUILT_IN.items()))

    assert set(registry.adapters) == set(BUILT_IN)


def test_installed_plug_ins_are_looked_up_by_default() -> None:
    assert set(BUILT_IN) <= set(Registry.from_settings(Settings()).adapters)


def test_every_operation_has_a_title_in_both_languages_and_the_time_out_of_the_settings() -> None:
    registry = Registry.from_settings(Settings(adapter_timeout_seconds=2.5), plugins=[])

    for name, operation in registry.operations().items():
        assert registry.operation(name) is operation
        assert operation.title_zh
        assert operation.title_en.isascii()
        assert operation.timeout_s == 2.5


def test_a_plug_in_is_found_and_gets_the_settings() -> None:
    adapter = _registry(_point("mine", "Plugin")).adapter_for("plugin.do")

    assert isinstance(adapter, Plugin)
    assert adapter.settings == Settings()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("no.such.module:Thing", "ModuleNotFoundError"),
        ("engine.ports:Thing", "AttributeError"),
        ("broken", "no licence"),
        ("engine.ports:Repeat", "ValueError"),
    ],
)
def test_a_broken_plug_in_is_reported_and_stops_nobody(
    value: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    registry = _registry(_point("bad", value), _point("mine", "Plugin"))

    assert reason in registry.failed["bad"]
    assert "plugin.do" in registry.operations()
    assert registry.probe()["bad"] == {"ok": False, "detail": registry.failed["bad"]}
    assert "adapter.failed name=bad" in caplog.text


def test_two_adapters_with_one_operation_are_an_error() -> None:
    with pytest.raises(SettingError, match="aaa and rival both offer the operation"):
        _registry(_point("rival", "Rival"))


def test_a_name_taken_twice_is_an_error() -> None:
    with pytest.raises(SettingError, match="aaa is taken twice"):
        _registry(_point("aaa", "Plugin"))


def test_an_unknown_operation_is_not_found() -> None:
    registry = _registry()

    for look in (registry.operation, registry.adapter_for):
        with pytest.raises(NotFound):
            look("aaa.subscriber.opne")


def test_a_probe_that_breaks_is_a_finding_and_closing_goes_on() -> None:
    registry = _registry(_point("mine", "Plugin"))
    plugin = registry.adapter_for("plugin.do")

    assert registry.probe()["mine"] == {"ok": False, "detail": "RuntimeError: probe broke"}
    registry.close()
    assert isinstance(plugin, Plugin)
    assert plugin.closed
