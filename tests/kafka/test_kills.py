"""pg-capture killed and ended under load; an independent consumer compares topics and history.

    PGC_KILLS=50    how often the long kill loop kills
"""

import os
import random
import time

import pytest

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
    print(f"{killed} kills in {took:.0f} s under {rate:.0f} changes/s: {audience.messages} records, "
          f"none missing, {repeats} of them repeats ({repeats / killed:.0f} a kill)")
    # At worst everything since the last stored position: an interval of 1 s and some slack.
    assert repeats <= killed * 3 * RATE


def test_8_sigterm_under_load_is_quick_and_nothing_comes_twice(broker, stages):
    stage = stages(broker, replication_checkpoint_interval_secs="60")
    with stage.capture() as capture, stage.audience() as audience:
        writer = stage.writer(rate=RATE, batch=50)
        for _ in range(3):
            audience.wait_for_more(1500)
            assert capture.stop() < 5
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
        assert capture.stop(code=None) < 6
        fragile.start()
        capture.start()
        audience.finish(writer, capture)
        capture.stop()


def test_1_a_second_instance_takes_over_without_loss(broker, stages):
    """The first is killed; the one that waits for the slot goes on."""
    stage = stages(broker)
    with stage.capture() as first, stage.audience() as audience:
        writer = stage.writer(rate=RATE, batch=50)
        audience.wait_for_more(1000)
        with stage.capture(wait=False) as second:
            second.wait_for_log("slot", 15)
            first.kill()
            audience.wait_for_more(1000)
            audience.finish(writer, second)
            second.stop()
