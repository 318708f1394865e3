"""Stories of the visit: material, construction, activation, tests, acceptance."""

from __future__ import annotations

from tests.scenario.broadband import REFUSED, SPEEDS_500, returned, story
from tests.scenario.stage import Play, Stage

# ---- 10 and 11


@story("completed")
def material_is_missing_and_the_appointment_moves(stage: Stage) -> Play:
    play = stage.order().to("BB_10").do("BB_10", only={"material": "none"}).do("BB_07A")
    return play.to("BB_14").do("BB_14")


@story("completed")
def the_device_is_not_in_the_store(stage: Stage) -> Play:
    play = stage.order().to("BB_10")
    right, play.onu = play.onu, "YTGPFFFFFFFF"
    play.do("BB_10")
    play.onu = right
    return play.do("BB_07A").to("BB_14").do("BB_14")


@story("completed")
def the_third_re_appointment_goes_to_the_supervisor(stage: Stage) -> Play:
    play = stage.order().to("BB_11")
    for code in ("A01", "A02", "A05"):
        play.do("BB_11", only={"result": "again", "reappoint_code": code, "reason": "客户要求改期"})
        play.to("BB_07A").do("BB_07A")
    return play.to("BB_14").do("BB_14")


@story("failed", "R05")
def the_line_cannot_be_built(stage: Stage) -> Play:
    return returned(stage, "R05").do("BB_11D").do("BB_U5")


@story("failed", "R06")
def the_property_refuses(stage: Stage) -> Play:
    return returned(stage, "R06").do("BB_11D").do("BB_U5")


@story("failed", "R08")
def the_identity_does_not_match(stage: Stage) -> Play:
    return returned(stage, "R08").do("BB_11D").do("BB_U5", device_state="broken")


@story("failed", "R12")
def another_access_type_is_needed(stage: Stage) -> Play:
    return returned(stage, "R12").do("BB_11D").do("BB_U5")


@story("completed")
def a_return_is_not_approved(stage: Stage) -> Play:
    play = returned(stage, "R05").do("BB_11D", only={"return_check": "refused"})
    return play.to("BB_14").do("BB_14")


@story("failed", "R03")
def the_customer_declines_on_site(stage: Stage) -> Play:
    return returned(stage, "R03").do("BB_11C").do("BB_U5")


@story("completed")
def the_customer_is_talked_round(stage: Stage) -> Play:
    return returned(stage, "R03").do("BB_11C", call_result="reached").to("BB_14").do("BB_14")


@story("completed")
def a_faulty_port_found_on_site_is_replaced(stage: Stage) -> Play:
    play = stage.order().to("BB_11")
    play.do("BB_11", only={"result": "port_faulty", "reason": "端口无光"})
    return play.to("BB_14").do("BB_14")


@story("failed", "R04")
def no_other_port_is_left(stage: Stage) -> Play:
    play = stage.order().to("BB_11")
    with stage.full("OLT-E01"):
        play.do("BB_11", only={"result": "port_faulty", "reason": "端口无光"}).do("BB_U5")
    return play


# ---- 12 and 13


@story("completed")
def the_olt_does_not_see_the_device_at_first(stage: Stage) -> Play:
    play = stage.order().to("BB_11")
    stage.simulators.olt.set_line(onu_serial=play.onu, seen=False)
    play.do("BB_11")
    stage.simulators.olt.set_line(onu_serial=play.onu, seen=True)
    return play.to("BB_14").do("BB_14")


@story("completed")
def the_olt_finds_the_port_faulty(stage: Stage) -> Play:
    play = stage.order().to("BB_11")
    stage.break_port(play)
    return play.do("BB_11").to("BB_14").do("BB_14")


@story("completed")
def the_port_breaks_while_the_crew_is_on_site_again(stage: Stage) -> Play:
    play = stage.order().to("BB_11")
    stage.simulators.olt.set_line(onu_serial=play.onu, rx_power_dbm=-31)
    play.do("BB_11")
    stage.simulators.olt.set_line(onu_serial=play.onu, rx_power_dbm=-20)
    stage.break_port(play)
    return play.do("BB_11").to("BB_14").do("BB_14")


@story("completed")
def a_login_fails_and_the_line_is_activated_again(stage: Stage) -> Play:
    play = stage.order().to("BB_11")
    stage.simulators.aaa.fault("refuse", times=1, operation="aaa.login.test")
    return play.do("BB_11").to("BB_14").do("BB_14")


@story("completed")
def weak_optics_three_times_and_the_supervisor_sends_the_crew_again(stage: Stage) -> Play:
    play = stage.order().to("BB_11")
    stage.simulators.olt.set_line(onu_serial=play.onu, rx_power_dbm=-31)
    play.do("BB_11").do("BB_11").do("BB_11")
    stage.simulators.olt.set_line(onu_serial=play.onu, rx_power_dbm=-20)
    return play.do("BB_13V").to("BB_14").do("BB_14")


@story("completed")
def the_server_grants_less_than_was_sold_and_the_supervisor_has_it_mended(stage: Stage) -> Play:
    play = stage.order(product="BB-300").to("BB_11")
    with stage.slow_plan("BB-300-300M"):
        play.do("BB_11")
    return play.do("BB_13V", decision="activate").to("BB_14").do("BB_14", **SPEEDS_500)


@story("failed", "R05")
def the_supervisor_gives_the_line_up(stage: Stage) -> Play:
    play = stage.order().to("BB_11")
    stage.simulators.olt.set_line(onu_serial=play.onu, rx_power_dbm=-31)
    play.do("BB_11").do("BB_11").do("BB_11")
    return play.do("BB_13V", decision="give_up").do("BB_U5")


# ---- 14


@story("completed")
def the_customer_refuses_twice_and_the_supervisor_steps_in(stage: Stage) -> Play:
    play = stage.order().to("BB_14")
    play.do("BB_14", only=REFUSED).to("BB_14").do("BB_14", only=REFUSED)
    return play.do("BB_14V").to("BB_14").do("BB_14")


@story("completed")
def the_line_is_slower_than_sold(stage: Stage) -> Play:
    play = stage.order().to("BB_14").do("BB_14", speed_1=400, speed_2=410, speed_3=390)
    return play.to("BB_14").do("BB_14")
