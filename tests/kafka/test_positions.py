"""The pipeline's position in a compacted topic: found again, and never guessed (SCENARIOS.md 58)."""

import json
import subprocess

import pytest
from support.capture import run_capture
from support.processes import wait_until
from support.stage import strict_json

REFUSED = 5         # going on would skip changes
UNSUITABLE = 2      # the configuration is wrong


def fill(stage, *keys):
    stage.sql("; ".join(f"INSERT INTO history VALUES ({k}, 1, '')" for k in keys))


def keys(records):
    return [strict_json(r.key)["k"] for r in records]


def stored(stage, pipeline=None):
    """What stands last under the pipeline's key, as lines."""
    key = (pipeline or stage.name).encode()
    values = [r.value for r in stage.broker.read_all(stage.positions) if r.key == key]
    return dict(line.split("=", 1) for line in values[-1].decode().splitlines()[1:]) if values else None


def one_key_sent(stage, capture):
    fill(stage, 1)
    stage.wait_for("history", 1)
    capture.stop()


def ours(stage, capture, *arguments):
    """A command of ours with the instance's configuration."""
    return run_capture(*arguments, env=capture.environment)


def hint(capture):
    return capture.stderr_tail(2).split("hint=")[-1]


def test_a_position_is_stored_before_the_slot_is_confirmed_and_found_again(any_broker, stages):
    stage = stages(any_broker)
    with stage.capture() as capture:
        one_key_sent(stage, capture)
        at = stored(stage)
        assert at["pipeline"] == stage.name and at["slot"] == stage.name
        assert at["resume_at"] == stage.server.slot(stage.name)["confirmed_flush_lsn"]
        fill(stage, 2)
        capture.start()
        assert keys(stage.wait_for("history", 2)) == [1, 2]
        capture.stop()
        assert f"continuing from the stored position  from={at['resume_at']}" in capture.stderr.replace(
            f"pipeline={stage.name} ", "")
    config = any_broker.topic_config(stage.positions)
    assert any_broker.partitions(stage.positions) == 1
    assert (config["cleanup.policy"], config["retention.ms"]) == ("compact", "-1")


def test_58_kill_9_and_a_new_start_go_on_from_the_topic(broker, stages):
    stage = stages(broker)
    with stage.capture() as capture, stage.audience() as audience:
        writer = stage.writer(rate=1000)
        for _ in range(5):
            audience.wait_for_more(500)
            capture.kill()
            capture.start()
        audience.finish(writer, capture)
        capture.stop()
        # More often than it was started, if it had to wait until the killed one's walsender had gone.
        assert capture.stderr.count("continuing from the stored position") >= 5
        assert capture.stderr.count("starting with a new slot") == 1


def test_58_a_first_start_that_is_killed_at_any_moment_is_not_refused_afterwards(broker, stages):
    stage = stages(broker)
    fill(stage, 1)
    with stage.capture(wait=False, start=False) as capture:
        for tenths in range(1, 9):
            capture.start()
            try:
                capture.process.wait(tenths * 0.05)
            except subprocess.TimeoutExpired:
                capture.kill()
        capture.start()
        capture.wait_streaming()
        fill(stage, 2)
        wait_until(lambda: 2 in keys(stage.wait_for("history", 1)), 60, "the key written last")
        capture.stop()
        assert "stopped" not in capture.stderr


def test_58_a_deleted_topic_stops_with_the_way_to_go_on(broker, stages):
    stage = stages(broker)
    with stage.capture() as capture:
        one_key_sent(stage, capture)
        broker.delete_topic(stage.positions)
        for _ in range(2):      # it does not heal by itself
            capture.start()
            assert capture.wait_exit() == REFUSED, capture.stderr_tail()
            assert "the store of positions is missing" in capture.stderr_tail(2)
        assert stage.positions not in broker.topics()
        assert hint(capture).startswith('"pg-capture adopt')
        done = ours(stage, capture, "adopt", "--no-snapshot")
        assert done.returncode == 0 and "rows that are in the tables already are not sent" in done.stdout, done.stderr
        assert broker.topic_config(stage.positions)["cleanup.policy"] == "compact"
        assert stored(stage)["resume_at"] == stage.server.slot(stage.name)["confirmed_flush_lsn"]
        fill(stage, 2)
        capture.start()
        assert keys(stage.wait_for("history", 2)) == [1, 2]
        assert "continuing from the stored position" in capture.stderr
        capture.stop()
        stage.server.wait_free(stage.name)
        again = ours(stage, capture, "adopt")
        assert again.returncode == REFUSED and "stored already" in again.stderr


def test_adopt_makes_the_topic_and_the_next_start_reads_the_rows_that_are_there(broker, stages):
    """A trial on the console has made the slot, as anybody may have."""
    stage = stages(broker, kafka_topics_create="false", source_snapshot_mode="initial")
    fill(stage, 1, 2)
    broker.create_topic(f"{stage.prefix}.public.history")
    stage.sql(f"CREATE PUBLICATION {stage.name}_pub FOR TABLE history")
    stage.sql(f"SELECT pg_create_logical_replication_slot('{stage.name}', 'pgoutput')")
    fill(stage, 3)
    with stage.capture(wait=False) as capture:
        assert capture.wait_exit() == REFUSED
        assert hint(capture).startswith('"pg-capture adopt')
        done = ours(stage, capture, "adopt", "--output", "json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {
            "pipeline": stage.name, "slot": stage.name, "adopted": True, "snapshot": True, "store_made": True,
            "stored_in": f"topic {stage.positions}, key {stage.name}", "at": stored(stage)["resume_at"]}
        assert stored(stage)["snapshot"] == "all"
        capture.start()
        records = stage.wait_for("history", 4)
        assert [(strict_json(r.value)["op"], strict_json(r.value)["after"]["k"]) for r in records] == \
            [("INSERT", 3), ("READ", 1), ("READ", 2), ("READ", 3)]
        capture.stop()


def test_an_empty_value_makes_the_next_start_forget(any_broker, stages):
    stage = stages(any_broker)
    with stage.capture() as capture:
        one_key_sent(stage, capture)
        stage.server.drop_slot(stage.name)
        fill(stage, 2)          # lost to us
        capture.start()
        assert capture.wait_exit() == REFUSED
        assert "pg-capture position reset --yes" in hint(capture)
        any_broker.tool("console-producer", "--topic", stage.positions, "--property",
                        "parse.key=true", "--property", "key.separator=:",
                        input_text=f"{stage.name}:\n")
        capture.start()
        # Not when the slot is read: it is already while it is being made.
        capture.wait_for_log("starting with a new slot", times=2)
        capture.wait_streaming(times=2)
        fill(stage, 3)
        assert keys(stage.wait_for("history", 2)) == [1, 3]
        capture.stop()


def test_a_reset_leaves_nothing_under_the_key_and_the_next_start_begins_anew(any_broker, stages):
    stage = stages(any_broker)
    with stage.capture() as capture:
        one_key_sent(stage, capture)
        stage.server.wait_free(stage.name)
        before = ours(stage, capture, "position", "reset")
        assert before.returncode == UNSUITABLE and "nothing is done without --yes" in before.stderr
        assert stored(stage)
        done = ours(stage, capture, "position", "reset", "--drop-slot", "--yes")
        assert done.returncode == 0, done.stderr
        assert [r.value for r in any_broker.read_all(stage.positions) if r.key == stage.name.encode()][-1] is None
        assert not stage.server.slot(stage.name)
        assert ours(stage, capture, "position", "reset", "--yes").returncode == 1
        capture.start()
        capture.wait_streaming(times=2)
        fill(stage, 2)
        assert keys(stage.wait_for("history", 2)) == [1, 2]
        capture.stop()


def test_unsuitable_topics_are_refused_with_the_command_that_fixes_them(broker, stages):
    stage = stages(broker)
    broker.create_topic(stage.positions, partitions=3, config={"cleanup.policy": "compact"})
    with stage.capture(wait=False) as capture:
        assert capture.wait_exit() == UNSUITABLE, capture.stderr_tail()
        assert "has 3 partitions" in capture.stderr_tail(2)
        assert "pg-capture adopt creates it again" in hint(capture)
        broker.delete_topic(stage.positions)
        broker.create_topic(stage.positions)
        capture.start()
        assert capture.wait_exit() == UNSUITABLE
        assert "cleanup.policy is delete" in capture.stderr_tail(2)
        assert f"--entity-name {stage.positions} --add-config cleanup.policy=compact" in hint(capture)
        broker.set_topic_config(stage.positions, cleanup_policy="compact")
        capture.start()
        capture.wait_streaming()
        assert stage.server.slot(stage.name)
        capture.stop()


def test_pipelines_share_a_topic(broker, stages):
    one = stages(broker)
    two = stages(broker)
    with one.capture() as first, two.capture(state_topic=one.positions) as second:
        fill(one, 1)
        fill(two, 1, 2)
        one.wait_for("history", 1)
        two.wait_for("history", 2)
        first.stop()
        second.stop()
        fill(one, 3)
        fill(two, 4)
        first.start()
        second.start()
        assert keys(one.wait_for("history", 2)) == [1, 3]
        assert keys(two.wait_for("history", 3)) == [1, 2, 4]
        first.stop()
        second.stop()
    assert stored(one)["database"] == one.name
    two.positions = one.positions
    assert stored(two)["database"] == two.name


def test_what_is_not_a_position_is_refused_and_shown_to_nobody(broker, stages):
    stage = stages(broker)
    broker.create_topic(stage.positions, config={"cleanup.policy": "compact"})
    broker.produce(stage.positions, [(stage.name.encode(), b"a secret of somebody else")])
    with stage.capture(wait=False) as capture:
        assert capture.wait_exit() == REFUSED, capture.stderr_tail()
        assert "it is not a position of pg-capture" in capture.stderr_tail(2)
        assert "secret" not in capture.stderr
    assert not stage.server.slot(stage.name)


def test_a_file_is_still_an_option(broker, stages, tmp_path):
    path = tmp_path / "position"
    stage = stages(broker, replication_checkpoint_file=str(path))
    with stage.capture() as capture:
        one_key_sent(stage, capture)
        assert path.read_text().startswith("pg-capture position 1\n")
        assert stage.positions not in broker.topics()
        fill(stage, 2)
        capture.start()
        assert keys(stage.wait_for("history", 2)) == [1, 2]
        capture.stop()


def test_a_broker_that_is_away_at_the_start_is_waited_for(fragile, stages):
    stage = stages(fragile)
    fragile.stop()
    with stage.capture(wait=False) as capture:
        capture.wait_for_log("the stored position can't be read yet")
        capture.stop(20)        # an order to end is heard, whoever is waited for
        said = capture.stderr.count("the stored position can't be read yet")
        capture.start()
        fragile.start()
        capture.wait_streaming()
        fill(stage, 1)
        assert keys(stage.wait_for("history", 1)) == [1]
        capture.stop()
        # That it waits and, when it is known, why; not at each of its attempts.
        assert capture.stderr.count("the stored position can't be read yet") - said <= 2


@pytest.mark.parametrize("operation", ["READ", "WRITE", "DESCRIBE_CONFIGS"])
def test_missing_rights_are_named_with_the_acl_that_gives_them(brokers, stages, operation):
    secure = brokers(secure=True, users={"pgc": "secret"})
    stage = stages(secure, bootstrap=secure.sasl_bootstrap, kafka_security_protocol="SASL_SSL",
                   kafka_security_mechanism="PLAIN", kafka_security_username="pgc",
                   kafka_security_password="secret", kafka_security_ca=ca())
    secure.create_topic(stage.positions, config={"cleanup.policy": "compact"})
    # Reading asks for the end first, which an empty topic has without a READ of records.
    secure.produce(stage.positions, [(b"other", b"x")])
    secure.deny("pgc", operation, stage.positions)
    with stage.capture(wait=False) as capture:
        assert capture.wait_exit() not in (0, None), capture.stderr_tail()
        assert "kafka-acls.sh" in hint(capture), capture.stderr_tail(80)
        assert "--allow-principal User:pgc" in hint(capture)
        secure.allow_again(stage.positions)
        capture.start()
        capture.wait_streaming()
        capture.stop()


def ca():
    from support.servers import certificates
    return str(certificates() / "ca.crt")
