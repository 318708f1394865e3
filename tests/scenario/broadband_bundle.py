"""Stories of the bundle: a line with television and telephone, of which the last two may fail alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from engine.orders.model import Product
from tests.scenario.broadband import BUNDLE, BY_HAND, PARTNERS, story
from tests.scenario.stage import Play, Stage

AT_THE_PARTNERS = {**PARTNERS, **BUNDLE}


@contextmanager
def _no_part_may_fail(stage: Stage) -> Iterator[None]:
    """The bundle is sold as a whole for a while."""
    with stage.store.write() as db:
        product = db.get_one(Product, "HOME-1000")
        usual = list(product.parts)
        product.parts = [{"product": part["product"]} for part in usual]
    yield
    with stage.store.write() as db:
        db.get_one(Product, "HOME-1000").parts = usual


@story("completed", parts=("tv", "voice"))
def a_bundle_is_one_order_one_visit_and_one_rating(stage: Stage) -> Play:
    play = stage.order(**BUNDLE).to("BB_14")
    assert play.outside() == {"accounts": 1, "olt": 3, "numbers": 1}
    return play.do("BB_14")


@story("completed", parts=("voice",))
def the_channels_of_a_line_without_automation_are_given_by_hand(stage: Stage) -> Play:
    return stage.order(**BY_HAND, **BUNDLE).to("BB_14").do("BB_14")


@story("partial", parts=("tv",))
def there_is_no_number_left_and_the_rest_is_delivered(stage: Stage) -> Play:
    with stage.without_numbers():
        play = stage.order(**BUNDLE)
    return play.to("BB_14").do("BB_14")


@story("failed", "R04")
def there_is_no_number_left_and_the_bundle_is_sold_as_a_whole(stage: Stage) -> Play:
    with _no_part_may_fail(stage), stage.without_numbers():
        return stage.order(**BUNDLE)


@story("partial", parts=("voice",))
def the_network_refuses_the_channels(stage: Stage) -> Play:
    play = stage.order(**BUNDLE).to("BB_11")
    stage.simulators.olt.fault("refuse", times=1, operation="olt.multicast.join")
    return play.to("BB_14").do("BB_14")


@story("partial", parts=("tv",))
def the_ims_refuses_the_number(stage: Stage) -> Play:
    play = stage.order(**BUNDLE).to("BB_11")
    stage.simulators.ims.fault("refuse", times=1, operation="voice.subscriber.open")
    return play.to("BB_14").do("BB_14")


@story("failed", "R05")
def the_ims_refuses_the_number_and_the_bundle_is_sold_as_a_whole(stage: Stage) -> Play:
    with _no_part_may_fail(stage):
        play = stage.order(**BUNDLE).to("BB_11")
    stage.simulators.ims.fault("refuse", times=1, operation="voice.subscriber.open")
    return play.do("BB_11").do("BB_U5")


@story("completed", parts=("tv", "voice"))
def the_telephone_is_plugged_in_and_everything_is_activated_again(stage: Stage) -> Play:
    play = stage.order(**BUNDLE).to("BB_11")
    stage.silence(play)
    play.do("BB_11")
    assert play.open() == ["BB_13V"]  # three tries in a row
    stage.silence(play, False)
    return play.do("BB_13V", decision="activate").to("BB_14").do("BB_14")


@story("partial", parts=("tv",))
def a_telephone_that_stays_silent_is_left_out_by_the_supervisor(stage: Stage) -> Play:
    play = stage.order(**BUNDLE).to("BB_11")
    stage.silence(play)
    play.do("BB_11").do("BB_13V", decision="activate", drop_voice=True)
    return play.to("BB_14").do("BB_14")


@story("cancelled")
def a_bundle_that_works_is_cancelled(stage: Stage) -> Play:
    return stage.order(**BUNDLE).to("BB_14").cancel()


@story("completed", network="partner", parts=("voice",))
def a_partner_builds_a_bundle(stage: Stage) -> Play:
    play = stage.order(**AT_THE_PARTNERS).wait(hours=2).do("BB_08S")
    return play.partner("accepted").partner("done").do("BB_08D")


@story("partial", network="partner")
def the_ims_refuses_the_number_of_a_partners_line(stage: Stage) -> Play:
    stage.simulators.ims.fault("refuse", times=1, operation="voice.subscriber.open")
    play = stage.order(**AT_THE_PARTNERS)
    return play.partner("accepted").partner("done").do("BB_08D")
