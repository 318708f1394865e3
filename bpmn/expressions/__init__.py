"""The expression and script language of diagrams: Python's syntax, a positive list of what it may do, hard limits.

Texts from a diagram are parsed, checked and turned into small functions; Python's own compiler and evaluator never
see them. Use `compile_expression` and `compile_script`; everything else in this package is private.
"""

from __future__ import annotations

from bpmn.expressions.errors import BpmnErrorThrown, ExpressionError
from bpmn.expressions.program import Expression, Script, compile_expression, compile_script

__all__ = [
    "BpmnErrorThrown",
    "Expression",
    "ExpressionError",
    "Script",
    "compile_expression",
    "compile_script",
]
