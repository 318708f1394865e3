"""Which adapters there are and who offers which operation. Built-ins and plug-ins are named in the same way.

A plug-in is an entry point of the group `kaitong.adapters`: something that is called with the settings and gives an
adapter (`engine.ports.Adapter`). One that cannot be loaded is reported in `failed`; the others go on.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any

from engine.config import Settings
from engine.errors import NotFound, SettingError
from engine.ports import Adapter, Operation

GROUP = "kaitong.adapters"
BUILT_IN: Mapping[str, str] = MappingProxyType(
    {
        "aaa": "adapters.network.aaa:AaaAdapter",
        "crm": "adapters.crm.report:CrmAdapter",
        "olt": "adapters.network.olt:OltAdapter",
        "router": "adapters.network.router:RouterAdapter",
        "line": "adapters.network.line:LineAdapter",
        "ims": "adapters.network.voice:VoiceAdapter",
        "partner": "adapters.partners.orders:PartnerAdapter",
    }
)

log = logging.getLogger(__name__)


class Registry:
    """The adapters of this installation."""

    def __init__(self, adapters: Mapping[str, Adapter], failed: Mapping[str, str] | None = None) -> None:
        self.adapters = dict(adapters)
        self.failed = dict(failed or {})
        """Name of a plug-in → why it could not be loaded."""
        self._offered = _offered(self.adapters)

    @classmethod
    def from_settings(cls, settings: Settings, plugins: Iterable[EntryPoint] | None = None) -> Registry:
        """Loads everything. A name or an operation that is offered twice raises `SettingError`."""
        adapters: dict[str, Adapter] = {}
        failed: dict[str, str] = {}
        for point in _points(entry_points(group=GROUP) if plugins is None else plugins):
            try:
                adapter: Adapter = point.load()(settings)
                adapter.operations()
            except Exception as e:  # whatever a plug-in does wrong must not stop the others
                failed[point.name] = f"{type(e).__name__}: {e}"
                log.warning("adapter.failed name=%s error=%s", point.name, failed[point.name])
            else:
                adapters[point.name] = adapter
        return cls(adapters, failed)

    def operations(self) -> Mapping[str, Operation]:
        """Every operation that is offered, by name."""
        return {name: operation for name, (_, operation) in self._offered.items()}

    def operation(self, name: str) -> Operation:
        """The operation of that name, or `NotFound`."""
        return self._found(name)[1]

    def adapter_for(self, operation_name: str) -> Adapter:
        """Who offers it, or `NotFound`."""
        return self._found(operation_name)[0]

    def probe(self) -> Mapping[str, Mapping[str, Any]]:
        """For the health page: for each adapter, those that failed to load too, at least `ok`."""
        seen: dict[str, Mapping[str, Any]] = {
            name: {"ok": False, "detail": reason} for name, reason in self.failed.items()
        }
        for name, adapter in self.adapters.items():
            try:
                seen[name] = adapter.probe()
            except Exception as e:  # a probe that breaks is itself the finding
                seen[name] = {"ok": False, "detail": f"{type(e).__name__}: {e}"}
        return seen

    def close(self) -> None:
        """Closes all adapters, whatever one of them does."""
        for name, adapter in self.adapters.items():
            try:
                adapter.close()
            except Exception as e:  # we are going away: tell, and close the others
                log.warning("adapter.close_failed name=%s error=%s", name, e)

    def _found(self, name: str) -> tuple[Adapter, Operation]:
        if name not in self._offered:
            raise NotFound(what="operation", id=name)
        return self._offered[name]


def _points(plugins: Iterable[EntryPoint]) -> list[EntryPoint]:
    """Built-ins first; an installed entry point that repeats a built-in is the same one."""
    points = {name: EntryPoint(name, value, GROUP) for name, value in BUILT_IN.items()}
    for point in plugins:
        known = points.setdefault(point.name, point)
        if known.value != point.value:
            raise SettingError(
                name=GROUP, detail=f"the name {point.name} is taken twice: {known.value}, {point.value}"
            )
    return list(points.values())


def _offered(adapters: Mapping[str, Adapter]) -> dict[str, tuple[Adapter, Operation]]:
    offered: dict[str, tuple[Adapter, Operation]] = {}
    owner: dict[str, str] = {}
    for name, adapter in adapters.items():
        for operation_name, operation in adapter.operations().items():
            if operation_name in offered:
                raise SettingError(
                    name=GROUP,
                    detail=f"{owner[operation_name]} and {name} both offer the operation {operation_name}",
                )
            offered[operation_name] = (adapter, operation)
            owner[operation_name] = name
    return offered
