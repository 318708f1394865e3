"""What can be wrong with a form or with an answer, in words for people (zh-CN and en).

Codes are stable: API clients and metrics use them; the sentences may change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_FIELD_TEXTS: dict[str, tuple[str, str]] = {
    "required": ("此项必填。", "This field is required."),
    "pattern": ("格式不正确。", "The format is not right."),
    "min_length": (
        "太短：至少 {minimum} 个字符，现在 {length} 个。",
        "Too short: {length} of at least {minimum} characters.",
    ),
    "max_length": (
        "太长：最多 {maximum} 个字符，现在 {length} 个。",
        "Too long: {length} characters, {maximum} allowed.",
    ),
    "minimum": ("不能小于 {minimum}。", "Must not be less than {minimum}."),
    "maximum": ("不能大于 {maximum}。", "Must not be more than {maximum}."),
    "not_a_number": ("请填写数字。", "Enter a number."),
    "not_an_integer": ("请填写整数。", "Enter a whole number."),
    "decimals": ("最多 {digits} 位小数。", "Decimal places allowed: {digits}."),
    "not_an_option": ("请从选项中选择。", "Choose one of the options."),
    "not_a_date": ("请按 {expected} 的格式填写。", "Write it in the form {expected}."),
    "email": ("请填写有效的邮箱地址。", "Enter a valid e-mail address."),
    "phone": ("请填写有效的电话号码。", "Enter a valid telephone number."),
    "characters": ("含有不能使用的控制字符。", "It contains control characters."),
    "unknown_field": ("表单没有这一项。", "The form has no such field."),
    "hidden_field": (
        "按其他各项的填写，此项不适用，请留空。",
        "Does not apply to the other answers: leave it empty.",
    ),
    "read_only": ("此项只供查看，不能提交。", "This field is for reading only."),
    "type": ("值的类型不正确。", "The value has the wrong type."),
}

_PROBLEM_TEXTS: dict[str, tuple[str, str]] = {
    "form.schema": (
        "不是可用的 form-js 表单：应为 {expected}。",
        "Not a usable form-js document: expected {expected}.",
    ),
    "form.too_large": ("表单太大：{what}最多 {limit}。", "The form is too large: {what} at most {limit}."),
    "form.unknown_type": ("不支持的组件类型“{type}”。", "Component type “{type}” is not supported."),
    "form.html": ("不允许使用 HTML 组件。", "HTML components are not allowed."),
    "form.key_missing": ("组件缺少 key。", "The component has no key."),
    "form.key_invalid": (
        "key“{key}”只能由英文字母、数字和下划线组成，以字母开头，最长 64 个字符。",
        "Key “{key}” must be ASCII letters, digits and underscores, begin with a letter, 64 at most.",
    ),
    "form.key_duplicate": ("key“{key}”重复。", "Key “{key}” is used twice."),
    "form.label_missing": ("组件缺少标签。", "The component has no label."),
    "form.options_missing": ("没有可选项。", "There are no options to choose from."),
    "form.option": (
        "选项须有文字标签和非空、不重复的文本值。",
        "An option needs a label and a text value that is neither empty nor used twice.",
    ),
    "form.rule": ("校验规则“{rule}”不可用。", "Validation rule “{rule}” cannot be used."),
    "form.pattern": ("正则表达式无效：{reason}。", "The regular expression is not valid: {reason}."),
    "form.pattern_unsafe": (
        "正则表达式可能耗时过长：{reason}；请以 ^ 开头，并用 {{1,20}} 这样的上限代替 + 和 *。",
        "The regular expression could take too long: {reason}; begin with ^ and use limits such as {{1,20}} "
        "in place of + and *.",
    ),
    "form.unsupported": ("不支持属性“{name}”。", "Property “{name}” is not supported."),
    "form.expression": (
        "“{name}”不能使用表达式或模板。",
        "“{name}” must not be an expression or a template.",
    ),
    "form.conditional": (
        '隐藏条件不可用：{reason}。只支持 =key = "值"、=key != "值" 以及用 and / or 的组合。',
        'The hide condition cannot be used: {reason}. Supported: =key = "value", =key != "value", '
        "joined by and / or.",
    ),
    "form.default": ("默认值不符合该组件。", "The default value does not fit the component."),
}

FIELD_CODES = tuple(_FIELD_TEXTS)
PROBLEM_CODES = tuple(_PROBLEM_TEXTS)


def is_english(locale: str) -> bool:
    """Whether a locale name (`en`, `en-GB`, `en_US`) asks for English; everything else gets Chinese."""
    return locale.lower().replace("_", "-").split("-")[0] == "en"


def _say(texts: dict[str, tuple[str, str]], code: str, facts: Mapping[str, Any], locale: str) -> str:
    words = {
        name: in_locale(fact, locale) if isinstance(fact, tuple) else fact for name, fact in facts.items()
    }
    return in_locale(texts[code], locale).format_map(words)


def in_locale(pair: tuple[str, str], locale: str) -> str:
    """The member of a (zh, en) pair for the locale."""
    return pair[1] if is_english(locale) else pair[0]


@dataclass(frozen=True)
class FieldError:
    """One answer that does not pass; `facts` are plain JSON values."""

    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def message(self, locale: str = "zh-CN") -> str:
        """One sentence for the person who typed the answer; a designer's hint on the format is added."""
        text = _say(_FIELD_TEXTS, self.code, self.facts, locale)
        hint_zh, hint_en = self.facts.get("hint_zh"), self.facts.get("hint_en")
        hint = (hint_en or hint_zh) if is_english(locale) else (hint_zh or hint_en)
        if not hint:
            return text
        return f"{text} {hint}" if is_english(locale) else f"{text}{hint}"


@dataclass(frozen=True)
class FormProblem:
    """One reason why a form document cannot be used; `path` leads to the place in the document."""

    code: str
    path: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def message(self, locale: str = "zh-CN") -> str:
        """One sentence for the designer, without the path."""
        return _say(_PROBLEM_TEXTS, self.code, self.facts, locale)


class FormRefused(Exception):
    """The form document cannot be used."""

    code = "form.refused"

    def __init__(self, problems: tuple[FormProblem, ...]) -> None:
        super().__init__("; ".join(f"{p.path}: {p.code}" for p in problems))
        self.problems = problems

    def message(self, locale: str = "zh-CN") -> str:
        """All problems, one a line, each with its place."""
        colon = ": " if is_english(locale) else "："
        return "\n".join(f"{p.path or 'form'}{colon}{p.message(locale)}" for p in self.problems)


class FormInvalid(Exception):
    """The answers do not pass; `submitted` holds all that was typed, so that nobody types it again."""

    code = "form.invalid"

    def __init__(self, errors: dict[str, FieldError], submitted: dict[str, Any]) -> None:
        super().__init__("; ".join(f"{key}: {error.code}" for key, error in errors.items()))
        self.errors = errors
        self.submitted = submitted

    def message(self, locale: str = "zh-CN") -> str:
        """One sentence over all errors."""
        return in_locale(("表单有 {n} 处需要更正。", "Answers that need correction: {n}."), locale).format(
            n=len(self.errors)
        )
