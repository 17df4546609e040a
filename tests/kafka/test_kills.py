"""pg-capture killed and ended under load; an independent consumer compares topics and history.

    PGC_KILLS=50    how often the long kill loop kills
"""

import os
import random
import time

import pytest
from support.figures import figure

KILLS = int(os.environ.get("PGC_KILLS", "50"))
RATE = 5000


@pytest.mark.parametrize("kills", [8, pytest.param(KILLS, marks=pytest.mark.nightly, id="long")])
def test_1_kill_9_at_random_moments_loses_nothing(broker, stages, kills):
    chance = random.Random(kills)
    stage = stages(broker, kafka_topics_partitions="4")
    with stage.capture() as capture, stage.audience() as audience:
        writer = stage.writer(rate=RATE, batch=50)
        audience.wait_for_more(1000)
        began, killed = time.monotonic(), 0
        while killed < kills:
            # From the first moments of a start to some checkpoints later.
            time.sleep(chance.choice([chance.uniform(0.02, 0.4), chance.uniform(0.4, 2.0)]))
            capture.kill()
            killed += 1
            capture.start()
        took = time.monotonic() - began
        repeats = audience.finish(writer, capture)
        capture.stop()
        rate = sum(writer.versions.values()) / took
    figure("kill -9", f"{killed} kills in {took:.0f} s under {rate:.0f} changes/s: {audience.messages} records, "
           f"none missing, {repeats} of them repeats ({repeats / killed:.0f} a kill)")
    # At worst everything since the last stored position: a second's worth and some slack.
    assert repeats <= killed * 3 * RATE


@pytest.mark.parametrize("kills", [6, pytest.param(60, marks=pytest.mark.nightly, id="long")])
def test_2_killed_every_two_seconds_it_gets_on_and_repeats_little(broker, stages, kills):
    """Far more often than the slot is confirmed: what is stored in between has to carry it."""
    stage = stages(broker, kafka_topics_partitions="4", replication_checkpoint_interval_secs="10")
    with stage.capture() as capture, stage.audience() as audience:
        writer = stage.writer(rate=RATE, batch=50)
        began, repeated, seen = time.monotonic(), [], 0

        def fresh():
            return audience.messages - audience.repeats

        for _ in range(kills):
            started, before = time.monotonic(), fresh()
            audience.follower.wait_for(lambda: fresh() > before + 500, 60)  # noqa: B023
            time.sleep(max(0.0, started + 2 - time.monotonic()))
            capture.kill()
            repeated.append(audience.repeats - seen)    # since the kill before
            seen = audience.repeats
            capture.start()
        took = time.monotonic() - began
        audience.finish(writer, capture)
        capture.stop()
        repeated.append(audience.repeats - seen)
        rate = sum(writer.versions.values()) / took
    figure("kill -9, one each two seconds",
           f"{kills} kills in {took:.0f} s under {rate:.0f} changes/s: {audience.messages} records, none "
           f"missing, {audience.repeats} repeats, at most {max(repeated)} after one kill, "
           f"{sum(repeated) / kills:.0f} as a rule")
    assert max(repeated) <= 20_000


def test_8_sigterm_under_load_is_quick_and_nothing_comes_twice(broker, stages):
    stage = stages(broker, replication_checkpoint_interval_secs="60")
    with stage.capture() as capture, stage.audience() as audience:
        writer = stage.writer(rate=RATE, batch=50)
        for _ in range(3):
            audience.wait_for_more(1500)
            assert capture.stop() < 10     # 5 s by our own clock: pipeline_test.cc
            capture.start()
        assert audience.finish(writer, capture) == 0, "a clean end repeats nothing"
        capture.stop()


def test_8_sigterm_ends_it_while_the_broker_is_away(fragile, stages):
    stage = stages(fragile)
    with stage.capture() as capture, stage.audience() as audience:
        writer = stage.writer(rate=RATE, batch=50)
        audience.wait_for_more(1000)
        fragile.crash()
        time.sleep(1)
        assert capture.stop(code=None) < 10, "it gives up on what can't be delivered after 4 s"
        fragile.start()
        capture.start()
        audience.finish(writer, capture)
        capture.stop()


def test_1_a_second_instance_takes_over_without_loss(broker, two_instances):
    """The first is killed; the one that waits for the slot goes on."""
    two = two_instances(broker)
    two.first.kill()
    two.audience.wait_for_more(1000)
    two.audience.finish(two.writer, two.second)
    two.second.stop()
