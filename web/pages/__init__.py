"""The pages that people use. Each module is one screen: parse, permission, command or query, render."""

from __future__ import annotations

import web.pages.account
import web.pages.definitions
import web.pages.inbox
import web.pages.incidents
import web.pages.mass_faults
import web.pages.master_data
import web.pages.navigation
import web.pages.order_verbs
import web.pages.order_view
import web.pages.orders
import web.pages.sla
import web.pages.task
import web.pages.worklist  # noqa: F401
from web.pages.blueprint import pages as blueprint

__all__ = ["blueprint"]
