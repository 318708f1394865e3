"""Files of resources: what is right is taken once, what is wrong is told by row, whatever the file holds."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from sqlalchemy import func, select

from engine.events import Event
from engine.resources.importing.report import Report
from engine.resources.importing.run import import_file
from engine.resources.importing.table_file import BadFile
from engine.resources.model import Building, Coverage, Demand, Resource
from engine.store import Base, Store
from engine.testing import FakeClock
from tests.machines import V1, Machines, running_machines
from web.cli import main
from web.master_data import load_base, load_demo

CLOCK = FakeClock()
COVERAGE = """area,building,network,technology,node,top_speed_mbps
YT-E,新楼1号,OWN,FTTH,OLT-E01,1000
YT-W,新楼2号,P-CAT,HFC,,500
"""


@pytest.fixture
def demo(store: Store) -> Store:
    with store.write() as db:
        load_demo(db, CLOCK.now())
        load_base(db, CLOCK.now())
    return store


@pytest.fixture
def machines(store: Store, tmp_path: Path) -> Iterator[Machines]:
    with running_machines(store, tmp_path) as found:
        found.add_person("planner", "RS")
        yield found


def take(store: Store, kind: str, content: str | bytes, *, dry_run: bool = False) -> Report:
    data = content.encode() if isinstance(content, str) else content
    return import_file(
        store, kind, io.BytesIO(data), file="f.csv", at=CLOCK.now, actor="planner", dry_run=dry_run
    )


def counts(report: Report) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.unchanged, report.refused


def rows(store: Store) -> dict[str, int]:
    with store.read() as db:
        return {
            t.name: db.scalar(select(func.count()).select_from(t)) or 0 for t in Base.metadata.sorted_tables
        }


def workbook(*lines: Sequence[Any]) -> bytes:
    book, out = Workbook(), io.BytesIO()
    for line in lines:
        book.active.append(line)
    book.save(out)
    return out.getvalue()


def test_the_same_file_twice_changes_nothing(demo: Store) -> None:
    assert counts(take(demo, "coverage", COVERAGE)) == (2, 0, 0, 0)
    before = rows(demo)
    assert counts(take(demo, "coverage", COVERAGE)) == (0, 0, 2, 0)
    assert rows(demo) == before


def test_a_newer_file_changes_what_differs(demo: Store) -> None:
    take(demo, "coverage", COVERAGE)
    assert counts(take(demo, "coverage", COVERAGE.replace("OLT-E01,1000", "OLT-E02,2000"))) == (0, 1, 1, 0)
    with demo.read() as db:
        query = select(Coverage).join(Building, Building.id == Coverage.building_id)
        found = db.scalars(query.where(Building.name == "新楼1号")).one()
        assert (found.node, found.top_speed_mbps) == ("OLT-E02", 2000)


def test_a_dry_run_tells_the_same_and_writes_nothing(demo: Store) -> None:
    before = rows(demo)
    assert counts(take(demo, "coverage", COVERAGE, dry_run=True)) == (2, 0, 0, 0)
    assert rows(demo) == before


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        ("YT-X,新楼3号,OWN,FTTH,OLT-E01,1000", "area", "there is no area YT-X"),
        ("YT-E,,OWN,FTTH,OLT-E01,1000", "building", "must not be empty"),
        ("YT-E,新楼3号,P-NO,FTTH,,1000", "network", "there is no partner P-NO"),
        ("YT-E,新楼3号,OWN,FTTH,,1000", "node", "our own network needs an access node of ours"),
        ("YT-E,新楼3号,P-CAT,HFC,OLT-E01,1000", "node", "a partner's network has no node of ours"),
        ("YT-E,新楼3号,OWN,FTTH,OLT-E01,fast", "top_speed_mbps", "must be a whole number from 1 to 1000000"),
        ("YT-E,新楼3号,OWN,FTTH,OLT-E01,=1+1", "top_speed_mbps", "must be a whole number from 1 to 1000000"),
        (f"YT-E,{'楼' * 301},OWN,FTTH,OLT-E01,1000", "building", "is longer than 300 characters"),
        ("YT-E,新楼\x013号,OWN,FTTH,OLT-E01,1000", "building", "holds characters that cannot be stored"),
    ],
)
def test_a_wrong_row_is_told_with_its_place_and_the_others_are_taken(
    demo: Store, line: str, column: str, reason: str
) -> None:
    report = take(demo, "coverage", f"{COVERAGE}{line}\n")
    assert counts(report) == (2, 0, 0, 1)
    (refusal,) = report.refusals
    assert (refusal.row, refusal.column, refusal.en) == (4, column, reason)
    assert refusal.zh


def test_markup_and_formulas_stay_the_text_that_they_are(demo: Store) -> None:
    odd = '<script>alert(1)</script>"", =HYPERLINK(""x"")'
    take(demo, "coverage", f'area,building,node,top_speed_mbps\nYT-E,"{odd}",OLT-E01,1000\n')
    with demo.read() as db:
        names = set(db.scalars(select(Building.name)))
    assert '<script>alert(1)</script>", =HYPERLINK("x")' in names


def test_a_workbook_is_read_like_a_csv_file_and_its_formulas_are_not_calculated(demo: Store) -> None:
    found = take(
        demo,
        "coverage",
        workbook(
            ["区域", "楼栋", "接入节点", "最高速率"],
            ["YT-E", "表格楼1号", "OLT-E01", 1000],
            ["YT-E", "=1+1", "OLT-E01", 1000.0],
            ["YT-E", "表格楼2号", "OLT-E01", "=500+500"],
        ),
    )
    assert counts(found) == (2, 0, 0, 1)
    assert (found.refusals[0].row, found.refusals[0].column) == (4, "top_speed_mbps")
    with demo.read() as db:
        assert {"表格楼1号", "=1+1"} <= set(db.scalars(select(Building.name)))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_file_may_come_from_any_spreadsheet(demo: Store, encoding: str, delimiter: str) -> None:
    assert take(demo, "coverage", COVERAGE.replace(",", delimiter).encode(encoding)).added == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"area,building\nYT-E,x\n",
        b"PK\x03\x04 not a workbook",
        b"\x00\x01\x02\x03",
        b"area," + b"x" * 200_000,
    ],
)
def test_what_is_no_table_is_refused_as_a_whole(demo: Store, content: bytes) -> None:
    before = rows(demo)
    with pytest.raises(BadFile):
        take(demo, "coverage", content)
    assert rows(demo) == before


def test_a_workbook_that_unpacks_to_gigabytes_is_refused_before_it_is_unpacked(demo: Store) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/x.xml", "w") as entry:
        for _ in range(1100):
            entry.write(b"\0" * 1_000_000)
    with pytest.raises(BadFile, match="unpacks to more"):
        take(demo, "coverage", out.getvalue())


def test_ports_of_running_orders_are_left_alone(demo: Store) -> None:
    with demo.write() as db:
        query = select(Resource).where(Resource.kind == "port", Resource.place == "OLT-E01")
        port = db.scalars(query.where(Resource.name == "1/1/1")).one()
        port.state, port.holder = "in_use", "BB-1"
    file = "node,port,vlan,state\nOLT-E01,1/1/1,1201,free\nOLT-E01,1/1/1,1201,faulty\nOLT-E01,1/1/2,1201,faulty\n"
    report = take(demo, "ports", file + "OLT-E01,9/9/9,99,free\nOLT-X,1/1/1,1,free\n")
    assert counts(report) == (1, 1, 1, 2)
    assert [(r.row, r.en) for r in report.refusals] == [(3, "is held by BB-1"), (6, "there is no node OLT-X")]
    assert counts(take(demo, "ports", file)) == (0, 0, 2, 1)


def test_onus_come_into_stock_and_move_between_stores(demo: Store) -> None:
    assert counts(take(demo, "onus", "serial,store\nABCD12345678,WH-E\n")) == (1, 0, 0, 0)
    assert counts(take(demo, "onus", "serial,store\nABCD12345678,WH-N\nabc,WH-N\n")) == (0, 1, 0, 1)
    with demo.read() as db:
        assert db.scalar(select(Resource.place).where(Resource.name == "ABCD12345678")) == "WH-N"


def test_a_new_network_meets_the_demand_that_waited_for_it(demo: Store) -> None:
    with demo.write() as db:
        wish = Demand(
            area_id="YT-E",
            building="新楼1号",
            building_key="新楼1号",
            speed_mbps=500,
            business_key="BB-7",
            state="open",
            recorded_at=CLOCK.now(),
        )
        db.add(wish)
    take(demo, "coverage", COVERAGE)
    with demo.read() as db:
        assert db.scalar(select(Demand.state)) == "met"
        assert db.scalar(select(Event.business_key).where(Event.kind == "DemandMet")) == "BB-7"


def test_memory_does_not_grow_with_the_file(demo: Store) -> None:
    def peak(count: int) -> int:
        lines = io.BytesIO()
        lines.write(b"serial,store\n")
        for n in range(count):
            lines.write(f"bad{n},WH-E\n".encode())
        lines.seek(0)
        tracemalloc.start()
        import_file(demo, "onus", lines, file="f", at=CLOCK.now, actor="p", dry_run=True)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(20_000) < peak(3_000) * 1.5 + 300_000


# ---- interface and command line


def test_who_keeps_resources_sends_files_and_reads_the_report(machines: Machines) -> None:
    data = (COVERAGE + "YT-X,新楼3号,OWN,FTTH,OLT-E01,1000\n").encode()
    url = f"{V1}/imports/coverage"
    tried = machines.ask("POST", f"{url}?dry_run=true", "planner", data=data, content_type="text/csv")
    assert (tried.status_code, tried.json["added"], tried.json["dry_run"]) == (200, 2, True)
    sent = machines.ask("POST", url, "planner", data={"file": (io.BytesIO(data), "c.csv")})
    assert (sent.json["added"], sent.json["refused"]) == (2, 1)
    assert sent.json["refusals"] == [{"row": 4, "column": "area", "reason": "there is no area YT-X"}]
    chinese = machines.ask(
        "POST", url, "planner", data=data, content_type="text/csv", headers={"Accept-Language": "zh-CN"}
    )
    assert (chinese.json["unchanged"], chinese.json["refusals"][0]["reason"]) == (2, "没有区域 YT-X")


def test_others_send_no_files_and_other_kinds_are_not_there(machines: Machines) -> None:
    data = COVERAGE.encode()
    for who, url, data_, kind, status in (
        ("crew-e1", "coverage", data, "text/csv", 403),
        ("planner", "spaceships", data, "text/csv", 404),
        ("planner", "coverage", data, "application/json", 415),
        ("planner", "coverage", b"\x00", "text/csv", 400),
    ):
        answer = machines.ask("POST", f"{V1}/imports/{url}", who, data=data_, content_type=kind)
        assert answer.status_code == status, answer.text


def test_the_command_prints_a_report_and_its_status_tells_of_refused_rows(
    demo: Store,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("KAITONG_DATABASE_URL", database_url)
    monkeypatch.setenv("KAITONG_DATA_DIR", str(tmp_path))
    file = tmp_path / "c.csv"
    file.write_text(COVERAGE + "YT-X,楼3,OWN,FTTH,OLT-E01,1\n", encoding="utf-8")
    assert main(["import", "coverage", str(file), "--dry-run"]) == 1
    assert (
        "3 rows: 2 added, 0 changed, 0 unchanged, 1 refused (nothing was written)" in capsys.readouterr().out
    )
    assert main(["import", "coverage", str(file), "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out)["refusals"][0]["en"] == "there is no area YT-X"
    file.write_text(COVERAGE, encoding="utf-8")
    assert main(["import", "coverage", str(file)]) == 0
    assert main(["import", "coverage", str(tmp_path / "none.csv")]) == 1


def test_whatever_is_in_stock_is_taken_over_by_kind_place_and_name(demo: Store) -> None:
    rows = "kind,place,name\nvlan,PE-E1,3001\nvlan,PE-N1,3001\nfibre,GL-9,001\nvlan,PE-E1,3001\n"
    assert counts(take(demo, "stock", rows)) == (3, 0, 1, 0)
    assert counts(take(demo, "stock", rows)) == (0, 0, 4, 0)


def test_a_kind_whose_names_we_make_ourselves_is_never_in_stock(demo: Store) -> None:
    report = take(demo, "stock", "kind,place,name\ncircuit,PE-E1,YTC1\nnonsense,X,1\n")
    assert counts(report) == (0, 0, 0, 2)
    assert "no kind that is kept in stock" in report.refusals[0].en
