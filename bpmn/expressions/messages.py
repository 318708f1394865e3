"""The texts of expression errors in Chinese and English: one table of codes, one of faults, one of constructs.

Placeholders are filled from the error's facts. A designer reads these texts in the diagram editor and an operator
in an incident, so each says what was found and, where it is not obvious, what to write instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_CODES: dict[str, tuple[str, str]] = {
    "expression.syntax": ("syntax error: {detail}", "语法错误：{detail}"),
    "expression.forbidden": (
        "{construct} is not part of the expression language",
        "表达式语言不支持{construct}",
    ),
    "expression.name": ("{fault}", "{fault}"),
    "expression.value": ("{fault}", "{fault}"),
    "expression.limit": ("{limit}", "{limit}"),
    "expression.too_long": (
        "the text has {length} characters, at most {most} are allowed",
        "文本有 {length} 个字符，最多允许 {most} 个",
    ),
}

_LIMITS: dict[str, tuple[str, str]] = {
    "steps": ("used too many steps", "执行步数过多"),
    "size": ("a value became too large", "某个值过大"),
    "number": ("a number became too large", "某个数过大"),
    "depth": ("nested or called too deeply", "嵌套或调用层次过深"),
    "nesting": ("the text is nested too deeply", "文本嵌套层次过深"),
}

# reason → (kind that a script's `except` knows, English, Chinese)
_FAULTS: dict[str, tuple[str, str, str]] = {
    "types": (
        "TypeError",
        "{operation} does not work on {left} and {right}",
        "{operation} 不能用于 {left} 和 {right}",
    ),
    "type": ("TypeError", "{operation} does not work on {type}", "{operation} 不能用于 {type}"),
    "bad_type": ("TypeError", "unsuitable type: {detail}", "类型不合适：{detail}"),
    "not_callable": ("TypeError", "a value of type {type} cannot be called", "{type} 类型的值不能调用"),
    "not_iterable": (
        "TypeError",
        "a value of type {type} has no elements to go through",
        "{type} 类型的值不能遍历",
    ),
    "arguments": (
        "TypeError",
        "{function}() was called with unsuitable arguments",
        "调用 {function}() 的参数不合适",
    ),
    "no_field": (
        "TypeError",
        "a value of type {type} has no field {field}",
        "{type} 类型的值没有字段 {field}",
    ),
    "no_method": (
        "TypeError",
        "a value of type {type} has no method {method}()",
        "{type} 类型的值没有方法 {method}()",
    ),
    "unhashable": (
        "TypeError",
        "a value of type {type} cannot be a key or a set element",
        "{type} 类型的值不能作为键或集合元素",
    ),
    "percent_format": (
        "TypeError",
        "% does not format text, write an f-string",
        "% 不能格式化文本，请使用 f-string",
    ),
    "not_plain": ("TypeError", "a value of type {type} is not data", "{type} 类型的值不是数据"),
    "key_not_text": ("TypeError", "a key of the result is not text: {key}", "结果中的键不是文本：{key}"),
    "no_key": ("KeyError", "there is no key {key}", "没有键 {key}"),
    "no_index": ("IndexError", "the position is outside the list or text", "位置超出列表或文本范围"),
    "division_by_zero": ("ZeroDivisionError", "division by zero", "除数为零"),
    "overflow": (
        "OverflowError",
        "the result is outside the range of numbers or dates",
        "结果超出数值或日期范围",
    ),
    "arithmetic": ("ArithmeticError", "the decimal calculation has no result", "十进制运算没有结果"),
    "bad_value": ("ValueError", "unsuitable value: {detail}", "值不合适：{detail}"),
    "bad_format": ("ValueError", "the format {spec} is not supported", "不支持格式 {spec}"),
    "bad_duration": (
        "ValueError",
        "{text} is not a duration such as PT4H or P2DT30M",
        "{text} 不是时长，例如 PT4H 或 P2DT30M",
    ),
    "bad_number": ("ValueError", "{text} is not a number", "{text} 不是数字"),
    "bad_moment": (
        "ValueError",
        "{text} is not a date or time such as 2026-01-31T08:00:00Z",
        "{text} 不是日期或时间，例如 2026-01-31T08:00:00Z",
    ),
    "no_zone": ("ValueError", "the time has no zone", "时间没有时区"),
    "complex": ("ValueError", "a negative number has no such power", "负数没有这样的幂"),
    "unpack": ("ValueError", "{expected} values were expected here", "此处应有 {expected} 个值"),
    "not_finite": ("ValueError", "the result is infinite or not a number", "结果为无穷大或不是数"),
    "empty": ("ValueError", "{function}() was given nothing to choose from", "{function}() 没有可选的值"),
    "not_found": ("ValueError", "the value looked for is not there", "找不到要查找的值"),
    "not_deletable": (
        "ValueError",
        "{name} was not assigned in this script and cannot be deleted",
        "{name} 不是在本脚本中赋值的，不能删除",
    ),
    "raised": ("Exception", "{detail}", "{detail}"),
    "unknown_name": (
        "NameError",
        "there is no variable or function named {name}",
        "没有名为 {name} 的变量或函数",
    ),
}

FAULT_KINDS: dict[str, str] = {reason: kind for reason, (kind, _, _) in _FAULTS.items()}

_CONSTRUCTS: dict[str, tuple[str, str]] = {
    "AnnAssign": ("a type annotation", "类型注解"),
    "annotation": ("a type annotation", "类型注解"),
    "Assert": ("assert", " assert"),
    "AsyncFor": ("async", " async"),
    "AsyncFunctionDef": ("async", " async"),
    "AsyncWith": ("async", " async"),
    "Await": ("await", " await"),
    "ClassDef": ("a class", "类定义"),
    "Global": ("global", " global"),
    "Import": ("import", " import"),
    "ImportFrom": ("import", " import"),
    "Match": ("match", " match"),
    "NamedExpr": ("the walrus operator :=", "海象运算符 :="),
    "Nonlocal": ("nonlocal", " nonlocal"),
    "Starred": ("a starred argument or target", "星号参数或星号目标"),
    "With": ("with", " with"),
    "Yield": ("yield", " yield"),
    "YieldFrom": ("yield", " yield"),
    "attribute_target": ("assigning to an attribute", "对属性赋值"),
    "bitwise": ("a bitwise or matrix operator", "位运算或矩阵运算符"),
    "bpmn_error": ("bpmn_error() outside a script", "脚本之外的 bpmn_error() "),
    "constant": ("this kind of constant", "此类常量"),
    "conversion": ("the conversion !a", "转换 !a"),
    "decorator": ("a decorator", "装饰器"),
    "double_star": ("a double-starred argument", "双星号参数"),
    "except": ("catching this", "捕获此类异常"),
    "finally": ("finally", " finally"),
    "generator": ("a generator outside a call", "调用之外的生成器表达式"),
    "identity": ("is with anything but None, True or False", "与 None、True、False 以外的值使用 is "),
    "method": ("this method", "此方法"),
    "mutation": ("a method that changes data inside an expression", "在表达式中使用会修改数据的方法"),
    "parameters": ("this kind of parameter", "此类参数"),
    "raise": ("raising this", "抛出此类异常"),
    "slice_target": ("assigning to a slice", "对切片赋值"),
    "subscript_target": ("assigning inside an expression", "在表达式中赋值"),
    "underscore": ("a name that starts with an underscore", "以下划线开头的名称"),
}


def describe(code: str, line: int, column: int, facts: Mapping[str, Any], locale: str) -> str:
    """Build the whole message of one error, place first."""
    chinese = _is_chinese(locale)
    pick = 1 if chinese else 0
    words = {**facts}
    if code in ("expression.value", "expression.name"):
        words["fault"] = describe_fault(facts, locale)
    elif code == "expression.limit":
        words["limit"] = _LIMITS[str(facts["limit"])][pick]
    elif code == "expression.forbidden":
        construct = str(facts["construct"])
        words["construct"] = _CONSTRUCTS.get(construct, (construct, f" {construct}"))[pick]
        if "name" in facts:
            words["construct"] += f" ({facts['name']})"
    text = _CODES[code][pick].format_map(words)
    return f"第 {line} 行第 {column} 列：{text}" if chinese else f"line {line}, column {column}: {text}"


def describe_fault(facts: Mapping[str, Any], locale: str) -> str:
    """The text of a fault alone, without its place: what a script gets from `except … as name`."""
    return _FAULTS[str(facts["reason"])][2 if _is_chinese(locale) else 1].format_map(facts)


def _is_chinese(locale: str) -> bool:
    return locale.lower().startswith("zh")
