"""The form macros give a page that works without script, on phones and with screen readers."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from lxml import html

from bpmn.forms import Form, FormInvalid, load_form

TEMPLATES = Path(__file__).parents[2] / "web" / "templates"
PAGE = '{% import "forms/_fields.html" as forms %}{{ forms.render_form(form, values, errors, locale) }}'

OPTIONS = [{"label": "完成", "value": "done", "label_en": "Done"}, {"label": "改约", "value": "later"}]
SERIAL = {
    "type": "textfield", "key": "serial", "label": "ONU 序列号", "description": "设备背面",
    "validate": {"required": True, "pattern": "^[A-Z]{4}[0-9A-F]{8}$"},
    "properties": {
        "label_en": "ONU serial number", "pattern_hint_zh": "4 个字母加 8 位", "pattern_hint_en": "4 letters and 8 digits",
    },
}  # fmt: skip
POWER = {
    "type": "number", "key": "power", "label": "收光功率", "decimalDigits": 1,
    "validate": {"required": True, "min": -30, "max": -8}, "properties": {"unit": "dBm"},
}  # fmt: skip
RESULT = {
    "type": "select",
    "key": "result",
    "label": "结果",
    "values": OPTIONS,
    "properties": {"label_en": "Result"},
}
REASON = {
    "type": "textarea",
    "key": "reason",
    "label": "原因",
    "validate": {"required": True},
    "conditional": {"hide": '=result = "done"'},
}


class Post(dict[str, list[str]]):
    def getlist(self, key: str, /) -> list[str]:
        return self.get(key, [])


def a_form(*components: dict[str, Any]) -> Form:
    return load_form({"type": "default", "id": "install", "components": list(components)})


@cache
def environment() -> Environment:
    return Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)


def source(form: Form, values: Any = None, errors: Any = None, locale: str = "zh-CN") -> str:
    shown = form.initial() if values is None else values
    return environment().from_string(PAGE).render(form=form, values=shown, errors=errors or {}, locale=locale)


def page(form: Form, values: Any = None, errors: Any = None, locale: str = "zh-CN") -> html.HtmlElement:
    return html.fragment_fromstring(source(form, values, errors, locale), create_parent="main")


def after_error(form: Form, typed: dict[str, list[str]], locale: str = "zh-CN") -> html.HtmlElement:
    with pytest.raises(FormInvalid) as invalid:
        form.validate_html(Post(typed))
    return page(form, invalid.value.submitted, invalid.value.errors, locale)


def the(tree: html.HtmlElement, path: str) -> html.HtmlElement:
    found = tree.xpath(path)
    assert len(found) == 1, (path, html.tostring(tree, encoding="unicode"))
    return found[0]


def words(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def every_kind() -> Form:
    kinds = ["checkbox", "radio", "checklist", "taglist", "select", "textarea", "number", "textfield"]
    inputs: list[dict[str, Any]] = [
        {"type": kind, "key": f"k_{kind}", "label": kind, "validate": {"required": True}} for kind in kinds
    ]
    for one in inputs:
        one |= {"values": OPTIONS} if one["type"] in ("radio", "checklist", "taglist", "select") else {}
    times = [
        {"type": "datetime", "key": f"k_{sub}", "label": sub, "subtype": sub}
        for sub in ("date", "time", "datetime")
    ]
    shown = [
        {"type": "text", "text": "# 回单\n第一行\n第二行\n\n- 甲\n- 乙"},
        {"type": "separator"},
        {"type": "spacer"},
    ]
    return a_form(*shown, {"type": "group", "label": "测量", "components": inputs}, *times)


def test_every_input_has_a_label_tied_by_its_id() -> None:
    tree = page(every_kind())
    inputs = tree.xpath("//input | //select | //textarea")
    assert len(inputs) == 14
    ids = [one.get("id") for one in inputs]
    assert len(set(ids)) == len(ids)
    assert {label.get("for") for label in tree.xpath("//label")} == set(ids)


def test_every_reference_to_another_element_has_its_target() -> None:
    form = a_form(SERIAL, POWER, RESULT, REASON)
    tree = after_error(form, {"serial": ["x"], "power": ["x"], "result": ["x"]})
    ids = set(tree.xpath("//@id"))
    named = {one for value in tree.xpath("//@aria-describedby") for one in value.split()}
    assert named
    assert named <= ids
    assert {link[1:] for link in tree.xpath("//a/@href")} <= ids


def test_a_page_has_neither_inline_style_nor_script() -> None:
    tree = after_error(every_kind(), {"k_number": ["x"]})
    assert not tree.xpath("//script | //style | //@style | //@*[starts-with(name(), 'on')]")


def test_the_kinds_use_the_look_of_the_product() -> None:
    tree = page(every_kind())
    assert the(tree, '//select[@name="k_select"]').get("class") == "form-select"
    assert the(tree, '//input[@name="k_textfield"]').get("class") == "form-control"
    assert the(tree, '//input[@name="k_checkbox"]').get("class") == "form-check-input"
    assert [one.get("type") for one in tree.xpath('//input[@name="k_radio"]')] == ["radio", "radio"]
    assert [one.get("type") for one in tree.xpath('//input[@name="k_taglist"]')] == ["checkbox", "checkbox"]
    assert the(tree, '//fieldset[@role="radiogroup"]').get("aria-required") == "true"
    assert words(the(tree, '//fieldset[contains(@class, "form-fieldset")]/legend')) == "测量"
    assert [the(tree, f'//input[@name="k_{sub}"]').get("type") for sub in ("date", "time", "datetime")] == [
        "date",
        "time",
        "datetime-local",
    ]


def test_text_components_show_headings_paragraphs_and_lists() -> None:
    tree = page(every_kind())
    assert words(the(tree, "//h3")) == "回单"
    assert the(tree, "//p").xpath("text()") == ["第一行", "第二行"]
    assert [words(item) for item in tree.xpath("//ul/li")] == ["甲", "乙"]


def test_phones_get_the_right_keyboard_and_limits() -> None:
    form = a_form(
        POWER,
        {"type": "number", "key": "count", "label": "数量", "decimalDigits": 0, "validate": {"min": 0}},
        {"type": "number", "key": "length", "label": "长度", "increment": "0.5", "validate": {"min": 0}},
        {"type": "textfield", "key": "tel", "label": "电话", "validate": {"validationType": "phone"}},
        {
            "type": "textfield",
            "key": "mail",
            "label": "邮箱",
            "validate": {"validationType": "email", "maxLength": 50},
        },
    )
    tree = page(form)
    power, count, length, tel, mail = (
        the(tree, f'//input[@name="{key}"]') for key in ("power", "count", "length", "tel", "mail")
    )
    assert [power.get(name) for name in ("type", "step", "min", "max", "inputmode")] == [
        "number",
        "0.1",
        "-30",
        "-8",
        None,
    ]
    assert [count.get(name) for name in ("step", "min", "inputmode")] == ["1", "0", "numeric"]
    assert [length.get(name) for name in ("step", "inputmode")] == ["0.5", "decimal"]
    assert [tel.get(name) for name in ("type", "inputmode", "enterkeyhint")] == ["tel", "tel", "next"]
    assert [mail.get(name) for name in ("type", "inputmode", "maxlength", "enterkeyhint")] == [
        "email",
        "email",
        "50",
        "done",
    ]


def test_a_unit_stands_beside_its_input_and_is_read_with_it() -> None:
    tree = page(a_form(POWER))
    unit = the(tree, '//div[@class="input-group"]/span[@class="input-group-text"]')
    assert words(unit) == "dBm"
    assert unit.get("id") in the(tree, "//input").get("aria-describedby").split()


def test_required_fields_are_marked_for_eyes_and_for_screen_readers() -> None:
    tree = page(every_kind())
    assert the(tree, '//input[@name="k_textfield"]').get("required") is not None
    assert words(the(tree, '//label[@for="f-k_textfield"]')).endswith("*")
    assert "必填" in words(the(tree, '//fieldset[@data-field="k_checklist"]/legend'))
    assert the(tree, '//input[@name="k_date"]').get("required") is None


def test_labels_hints_and_options_follow_the_locale() -> None:
    form = a_form(SERIAL, RESULT)
    chinese, english = page(form), page(form, locale="en")
    assert words(the(chinese, '//label[@for="f-serial"]')) == "ONU 序列号 *"
    assert words(the(english, '//label[@for="f-serial"]')) == "ONU serial number *"
    assert words(the(chinese, '//div[@id="f-serial-hint"]')) == "设备背面 4 个字母加 8 位"
    assert words(the(english, '//div[@id="f-serial-hint"]')) == "设备背面 4 letters and 8 digits"
    assert [words(one) for one in chinese.xpath("//option")] == ["请选择", "完成", "改约"]
    assert [words(one) for one in english.xpath("//option")] == ["Please choose", "Done", "改约"]


def test_an_untouched_form_shows_defaults_and_no_errors() -> None:
    form = a_form(
        {**RESULT, "defaultValue": "later"},
        {"type": "checkbox", "key": "ok", "label": "达标", "defaultValue": True},
    )
    tree = page(form)
    assert the(tree, "//option[@selected]").get("value") == "later"
    assert the(tree, '//input[@name="ok"]').get("checked") is not None
    assert not tree.xpath('//*[@role="alert"] | //*[@aria-invalid] | //*[contains(@class, "is-invalid")]')


def test_errors_stand_under_their_field_and_in_a_summary_with_links() -> None:
    tree = after_error(
        a_form(SERIAL, POWER, RESULT),
        {"serial": ["abc"], "power": ["-40"], "result": ["done"], "price": ["1"]},
    )
    alert = the(tree, '//*[@role="alert"]')
    assert [link.get("href") for link in alert.xpath(".//a")] == ["#f-serial", "#f-power"]
    assert [words(item) for item in alert.xpath(".//li")] == [
        "ONU 序列号：格式不正确。4 个字母加 8 位",
        "收光功率：不能小于 -30。",
        "price：表单没有这一项。",
    ]
    serial = the(tree, '//input[@name="serial"]')
    assert serial.get("aria-invalid") == "true"
    assert "is-invalid" in serial.get("class")
    assert "f-serial-error" in serial.get("aria-describedby").split()
    assert words(the(tree, '//div[@id="f-power-error"]')) == "不能小于 -30。"
    assert the(tree, '//select[@name="result"]').get("aria-invalid") is None


def test_the_summary_speaks_english_too() -> None:
    tree = after_error(a_form(SERIAL), {"serial": ["abc"]}, "en")
    assert words(the(tree, '//*[@role="alert"]')) == (
        "Please correct the following ONU serial number: The format is not right. 4 letters and 8 digits"
    )


def test_the_link_to_a_group_of_choices_leads_to_its_first_choice() -> None:
    form = a_form(
        {"type": "radio", "key": "r", "label": "单选", "values": OPTIONS, "validate": {"required": True}}
    )
    tree = after_error(form, {})
    assert the(tree, '//*[@id="f-r"]').get("value") == "done"
    assert the(tree, "//fieldset").get("aria-invalid") == "true"


def test_everything_typed_is_still_there_after_an_error() -> None:
    form = a_form(
        SERIAL, POWER, RESULT, REASON,
        {"type": "datetime", "key": "day", "label": "日期", "subtype": "date"},
        {"type": "checkbox", "key": "ok", "label": "达标"},
        {"type": "checklist", "key": "done", "label": "步骤", "values": OPTIONS},
    )  # fmt: skip
    tree = after_error(
        form,
        {
            "serial": [" abc "],
            "power": ["负二十"],
            "result": ["later"],
            "reason": ["\n下雨\n明天"],
            "day": ["下周"],
            "ok": ["true"],
            "done": ["later"],
        },
    )
    shown = {one.get("name"): one.get("value") for one in tree.xpath('//input[@name!="done"]')}
    assert shown == {"serial": " abc ", "power": "负二十", "day": "下周", "ok": "true"}
    assert the(tree, '//input[@name="power"]').get("type") == "text"  # a number input would show nothing
    assert the(tree, '//input[@name="day"]').get("type") == "text"
    assert the(tree, "//textarea").text.endswith("\n下雨\n明天")
    assert the(tree, "//option[@selected]").get("value") == "later"
    assert [one.get("value") for one in tree.xpath('//input[@name="done" and @checked]')] == ["later"]
    assert the(tree, '//input[@name="ok"]').get("checked") is not None


def test_stored_moments_are_shown_in_local_time() -> None:
    form = a_form({"type": "datetime", "key": "at", "label": "时间", "subtype": "datetime"})
    assert the(page(form, {"at": "2026-11-22T01:30:00Z"}), "//input").get("value") == "2026-11-22T09:30"
    assert the(page(form, {"at": "2026-11-22"}), "//input").get("value") == "2026-11-22"


def test_a_conditional_field_is_visible_and_explained_without_script() -> None:
    form = a_form(RESULT, REASON)
    tree = page(form)
    box = the(tree, '//*[@data-field="reason"]')
    assert json.loads(box.get("data-hide")) == [[{"key": "result", "op": "=", "value": "done"}]]
    assert words(the(tree, '//*[@id="f-reason-when"]')) == "以下情况不用填写：结果为「完成」。"
    assert (
        words(the(page(form, locale="en"), '//*[@id="f-reason-when"]')) == "Not needed when Result is “Done”."
    )
    textarea = the(tree, "//textarea")
    assert textarea.get("required") is None
    assert textarea.get("aria-required") == "true"


def test_longer_conditions_are_explained_in_full() -> None:
    other = {"type": "textfield", "key": "who", "label": "联系人", "properties": {"label_en": "Contact"}}
    hide = {"hide": '=result = "done" and who != "x" or result = "later"'}
    form = a_form(RESULT, other, {"type": "group", "conditional": hide, "components": [SERIAL]})
    note = "//fieldset/*[@data-hide-note]"
    assert (
        words(the(page(form), note))
        == "以下情况不用填写：结果为「完成」 且 联系人不为「x」；或 结果为「改约」。"
    )
    assert words(the(page(form, locale="en"), note)) == (
        "Not needed when Result is “Done” and Contact is not “x”, or Result is “改约”."
    )


def test_read_only_fields_cannot_be_changed() -> None:
    form = a_form({**SERIAL, "readonly": True}, {**RESULT, "disabled": True})
    tree = page(form, {"serial": "ALCL00000000", "result": "done"})
    assert the(tree, '//input[@name="serial"]').get("readonly") is not None
    assert the(tree, '//input[@name="serial"]').get("required") is None
    assert the(tree, '//select[@name="result"]').get("disabled") is not None


def test_markup_in_labels_options_and_values_is_only_text() -> None:
    bad = '"><script>alert(1)</script>'
    form = a_form(
        {"type": "text", "text": bad},
        {"type": "group", "label": bad, "components": [
            {"type": "textfield", "key": "a", "label": bad, "description": bad,
             "properties": {"unit": bad, "pattern_hint_zh": bad}, "validate": {"pattern": "^x$"}},
            {"type": "textarea", "key": "t", "label": bad, "conditional": {"hide": '=a = "</textarea><script>\'"'}},
            {"type": "radio", "key": "r", "label": bad, "values": [{"label": bad, "value": bad}]},
            {"type": "select", "key": "s", "label": bad, "values": [{"label": bad, "value": bad}]},
            {"type": "number", "key": "n", "label": bad},
        ]},
    )  # fmt: skip
    tree = after_error(
        form, {"a": [bad], "t": [bad + "</textarea>" + bad], "r": [bad], "s": [bad], "n": [bad], bad: [bad]}
    )
    assert not tree.xpath("//script")
    assert the(tree, '//input[@name="a"]').get("value") == bad
    assert (
        json.loads(the(tree, '//*[@data-field="t"]').get("data-hide"))[0][0]["value"]
        == "</textarea><script>'"
    )
    assert the(tree, '//input[@name="r"]').get("checked") is not None


def test_a_form_filled_in_as_rendered_passes_the_judge() -> None:
    form = a_form(SERIAL, POWER, RESULT, REASON)
    values = {"serial": "ALCLF0A1B2C3", "power": -21.5, "result": "later", "reason": "下雨"}
    tree = html.fragment_fromstring(f"<form>{source(form, values)}</form>")
    post = Post()
    for name, value in tree.form_values():
        post.setdefault(name, []).append(value)
    assert form.validate_html(post) == values
