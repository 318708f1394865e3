"""Answers to forms: what passes, what comes back cleaned, what is said when it does not pass."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import Any

import pytest

from bpmn.forms import FIELD_CODES, FieldError, Form, FormInvalid, load_form


class Post(dict[str, list[str]]):
    """A page post as the web framework hands it over."""

    def getlist(self, key: str, /) -> list[str]:
        return self.get(key, [])


OPTIONS = [{"label": "完成", "value": "done", "label_en": "Done"}, {"label": "改约", "value": "later"}]


def a_field(kind: str, key: str = "v", **more: Any) -> dict[str, Any]:
    return {"type": kind, "key": key, "label": "值", **more}


def a_form(*components: dict[str, Any]) -> Form:
    return load_form({"type": "default", "id": "f", "components": list(components)})


def error_of(form: Form, value: Any) -> FieldError:
    with pytest.raises(FormInvalid) as invalid:
        form.validate({"v": value})
    return invalid.value.errors["v"]


def errors_in(form: Form, submitted: Any) -> dict[str, str]:
    with pytest.raises(FormInvalid) as invalid:
        form.validate(submitted)
    return {key: error.code for key, error in invalid.value.errors.items()}


def html_errors_in(form: Form, **submitted: list[str]) -> dict[str, str]:
    with pytest.raises(FormInvalid) as invalid:
        form.validate_html(Post(submitted))
    return {key: error.code for key, error in invalid.value.errors.items()}


TEXT = a_field("textfield", validate={"minLength": 2, "maxLength": 4})
SERIAL = a_field(
    "textfield",
    validate={"pattern": "^[A-Z]{4}$"},
    properties={"pattern_hint_zh": "四个大写字母", "pattern_hint_en": "Four capitals"},
)
NUMBER = a_field("number", decimalDigits=1, validate={"min": -30, "max": 0})
COUNT = a_field("number", decimalDigits=0)
DAY = a_field("datetime", subtype="date")
CLOCK = a_field("datetime", subtype="time")
MOMENT = a_field("datetime", subtype="datetime")
UTC_MOMENT = a_field("datetime", subtype="datetime", timeSerializingFormat="utc_normalized")
LOCAL_MOMENT = a_field("datetime", subtype="datetime", timeSerializingFormat="no_timezone")
MAIL = a_field("textfield", validate={"validationType": "email"})
PHONE = a_field("textfield", validate={"validationType": "phone"})
SELECT, RADIO = a_field("select", values=OPTIONS), a_field("radio", values=OPTIONS)
CHECKLIST, TAGLIST = a_field("checklist", values=OPTIONS), a_field("taglist", values=OPTIONS)


@pytest.mark.parametrize(
    ("component", "typed", "clean"),
    [
        (TEXT, "  abc ", "abc"), (TEXT, "", None), (TEXT, "   ", None),
        (SERIAL, "ALCL", "ALCL"),
        (a_field("textarea"), "一\r\n二", "一\n二"),
        (NUMBER, "-21.5", -21.5), (NUMBER, "－２１．５", -21.5), (NUMBER, "\u22123", -3), (NUMBER, "", None),
        (NUMBER, "-1e1", -10),
        (COUNT, "3", 3), (COUNT, "3.0", 3), (COUNT, "0", 0),
        (SELECT, "done", "done"), (SELECT, "", None), (RADIO, "later", "later"),
        (DAY, "2026-11-22", "2026-11-22"), (DAY, "", None),
        (CLOCK, "09:30", "09:30"), (CLOCK, "09:30+08:00", "09:30"), (CLOCK, "09:30:15", "09:30:15"),
        (MOMENT, "2026-11-22T09:30", "2026-11-22T09:30+08:00"),
        (MOMENT, "2026-11-22T01:30Z", "2026-11-22T09:30+08:00"),
        (UTC_MOMENT, "2026-11-22T09:30", "2026-11-22T01:30Z"),
        (LOCAL_MOMENT, "2026-11-22T01:30Z", "2026-11-22T09:30"),
        (MAIL, "li@example.cn", "li@example.cn"), (PHONE, "+86 138-0013-8000", "+86 138-0013-8000"),
        (PHONE, "(010) 12345678", "(010) 12345678"),
    ],
)  # fmt: skip
def test_a_page_and_an_api_client_get_the_same_value_for_the_same_text(
    component: Any, typed: str, clean: Any
) -> None:
    form = a_form(component)
    assert form.validate({"v": typed}) == {"v": clean}
    assert form.validate_html(Post(v=[typed])) == {"v": clean}


@pytest.mark.parametrize(
    ("component", "value", "clean"),
    [
        (NUMBER, -21.5, -21.5), (NUMBER, 0, 0), (COUNT, 3.0, 3), (COUNT, None, None),
        (a_field("number"), 0.1, 0.1),
        (a_field("checkbox"), True, True), (a_field("checkbox"), False, False),
        (a_field("checkbox"), None, False),
        (CHECKLIST, ["later", "done", "later"], ["done", "later"]), (CHECKLIST, [], []),
        (TAGLIST, ["done"], ["done"]), (TAGLIST, None, []),
    ],
)  # fmt: skip
def test_typed_json_values_are_accepted(component: Any, value: Any, clean: Any) -> None:
    found = a_form(component).validate({"v": value})
    assert found == {"v": clean}
    assert type(found["v"]) is type(clean)


@pytest.mark.parametrize(
    ("component", "typed", "code"),
    [
        (TEXT, "a", "min_length"), (TEXT, "abcde", "max_length"), (TEXT, "a\x00b", "characters"),
        (TEXT, "a\nb", "characters"),
        (SERIAL, "abcd", "pattern"), (SERIAL, "A" * 201, "max_length"),
        (a_field("textarea"), "a" * 10_001, "max_length"),
        (NUMBER, "-30.1", "minimum"), (NUMBER, "0.1", "maximum"), (NUMBER, "-1.25", "decimals"),
        (NUMBER, "abc", "not_a_number"),
        (NUMBER, "NaN", "not_a_number"), (NUMBER, "1_0", "not_a_number"), (NUMBER, "1 2", "not_a_number"),
        (NUMBER, "-Infinity", "not_a_number"),
        (NUMBER, "9" * 5000, "not_a_number"), (NUMBER, "1" + " " * 90 + "2", "not_a_number"),
        (COUNT, "1.5", "not_an_integer"), (COUNT, "1e99", "maximum"), (COUNT, "-1e99", "minimum"),
        (SELECT, "lost", "not_an_option"), (RADIO, "lost", "not_an_option"),
        (DAY, "2026-02-30", "not_a_date"), (DAY, "22.11.2026", "not_a_date"),
        (DAY, "20261122", "not_a_date"), (DAY, "2026-11-22T09:00", "not_a_date"),
        (CLOCK, "25:00", "not_a_date"), (CLOCK, "9", "not_a_date"),
        (MOMENT, "2026-11-22", "not_a_date"), (UTC_MOMENT, "0001-01-01T00:00", "not_a_date"),
        (MAIL, "li@", "email"), (MAIL, "a b@c.cn", "email"), (PHONE, "call me", "phone"),
        (PHONE, "12", "phone"),
    ],
)  # fmt: skip
def test_a_page_and_an_api_client_get_the_same_error_for_the_same_text(
    component: Any, typed: str, code: str
) -> None:
    form = a_form(component)
    assert error_of(form, typed).code == code
    assert html_errors_in(form, v=[typed]) == {"v": code}


@pytest.mark.parametrize(
    ("component", "value", "code"),
    [
        (TEXT, 5, "type"), (TEXT, ["abc"], "type"), (TEXT, "\ud800ab", "characters"),
        (NUMBER, True, "type"), (NUMBER, [1], "type"), (NUMBER, {}, "type"),
        (NUMBER, float("nan"), "not_a_number"), (NUMBER, float("inf"), "not_a_number"),
        (COUNT, 10**400, "maximum"), (COUNT, 1.5, "not_an_integer"),
        (a_field("checkbox"), "true", "type"), (a_field("checkbox"), 1, "type"), (SELECT, ["done"], "type"),
        (SELECT, 1, "type"),
        (CHECKLIST, "done", "type"), (CHECKLIST, [1], "type"), (CHECKLIST, [["done"]], "type"),
        (TAGLIST, ["lost"], "not_an_option"), (DAY, 20261122, "type"),
    ],
)  # fmt: skip
def test_json_values_of_a_wrong_type_are_refused(component: Any, value: Any, code: str) -> None:
    assert error_of(a_form(component), value).code == code


@pytest.mark.parametrize(
    "component",
    [
        TEXT,
        a_field("textarea"),
        NUMBER,
        a_field("checkbox"),
        SELECT,
        RADIO,
        CHECKLIST,
        TAGLIST,
        DAY,
        CLOCK,
        MOMENT,
    ],
)
def test_a_required_field_left_out_is_told_on_both_ways(component: dict[str, Any]) -> None:
    form = a_form({**component, "validate": {"required": True}})
    assert errors_in(form, {}) == {"v": "required"}
    assert html_errors_in(form) == {"v": "required"}


def test_zero_is_an_answer_to_a_required_number() -> None:
    assert a_form(a_field("number", validate={"required": True})).validate({"v": 0}) == {"v": 0}


def test_optional_fields_left_out_still_have_a_value_each() -> None:
    form = a_form(
        a_field("textfield", "a"), a_field("checkbox", "b"), a_field("checklist", "c", values=OPTIONS)
    )
    nothing: dict[str, Any] = {"a": None, "b": False, "c": []}
    assert form.validate({}) == nothing
    assert form.validate_html(Post()) == nothing


def test_a_page_post_ticks_boxes_by_their_presence() -> None:
    form = a_form(a_field("checkbox", "a"), a_field("checkbox", "b"), a_field("taglist", "c", values=OPTIONS))
    assert form.validate_html(Post(a=["true"], c=["done", "later"])) == {
        "a": True,
        "b": False,
        "c": ["done", "later"],
    }
    assert html_errors_in(form, a=["maybe"]) == {"a": "type"}


def test_two_values_for_a_single_input_are_refused() -> None:
    assert html_errors_in(a_form(TEXT), v=["abc", "abd"]) == {"v": "type"}


def test_unknown_keys_are_refused_on_both_ways() -> None:
    form = a_form(TEXT)
    assert errors_in(form, {"v": "abc", "price": 0}) == {"price": "unknown_field"}
    assert html_errors_in(form, v=["abc"], price=["0"]) == {"price": "unknown_field"}


def test_the_inputs_of_the_page_itself_are_no_unknown_fields() -> None:
    form = a_form(TEXT)
    assert form.validate_html(Post(v=["abc"], csrf_token=["x"], _action=["complete"])) == {"v": "abc"}
    post = Post(v=["abc"], comment=["x"])
    assert form.validate_html(post, also=("csrf_token", "comment")) == {"v": "abc"}


@pytest.mark.parametrize("body", [None, [], "x", 5])
def test_a_body_that_is_no_object_is_refused(body: Any) -> None:
    assert errors_in(a_form(TEXT), body) == {"": "type"}


def test_values_of_fields_in_groups_are_flat() -> None:
    form = a_form({"type": "group", "components": [a_field("textfield", "a")]}, a_field("textfield", "b"))
    assert form.validate({"a": "1", "b": "2"}) == {"a": "1", "b": "2"}


REASON = a_field("textarea", "reason", validate={"required": True}, conditional={"hide": '=result = "done"'})
VISIT = a_form(a_field("select", "result", values=OPTIONS, validate={"required": True}), REASON)


def test_a_hidden_field_is_not_required_and_has_no_value() -> None:
    assert VISIT.validate({"result": "done"}) == {"result": "done"}
    assert VISIT.validate({"result": "done", "reason": ""}) == {"result": "done"}
    assert VISIT.validate_html(Post(result=["done"])) == {"result": "done"}


def test_a_visible_conditional_field_is_required() -> None:
    assert errors_in(VISIT, {"result": "later"}) == {"reason": "required"}
    assert html_errors_in(VISIT, result=["later"], reason=[" "]) == {"reason": "required"}


def test_an_answer_to_a_hidden_field_is_refused_by_the_api_and_ignored_by_the_page() -> None:
    assert errors_in(VISIT, {"result": "done", "reason": "x"}) == {"reason": "hidden_field"}
    assert VISIT.validate_html(Post(result=["done"], reason=["x"])) == {"result": "done"}


def test_even_a_malformed_answer_to_a_hidden_field_is_ignored_by_the_page() -> None:
    form = a_form(
        VISIT.document["components"][0], a_field("number", "n", conditional={"hide": '=result = "done"'})
    )
    assert form.validate_html(Post(result=["done"], n=["abc"])) == {"result": "done"}


def test_a_hidden_group_hides_what_is_in_it() -> None:
    group = {
        "type": "group",
        "conditional": {"hide": '=result != "later"'},
        "components": [a_field("textfield", "why", validate={"required": True})],
    }
    form = a_form(VISIT.document["components"][0], group)
    assert form.validate({"result": "done"}) == {"result": "done"}
    assert errors_in(form, {"result": "later"}) == {"why": "required"}


def test_a_condition_on_a_hidden_field_sees_no_answer() -> None:
    form = a_form(
        a_field("textfield", "a"),
        a_field("textfield", "b", conditional={"hide": '=a = "x"'}),
        a_field("textfield", "c", conditional={"hide": '=b = "y"'}),
    )
    assert form.hidden({"a": "", "b": "y"}) == {"c"}
    assert form.hidden({"a": "x", "b": "y"}) == {"b"}


@pytest.mark.parametrize(
    ("a", "b", "hidden"),
    [("1", "2", True), ("1", "3", False), ("9", "3", True), ("9", "2", True), (None, None, False)],
)
def test_and_binds_tighter_than_or(a: str | None, b: str | None, hidden: bool) -> None:
    condition = '=a = "9" or a = "1" and b = "2"'
    form = a_form(
        a_field("textfield", "a"),
        a_field("textfield", "b"),
        a_field("textfield", "c", conditional={"hide": condition}),
    )
    assert ("c" in form.hidden({"a": a, "b": b})) is hidden


def test_literals_may_contain_words_and_quotes_of_the_language() -> None:
    form = a_form(
        a_field("textfield", "a"), a_field("textfield", "c", conditional={"hide": r'=a = "x and \"y\" or z"'})
    )
    assert form.hidden({"a": 'x and "y" or z'}) == {"c"}


@pytest.mark.parametrize("flag", ["readonly", "disabled"])
def test_a_field_for_reading_takes_no_answer(flag: str) -> None:
    form = a_form(
        a_field("textfield", "a", validate={"required": True}, **{flag: True}), a_field("textfield", "b")
    )
    assert form.validate({"b": "x"}) == {"b": "x"}
    assert errors_in(form, {"a": "new", "b": "x"}) == {"a": "read_only"}
    assert form.validate_html(Post(a=["new"], b=["x"])) == {"b": "x"}


def test_all_errors_and_everything_typed_are_returned() -> None:
    form = a_form(
        a_field("textfield", "a", validate={"minLength": 3}),
        a_field("number", "n"),
        a_field("checkbox", "c"),
        CHECKLIST,
    )
    with pytest.raises(FormInvalid) as invalid:
        form.validate_html(
            Post(a=[" x "], n=["many"], c=["true"], v=["done", "lost"], extra=["?"], csrf_token=["t"])
        )
    assert invalid.value.submitted == {
        "a": " x ",
        "n": "many",
        "c": True,
        "v": ["done", "lost"],
        "extra": "?",
    }
    assert list(invalid.value.errors) == ["a", "n", "v", "extra"]
    assert "4" in invalid.value.message("zh-CN")
    assert "4" in invalid.value.message("en")


def test_initial_values_are_what_is_known_else_the_defaults() -> None:
    form = a_form(
        a_field("number", "n", defaultValue="3"),
        a_field("textfield", "a", defaultValue="ALCL"),
        a_field("textfield", "b"),
    )
    assert form.initial() == {"n": 3, "a": "ALCL", "b": None}
    assert form.initial({"a": "HWTC", "other": 1}) == {"n": 3, "a": "HWTC", "b": None}


def test_a_default_may_be_the_beginning_of_an_answer_but_is_no_answer() -> None:
    form = a_form(
        a_field("textfield", defaultValue="ALCL", validate={"pattern": "^ALCL[0-9]{8}$", "required": True})
    )
    assert form.initial() == {"v": "ALCL"}
    assert errors_in(form, {}) == {"v": "required"}


def test_local_time_is_that_of_the_zone_given_when_the_form_is_loaded() -> None:
    document = {"type": "default", "id": "f", "components": [MOMENT]}
    form = load_form(document, zone=timezone(timedelta(hours=6)))
    assert form.validate({"v": "2026-11-22T09:30"}) == {"v": "2026-11-22T09:30+06:00"}


@pytest.mark.parametrize(
    ("component", "value", "zh", "en"),
    [
        (a_field("textfield", validate={"required": True}), "", "此项必填。", "This field is required."),
        (SERIAL, "abcd", "格式不正确。四个大写字母", "The format is not right. Four capitals"),
        (TEXT, "a", "太短：至少 2 个字符，现在 1 个。", "Too short: 1 of at least 2 characters."),
        (TEXT, "abcde", "太长：最多 4 个字符，现在 5 个。", "Too long: 5 characters, 4 allowed."),
        (NUMBER, -31, "不能小于 -30。", "Must not be less than -30."),
        (NUMBER, 1, "不能大于 0。", "Must not be more than 0."),
        (NUMBER, "x", "请填写数字。", "Enter a number."),
        (COUNT, 1.5, "请填写整数。", "Enter a whole number."),
        (SELECT, "x", "请从选项中选择。", "Choose one of the options."),
        (DAY, "x", "请按 YYYY-MM-DD 的格式填写。", "Write it in the form YYYY-MM-DD."),
    ],
)
def test_errors_are_explained_in_both_languages(component: Any, value: Any, zh: str, en: str) -> None:
    error = error_of(a_form(component), value)
    assert error.message("zh-CN") == zh
    assert error.message("en") == en


@pytest.mark.parametrize("code", FIELD_CODES)
def test_every_error_code_has_a_sentence_in_both_languages(code: str) -> None:
    error = FieldError(code, dict.fromkeys(("minimum", "maximum", "length", "digits", "expected"), 1))
    assert error.message("en").isascii()
    assert not error.message("zh-CN").isascii()
