"""From the text of a diagram to a syntax tree, and from a node of that tree back to its place in the text.

The text is measured before Python's parser sees it: too long, too many open brackets or too long a chain of
operators is refused here, because the parser and the tree builder are recursive C code.
"""

from __future__ import annotations

import ast
import io
import re
import textwrap
import tokenize

from bpmn.expressions.errors import LIMIT, SYNTAX, TOO_LONG, ExpressionError, Position
from bpmn.expressions.limits import MAX_BRACKETS, MAX_CHAIN, MAX_ELIF, MAX_SOURCE

_OPENING, _CLOSING = "([{", ")]}"
_FLAT = frozenset({":", "=", ";", "{", "}"})
_CHAINING_WORDS = frozenset({"not", "and", "or", "if", "else", "lambda", "in", "is", "for", "await", "yield"})
_FSTRING = re.compile(r"(?i)(f|fr|rf)['\"]")
_LINE_END = re.compile(r"\r\n|\r|\n")


class Source:
    """A text, the form in which it is parsed, and the way back from parsed places to places in the text."""

    def __init__(
        self, text: str, parsed: str, *, skipped: str = "", margin: int = 0, wrapped: int = 0
    ) -> None:
        self._text_lines = _LINE_END.split(text)
        self._parsed_lines = parsed.split("\n")
        before = _LINE_END.split(skipped)
        self._line_shift = len(before) - 1
        self._first_shift = len(before[-1]) - wrapped
        self._margin = margin

    def at(self, node: ast.AST) -> Position:
        """Line and column of a node, both from 1; the parser counts columns in UTF-8 bytes, people do not."""
        line = getattr(node, "lineno", 1)
        column: int = getattr(node, "col_offset", 0)
        text = self._parsed_lines[min(line, len(self._parsed_lines)) - 1]
        if not text.isascii():
            column = len(text.encode("utf-8", "replace")[:column].decode("utf-8", "ignore"))
        return self.place(line, column + 1)

    def place(self, line: int, column: int) -> Position:
        """Shift a place of the parsed form into the text, and keep it inside."""
        column += self._margin + (self._first_shift if line == 1 else 0)
        line = min(max(line + self._line_shift, 1), len(self._text_lines))
        return line, min(max(column, 1), len(self._text_lines[line - 1]) + 1)


def parse_expression(text: str) -> tuple[ast.Expression, Source]:
    """Parse one expression; a line break inside is allowed anywhere, as diagrams wrap long conditions."""
    _check_length(text)
    body = text.strip()
    skipped = text[: len(text) - len(text.lstrip())]
    body = _LINE_END.sub("\n", body)
    wrapped = "\n" in body
    parsed = f"({body}\n)" if wrapped else body
    source = Source(text, parsed, skipped=skipped, wrapped=int(wrapped))
    if not body:
        raise ExpressionError(SYNTAX, *source.place(1, 1), {"detail": "the expression is empty"})
    tree = _parse(parsed, "eval", source)
    assert isinstance(tree, ast.Expression)  # noqa: S101 - tells mypy what mode="eval" gives
    if wrapped and tree.body.col_offset == 0 and not isinstance(tree.body, (ast.Tuple, ast.GeneratorExp)):
        # `a)\n+(b` would otherwise close the bracket that we opened
        raise ExpressionError(SYNTAX, *source.place(1, 1), {"detail": "unbalanced bracket"})
    return tree, source


def parse_script(text: str) -> tuple[ast.Module, Source]:
    """Parse a script after removing the indentation that all its lines share."""
    _check_length(text)
    lines = _LINE_END.sub("\n", text)
    parsed = textwrap.dedent(lines)
    source = Source(text, parsed, margin=_margin(lines, parsed))
    tree = _parse(parsed, "exec", source)
    assert isinstance(tree, ast.Module)  # noqa: S101 - tells mypy what mode="exec" gives
    return tree, source


def _margin(lines: str, parsed: str) -> int:
    """How many columns the common indentation had."""
    pairs = zip(lines.split("\n"), parsed.split("\n"), strict=True)
    return next((len(before) - len(after) for before, after in pairs if after.strip()), 0)


def _check_length(text: str) -> None:
    if len(text) > MAX_SOURCE:
        raise ExpressionError(TOO_LONG, 1, 1, {"length": len(text), "most": MAX_SOURCE})


def _parse(parsed: str, mode: str, source: Source) -> ast.AST:
    try:
        _check_nesting(parsed, source)
        return ast.parse(parsed, mode=mode)
    except SyntaxError as error:
        # without offset it is at the end of the line; a null byte has no line either
        column = 1 if error.lineno is None else error.offset or MAX_SOURCE
        at = source.place(error.lineno or 1, column)
        raise ExpressionError(SYNTAX, *at, {"detail": str(error.msg)}) from None
    except tokenize.TokenError as error:
        line, column = error.args[1]
        raise ExpressionError(SYNTAX, *source.place(line, column), {"detail": str(error.args[0])}) from None
    except ValueError as error:  # a null byte, half of a surrogate pair
        raise ExpressionError(SYNTAX, *source.place(1, 1), {"detail": str(error)[:200]}) from None
    except (RecursionError, MemoryError):
        raise ExpressionError(LIMIT, *source.place(1, 1), {"limit": "nesting"}) from None


def _check_nesting(parsed: str, source: Source) -> None:
    """Estimate from the tokens how deep the tree can become, always on the high side."""
    if len(parsed) <= MAX_CHAIN and sum(map(parsed.count, _OPENING)) <= MAX_BRACKETS:
        return
    gauge = _Gauge()
    for token in tokenize.generate_tokens(io.StringIO(parsed).readline):
        gauge.take(token)
        if gauge.too_deep:
            raise ExpressionError(
                LIMIT, *source.place(token.start[0], token.start[1] + 1), {"limit": "nesting"}
            )


class _Gauge:
    """Adds up what can nest: open brackets, and operators since the last comma at each bracket level."""

    def __init__(self) -> None:
        self._levels = [0]
        self._chain = 0
        self._elifs = 0

    @property
    def too_deep(self) -> bool:
        """Whether the text so far can blow up a recursive reader."""
        return self._chain > MAX_CHAIN or len(self._levels) > MAX_BRACKETS or self._elifs > MAX_ELIF

    def take(self, token: tokenize.TokenInfo) -> None:
        """Count one token."""
        if token.type == tokenize.OP:
            self._operator(token.string)
        elif token.type == tokenize.NAME:
            self._elifs += token.string == "elif"
            self._add(int(token.string in _CHAINING_WORDS))
        elif token.type == tokenize.NEWLINE:
            self._levels, self._chain = [0], 0
        elif token.type == tokenize.STRING and _FSTRING.match(token.string) and "{" in token.string:
            self._embedded(token.string)  # before Python 3.12 an f-string is a single token

    def _operator(self, text: str) -> None:
        if text in _OPENING:
            self._add(1)
            self._levels.append(0)
        elif text in _CLOSING:
            if len(self._levels) > 1:
                self._chain -= self._levels.pop()
        elif text == ",":
            self._chain -= self._levels[-1]
            self._levels[-1] = 0
        elif text not in _FLAT:
            self._add(1)

    def _embedded(self, text: str) -> None:
        signs = sum(map(text.count, "+-*/%~<>=!.([{"))
        words = sum(map(_CHAINING_WORDS.__contains__, re.findall(r"[a-z]+", text)))
        if signs + words > MAX_CHAIN or sum(map(text.count, _OPENING)) > 2 * MAX_BRACKETS:
            self._chain = MAX_CHAIN + 1

    def _add(self, count: int) -> None:
        self._levels[-1] += count
        self._chain += count
