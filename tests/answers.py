"""How people answer the forms of all shipped processes when all goes well, by element."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests import broadband_parts, dedicated_line_parts, fault_parts, other_order_parts

ANSWERS: Mapping[str, Mapping[str, Any]] = {
    **broadband_parts.ANSWERS,
    **dedicated_line_parts.ANSWERS,
    **fault_parts.ANSWERS,
    **other_order_parts.ANSWERS,
}
