"""Where the outside systems are: the settings, or else what the simulators wrote down when they started."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from engine.config import Settings
from engine.errors import NeedsHuman, Retryable

FILE_NAME = "simulators.json"
PARTNERS = ("P-CAT", "P-YQ", "P-HJ")
"""The partners that the simulator plays when nobody says otherwise; it takes any other name too."""


@dataclass(frozen=True, slots=True)
class SimulatorAddresses:
    """Where running simulators answer. `radius` is host:port, the others are base addresses without a slash at the end."""

    http_url: str
    radius: str

    @property
    def aaa_url(self) -> str:
        """Base address of the AAA provisioning interface."""
        return self.http_url + "/aaa"

    @property
    def crm_url(self) -> str:
        """Base address of the CRM's order report interface."""
        return self.http_url + "/crm"

    @property
    def olt_url(self) -> str:
        """Base address of the OLTs; the name of one follows."""
        return self.http_url + "/olt"

    @property
    def router_url(self) -> str:
        """Base address of the PE routers; the name of one follows."""
        return self.http_url + "/router"

    @property
    def ims_url(self) -> str:
        """Base address of the IMS."""
        return self.http_url + "/ims"

    def partner_url(self, partner: str) -> str:
        """Base address of the order interface of a partner."""
        return f"{self.http_url}/partner/{partner}"

    def applied_to(self, settings: Settings) -> Settings:
        """The settings with every empty address filled in."""
        return replace(
            settings,
            aaa_url=settings.aaa_url or self.aaa_url,
            aaa_radius=settings.aaa_radius or self.radius,
            crm_url=settings.crm_url or self.crm_url,
            olt_url=settings.olt_url or self.olt_url,
            router_url=settings.router_url or self.router_url,
            ims_url=settings.ims_url or self.ims_url,
            partner_urls=settings.partner_urls or ",".join(f"{p}={self.partner_url(p)}" for p in PARTNERS),
        )

    def save(self, data_dir: Path) -> None:
        """Writes them down for other processes, in one move."""
        fresh = data_dir / (FILE_NAME + ".new")
        fresh.write_text(json.dumps(asdict(self)), encoding="utf-8")
        fresh.replace(data_dir / FILE_NAME)

    @classmethod
    def load(cls, data_dir: Path) -> SimulatorAddresses | None:
        """What was written last, or None."""
        try:
            return cls(**json.loads((data_dir / FILE_NAME).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None


class Addresses:
    """Looks an address up for each call, so that a simulator may come back on another port."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def aaa_url(self) -> str:
        """Base address of the AAA provisioning interface."""
        return (self._settings.aaa_url or self._simulated("AAA", "KAITONG_AAA_URL").aaa_url).rstrip("/")

    def crm_url(self) -> str:
        """Base address of the CRM's order report interface."""
        return (self._settings.crm_url or self._simulated("CRM", "KAITONG_CRM_URL").crm_url).rstrip("/")

    def olt_url(self) -> str:
        """Base address of the OLTs; the name of one follows."""
        return (self._settings.olt_url or self._simulated("OLT", "KAITONG_OLT_URL").olt_url).rstrip("/")

    def router_url(self) -> str:
        """Base address of the PE routers; the name of one follows."""
        known = self._settings.router_url or self._simulated("router", "KAITONG_ROUTER_URL").router_url
        return known.rstrip("/")

    def ims_url(self) -> str:
        """Base address of the IMS."""
        return (self._settings.ims_url or self._simulated("IMS", "KAITONG_IMS_URL").ims_url).rstrip("/")

    def partner_url(self, partner: str) -> str:
        """Base address of the order interface of a partner."""
        found = self._partners().get(partner)
        if found is None:
            found = self._simulated(f"partner:{partner}", "KAITONG_PARTNER_URLS").partner_url(partner)
        return found.rstrip("/")

    def partner_token(self, partner: str) -> str:
        """What opens the door of a partner; empty where it has none."""
        return _pairs(self._settings.partner_tokens, "KAITONG_PARTNER_TOKENS").get(partner, "")

    def partners(self) -> tuple[str, ...]:
        """The partners that have an address in the settings."""
        return tuple(self._partners())

    def _partners(self) -> dict[str, str]:
        return _pairs(self._settings.partner_urls, "KAITONG_PARTNER_URLS")

    def radius(self) -> tuple[str, int]:
        """Host and port of the RADIUS server."""
        text = self._settings.aaa_radius or self._simulated("RADIUS", "KAITONG_AAA_RADIUS").radius
        host, _, port = text.rpartition(":")
        if not host or not port.isdecimal():
            raise NeedsHuman(target="RADIUS", detail="KAITONG_AAA_RADIUS must look like host:port")
        return host.strip("[]"), int(port)

    def _simulated(self, target: str, setting: str) -> SimulatorAddresses:
        if not self._settings.simulators:
            raise NeedsHuman(target=target, detail=f"{setting} is empty and the simulators are switched off")
        found = SimulatorAddresses.load(self._settings.data_dir)
        if found is None:
            raise Retryable(target=target, detail="the simulators have not started yet")
        return found


def _pairs(text: str, setting: str) -> dict[str, str]:
    """`P-CAT=…,P-YQ=…` as a mapping."""
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    if not all(name.strip() and value.strip() for name, _, value in pairs):
        raise NeedsHuman(target="partner", detail=f"{setting} must look like P-CAT=…,P-YQ=…")
    return {name.strip(): value.strip() for name, _, value in pairs}
