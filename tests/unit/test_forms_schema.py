"""Which form documents are accepted, and what is said about the others."""

from __future__ import annotations

from typing import Any

import pytest

from bpmn.forms import PROBLEM_CODES, Form, FormProblem, FormRefused, load_form


def document(*components: dict[str, Any]) -> dict[str, Any]:
    return {"type": "default", "id": "install", "components": list(components)}


def a_field(kind: str = "textfield", key: str = "note", **more: Any) -> dict[str, Any]:
    return {"type": kind, "key": key, "label": "备注", **more}


def problems_of(*components: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(FormRefused) as refused:
        load_form(document(*components))
    return [(problem.code, problem.path) for problem in refused.value.problems]


RESULT = a_field(
    "select", "result", values=[{"label": "完成", "value": "done"}, {"label": "改约", "value": "later"}]
)


def hidden_when(expression: Any) -> dict[str, Any]:
    return a_field(key="reason", conditional={"hide": expression})


def test_a_form_of_every_kind_is_read_in_page_order() -> None:
    options = [{"label": "甲", "value": "a", "label_en": "A"}]
    form = load_form(
        document(
            {"type": "text", "text": "# 上门安装"},
            a_field("textfield", "serial"),
            {
                "type": "group",
                "label": "测量",
                "components": [a_field("number", "power"), a_field("checkbox", "passed")],
            },
            {"type": "separator"},
            a_field("select", "one", values=options),
            a_field("radio", "two", values=options),
            a_field("checklist", "three", values=options),
            a_field("taglist", "four", values=options),
            a_field("datetime", "when", subtype="datetime"),
            a_field("textarea", "remark"),
        )
    )
    assert isinstance(form, Form)
    assert form.id == "install"
    assert [field.key for field in form.inputs] == [
        "serial", "power", "passed", "one", "two", "three", "four", "when", "remark",
    ]  # fmt: skip
    assert [field.kind for field in form.fields][:4] == ["text", "textfield", "group", "separator"]


def test_texts_of_both_languages_are_kept_and_english_falls_back_to_chinese() -> None:
    form = load_form(
        document(
            a_field(properties={"label_en": "Remark", "unit": "米", "unit_en": "m"}, description="请写清楚"),
        )
    )
    field = form.inputs[0]
    assert (field.label.to("zh-CN"), field.label.to("en-GB")) == ("备注", "Remark")
    assert (field.unit.to("zh_CN"), field.unit.to("en")) == ("米", "m")
    assert field.description.to("en") == "请写清楚"


def test_the_two_labels_of_a_form_js_datetime_name_the_field() -> None:
    component = {
        "type": "datetime",
        "key": "at",
        "subtype": "datetime",
        "dateLabel": "日期",
        "timeLabel": "时间",
    }
    assert load_form(document(component)).inputs[0].label.to("zh-CN") == "日期 / 时间"


@pytest.mark.parametrize(
    "broken",
    [None, [], "x", {}, {"type": "default", "id": "a"}, {"type": "default", "id": "", "components": []}],
)
def test_what_is_not_a_form_js_document_is_refused(broken: Any) -> None:
    with pytest.raises(FormRefused) as refused:
        load_form(broken)
    assert {problem.code for problem in refused.value.problems} == {"form.schema"}


@pytest.mark.parametrize(
    ("component", "code", "path"),
    [
        ("no object", "form.schema", "components[0]"),
        ({"type": "filepicker", "key": "a", "label": "A"}, "form.unknown_type", "components[0]"),
        ({"type": ["text"]}, "form.unknown_type", "components[0]"),
        ({"type": "html", "content": "<b>"}, "form.html", "components[0]"),
        ({"type": "textfield", "label": "A"}, "form.key_missing", "components[0]"),
        (a_field(key="a.b"), "form.key_invalid", "components[0].key"),
        (a_field(key="_own"), "form.key_invalid", "components[0].key"),
        (a_field(key="csrf_token"), "form.key_invalid", "components[0].key"),
        ({"type": "textfield", "key": "a"}, "form.label_missing", "components[0]"),
        (a_field("select"), "form.options_missing", "components[0]"),
        (a_field("radio", values=[]), "form.options_missing", "components[0]"),
        (a_field("select", values=[{"label": "A"}]), "form.option", "components[0].values[0]"),
        (
            a_field("select", values=[{"label": "A", "value": "a"}, {"label": "B", "value": "a"}]),
            "form.option",
            "components[0].values[1]",
        ),
        (a_field("select", valuesExpression="=x"), "form.unsupported", "components[0].valuesExpression"),
        (
            a_field("datetime", disallowPassedDates=True),
            "form.unsupported",
            "components[0].disallowPassedDates",
        ),
        (a_field("datetime", subtype="week"), "form.unsupported", "components[0].subtype"),
        (a_field(label="=customer"), "form.expression", "components[0].label"),
        ({"type": "text", "text": "您好 {{name}}"}, "form.expression", "components[0].text"),
        (a_field(readonly="=done"), "form.expression", "components[0].readonly"),
        (a_field(properties={"label_en": 5}), "form.schema", "components[0].label_en"),
        (a_field(validate={"minLength": -1}), "form.rule", "components[0].validate.minLength"),
        (a_field(validate={"maxLength": 100000}), "form.rule", "components[0].validate.maxLength"),
        (a_field(validate={"minLength": 5, "maxLength": 4}), "form.rule", "components[0].validate.maxLength"),
        (a_field(validate={"required": "=x"}), "form.rule", "components[0].validate.required"),
        (a_field(validate={"unique": True}), "form.rule", "components[0].validate.unique"),
        (a_field(validate={"validationType": "iban"}), "form.rule", "components[0].validate.validationType"),
        (a_field("checkbox", validate={"min": 1}), "form.rule", "components[0].validate.min"),
        (a_field("number", validate={"min": "=a"}), "form.rule", "components[0].validate.min"),
        (a_field("number", validate={"min": 2, "max": 1}), "form.rule", "components[0].validate.max"),
        (a_field("number", decimalDigits=1.5), "form.rule", "components[0].decimalDigits"),
        (a_field("number", increment=0), "form.rule", "components[0].increment"),
        (a_field("number", defaultValue="many"), "form.default", "components[0].defaultValue"),
        (
            a_field("select", values=[{"label": "A", "value": "a"}], defaultValue="b"),
            "form.default",
            "components[0].defaultValue",
        ),
        ({"type": "group", "components": "none"}, "form.schema", "components[0].components"),
        ({"type": "group", "path": "inner", "components": []}, "form.unsupported", "components[0].path"),
    ],
)
def test_a_component_that_cannot_be_kept_as_drawn_is_refused(component: Any, code: str, path: str) -> None:
    assert (code, path) in problems_of(component)


def test_the_same_key_twice_is_refused_even_across_groups() -> None:
    found = problems_of(a_field(key="a"), {"type": "group", "components": [a_field(key="a")]})
    assert found == [("form.key_duplicate", "components[1].components[0].key")]


def test_all_problems_are_told_at_once() -> None:
    found = problems_of({"type": "html"}, {"type": "textfield", "label": "A"}, a_field("select"))
    assert [code for code, _ in found] == ["form.html", "form.key_missing", "form.options_missing"]


def test_forms_beyond_the_limits_are_refused() -> None:
    assert problems_of(*({"type": "separator"} for _ in range(300))) == [("form.too_large", "components")]
    nested: dict[str, Any] = {"type": "group", "components": []}
    for _ in range(50):
        nested = {"type": "group", "components": [nested]}
    assert [code for code, _ in problems_of(nested)] == ["form.too_large"]
    many = [{"label": str(n), "value": str(n)} for n in range(301)]
    assert problems_of(a_field("select", values=many)) == [("form.too_large", "components[0].values")]


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$", "(a*)*b", "([a-z]+){2,}", "(a|aa)+$", "(a|a)*$", "((ab)*)*", "(?:a?){60}a{60}", "^(a{1,9}){1,90}$",
        "(.*)(.*)(.*)(.*)$", "^.*.*.*.*.*x$", "a{1000}{1000}", "((a{900}){900}){900}", "(" * 60 + "a" + ")" * 60, "a" * 201,
        "(x+x+)+y", "^(([a-z])+.)+[A-Z]$", "(?:(?:){1000}){1000}", ".*.*(?:){900}$",
        r".*.*(?:\b){300}x",
    ],
)  # fmt: skip
def test_a_regular_expression_that_could_run_for_ever_is_refused(pattern: str) -> None:
    assert problems_of(a_field(validate={"pattern": pattern}))[0][0] in (
        "form.pattern_unsafe",
        "form.pattern",
    )


@pytest.mark.parametrize(
    "pattern",
    [
        "[", "(", "a)", "*a", "a**", "a++", "(?P<n>a)", "(?i)a", r"\Aa\Z", r"(a)\1", "a{,3}", "[]a]", "[[:alpha:]]",
        "\\", 7, "[a--b]", "x{5,2}",
    ],
)  # fmt: skip
def test_a_regular_expression_that_browsers_read_otherwise_is_refused(pattern: Any) -> None:
    assert problems_of(a_field(validate={"pattern": pattern}))[0][0] in ("form.pattern", "form.rule")


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("^[A-Z]{4}[0-9A-F]{8}$", "ALCLF0A1B2C3", "alclf0a1b2c3"),
        (r"^(?:[0-9A-F]{2}:){5}[0-9A-F]{2}$", "00:1A:2B:3C:4D:5E", "00:1A:2B"),
        (r"^(\d{1,3}\.){3}\d{1,3}$", "10.0.0.1", "10.0.0"),
        (r"^\w+@\w+\.\w+$", "a@b.cn", "a@b"),
        (r"^1[3-9]\d{9}$", "13800138000", "12345"),
        ("[\u4e00-\u9fa5]{2,}", "朝阳", "abc"),
        (r"^(?:GE|XGE)\d/\d/\d{1,2}$", "XGE0/1/12", "FE0/1/12"),
        (r"^(?:ab)*$", "abab", "aba"),
        ("[0-9]", "room 8", "room"),
        (r"^(?=.*\d)(?=.*[a-z]).{8,20}$", "abcdefg1", "abcdefgh"),
    ],
)
def test_an_ordinary_regular_expression_is_accepted_and_used(pattern: str, good: str, bad: str) -> None:
    field = load_form(document(a_field(validate={"pattern": pattern}))).inputs[0]
    assert field.rules.pattern is not None
    assert field.rules.pattern.search(good)
    assert not field.rules.pattern.search(bad)


@pytest.mark.parametrize("pattern", ["^.*.*.*x$", "^a*a*a*b$", ".*.*x$", "a*a*b", r"^(?:a?){20}b$"])
def test_the_costliest_accepted_expressions_stay_below_the_limit_of_backtracking(pattern: str) -> None:
    field = load_form(document(a_field(validate={"pattern": pattern}))).inputs[0]
    assert field.rules.pattern is not None
    assert field.rules.pattern.search("a" * field.rules.max_length) is None  # ends, in well under a second


@pytest.mark.parametrize(
    "expression",
    [
        '=result = "done"', '=result != "done"', '= result="done"', '=result = "done" and result != "later"',
        '=result = "done" or result = "later"', "", None,
    ],
)  # fmt: skip
def test_the_supported_conditions_are_accepted(expression: Any) -> None:
    load_form(document(RESULT, hidden_when(expression)))


@pytest.mark.parametrize(
    "expression",
    [
        'result = "done"', "=result", "=true", "=result = 1", "=result = 'done'", '=result > "done"',
        '=not(result = "done")', '=(result = "done")', '=result = "done" xor result = "later"', '=result = "done" and',
        '="done" = result', '=other = "done"', '=result = "no such option"', '=reason = "x"', 5, ["="],
        '=result = "done" ' + 'or result = "done" ' * 50, '=result = "done',
    ],
)  # fmt: skip
def test_any_other_condition_is_refused(expression: Any) -> None:
    assert {code for code, _ in problems_of(RESULT, hidden_when(expression))} == {"form.conditional"}


def test_a_condition_may_not_ask_a_number_or_a_field_that_is_only_shown() -> None:
    number = a_field("number", "n")
    assert problems_of(number, hidden_when('=n = "1"')) == [
        ("form.conditional", "components[1].conditional.hide")
    ]
    shown = a_field(key="n", readonly=True)
    assert problems_of(shown, hidden_when('=n = "1"')) == [
        ("form.conditional", "components[1].conditional.hide")
    ]


def test_conditions_in_a_circle_are_refused() -> None:
    first = a_field(key="a", conditional={"hide": '=b = "x"'})
    second = {"type": "group", "conditional": {"hide": '=a = "x"'}, "components": [a_field(key="b")]}
    assert [code for code, _ in problems_of(first, second)] == ["form.conditional"]


def test_problems_are_explained_in_both_languages() -> None:
    with pytest.raises(FormRefused) as refused:
        load_form(document(a_field("select"), hidden_when("=x")))
    assert "没有可选项" in refused.value.message("zh-CN")
    assert "components[0]: There are no options" in refused.value.message("en")
    assert "no comparison at character 2" in refused.value.message("en")
    assert "第 2 个字符处不是比较" in refused.value.message("zh-CN")


@pytest.mark.parametrize("code", PROBLEM_CODES)
def test_every_problem_code_has_a_sentence_in_both_languages(code: str) -> None:
    facts = dict.fromkeys(("expected", "what", "limit", "type", "key", "rule", "reason", "name"), "…")
    problem = FormProblem(code, "components[0]", facts)
    assert problem.message("zh-CN") != problem.message("en")
    assert problem.message("en").isascii() or "…" in problem.message("en") or "“" in problem.message("en")
