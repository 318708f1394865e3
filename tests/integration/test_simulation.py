"""`kaitong simulate`: a diagram tried out from the command line, with stubs and a clock that jumps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.bpmn_xml import (
    again,
    await_signal,
    catch,
    each,
    end,
    end_error,
    flows,
    on_error,
    on_timer,
    par,
    process,
    repeated,
    script,
    service,
    start,
    throws,
    timer,
    user,
    xor,
)
from web.cli import main


class Desk:
    """A designer's folder and the command."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        self.status = 0

    def simulate(self, file: bytes, *options: str, answers: Any = None) -> dict[str, Any]:
        (self.folder / "d.bpmn").write_bytes(file)
        if answers is not None:
            (self.folder / "answers.json").write_text(json.dumps(answers), encoding="utf-8")
            options = (*options, "--answers", str(self.folder / "answers.json"))
        self.status = main(["simulate", str(self.folder / "d.bpmn"), *options, "--format", "json"])
        out = self.capsys.readouterr().out
        found: dict[str, Any] = json.loads(out) if out else {}
        return found


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


def _done(found: dict[str, Any], event: str = "completed") -> list[str]:
    return [t["element"] for t in found["trace"] if t["event"] == event]


def test_people_services_and_time_are_stood_in_for(desk: Desk) -> None:
    file = process(
        start(),
        user("u"),
        service("v", "output y = result.a"),
        timer("t", "PT48H"),
        script("c", "x = x + 1"),
        end(),
        flows("s u v t c e"),
    )
    found = desk.simulate(file, "--input", '{"x": 1}')
    assert (desk.status, found["outcome"], found["error"], found["problems"]) == (0, "completed", None, [])
    assert _done(found) == ["s", "u", "v", "t", "c", "e"]
    assert found["instances"] == [
        {"id": 1, "process": "p", "state": "completed", "variables": {"x": 2, "y": None}}
    ]
    began, ended = (t["at"] for t in found["trace"] if t["element"] in "se" and t["event"] == "completed")
    assert (began[:10], ended[:10]) == ("2026-11-22", "2026-11-24")


def test_answers_decide_the_way_by_visit(desk: Desk) -> None:
    file = process(
        start(),
        user("u"),
        xor("g", "g_u"),
        service("v"),
        on_error("b", "v", "E1"),
        end("e", "x"),
        flows("s u g u", "g v e if ok", "b x"),
    )
    answers = {
        "u": [{"values": {"ok": False}}, {"values": {"ok": True}, "after": "PT2H"}],
        "v": {"error": "E1"},
    }
    found = desk.simulate(file, answers=answers)
    assert (found["outcome"], _done(found)) == ("completed", ["s", "u", "g", "u", "g", "b", "x"])
    assert _done(found, "thrown") == ["v"]
    assert found["trace"][-1]["at"][11:16] == "03:12"


def test_somebody_who_never_answers_lets_timers_run_out(desk: Desk) -> None:
    file = process(
        start(), user("u"), on_timer("late", "u", "PT48H"), end("e", "x"), flows("s u e", "late x")
    )
    assert _done(desk.simulate(file, answers={"u": {"never": True}}))[-1] == "x"


def test_what_does_not_come_in_time_leaves_it_waiting(desk: Desk) -> None:
    file = process(start(), timer("t", "PT48H"), end(), flows("s t e"))
    found = desk.simulate(file, "--until", "PT47H")
    assert (desk.status, found["outcome"], found["instances"][0]["state"]) == (0, "waiting", "active")
    assert desk.simulate(file, "--until", "PT48H")["outcome"] == "completed"


@pytest.mark.parametrize(
    ("body", "code", "element"),
    [
        ((start(), end_error("x", "E1"), flows("s x")), "E1", "x"),
        ((start(), script("c", "y = 1 / 0"), end(), flows("s c e")), "expression.value", "c"),
        (
            (start(), xor("g"), end("a", "b"), flows("s g", "g a if x == 1", "g b if x == 2")),
            "step.failed",
            "g",
        ),
        ((start(), script("c", "while True: pass"), end(), flows("s c e")), "expression.limit", "c"),
    ],
)
def test_what_nobody_can_go_on_from_is_a_failure(
    desk: Desk, body: tuple[str, ...], code: str, element: str
) -> None:
    found = desk.simulate(process(*body), "--input", '{"x": 9}')
    assert (desk.status, found["outcome"]) == (1, "failed")
    assert (found["error"]["code"], found["error"]["element"]) == (code, element)


def test_a_loop_without_end_is_a_failure_and_ends_soon(desk: Desk) -> None:
    file = process(start(), xor("m"), script("c", "n = n + 1"), flows("s m c m"))
    found = desk.simulate(file, "--input", '{"n": 0}')
    assert (found["outcome"], found["error"]["code"]) == ("failed", "simulation.steps")


def test_a_join_that_cannot_be_reached_leaves_it_waiting_and_says_why(desk: Desk) -> None:
    file = process(
        start(),
        xor("g", "g_b"),
        script("a", "x = 1"),
        script("b", "x = 2"),
        par("j"),
        end(),
        flows("s g", "g a if False", "g b", "a j", "b j e"),
    )
    found = desk.simulate(file)
    assert (found["outcome"], found["error"]["code"], found["error"]["element"]) == (
        "waiting",
        "instance.stuck",
        "j",
    )


def test_a_refused_diagram_gives_the_problems_of_lint(desk: Desk) -> None:
    found = desk.simulate(process(start(), script("c", "__import__('os')"), end(), flows("s c e")))
    assert (desk.status, found["outcome"], found["trace"]) == (1, "refused", [])
    assert ("CODE", "c", 3) in [(p["code"], p["element"], p["line"]) for p in found["problems"]]


def test_messages_and_signals_reach_the_other_processes_of_the_file(desk: Desk) -> None:
    main_process = (
        start(),
        throws("t", "message", "go", "input answer = 42"),
        throws("u", "signal", "alarm"),
        end(),
        flows("s t u e"),
    )
    other = start("qs"), catch("m", "go"), await_signal("w", "alarm"), end("qe"), flows("qs m w qe")
    more = f'<process id="q" isExecutable="true">{"".join(other)}</process></definitions>'
    file = process(*main_process).decode().replace("</definitions>", more).encode()
    found = desk.simulate(file, "--process", "p", "--also-start", "q")
    states = {i["process"]: (i["state"], i["variables"]) for i in found["instances"]}
    assert states["q"][1] == {"answer": 42}
    assert found["outcome"] == "completed"


def test_instances_of_a_loop_show_as_completed(desk: Desk) -> None:
    file = process(
        start(),
        repeated(user("u"), each(often="3")),
        repeated(script("c", "n = n + 1"), again("n < 2")),
        end(),
        flows("s u c e"),
    )
    assert _done(desk.simulate(file, "--input", '{"n": 0}')) == ["s", "u", "u", "u", "u", "c", "c", "c", "e"]


@pytest.mark.parametrize(
    ("options", "answers", "said"),
    [
        (("--process", "nobody"), None, "[not_found]"),
        (("--input", "{"), None, "[simulation.option]"),
        (("--input", "[]"), None, "[simulation.option]"),
        (("--until", "soon"), None, "[simulation.option]"),
        ((), {"u": {"value": {}}}, "[simulation.answers]"),
        ((), {"u": {"after": "later"}}, "[simulation.answers]"),
        ((), [], "[simulation.answers]"),
    ],
)
def test_a_wrong_wish_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], answers: Any, said: str
) -> None:
    (tmp_path / "d.bpmn").write_bytes(process(start(), user("u"), end(), flows("s u e")))
    (tmp_path / "a.json").write_text(json.dumps(answers), encoding="utf-8")
    given = ["--answers", str(tmp_path / "a.json")] if answers is not None else []
    assert main(["simulate", str(tmp_path / "d.bpmn"), *options, *given]) == 1
    shown = capsys.readouterr()
    assert said in shown.err
    assert len(shown.err.strip().splitlines()) == 1


def test_the_text_tells_each_step_and_the_outcome(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "d.bpmn").write_bytes(process(start(), user("u"), end(), flows("s u e")))
    assert main(["simulate", str(tmp_path / "d.bpmn")]) == 0
    lines = capsys.readouterr().out.strip().splitlines()
    assert lines[-1] == "completed"
    assert lines[0].split()[1:] == ["1", "entered", "s"]
