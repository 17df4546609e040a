"""The test brokers themselves: the suites of the Kafka sink stand on them."""

import os
import pathlib
import signal
import socket
import subprocess
import sys

import pytest
from support.kafka import CURRENT, VERSIONS, KafkaBroker
from support.kafka_client import Follower, confluent_kafka, kafka_admin
from support.processes import ROOT, wait_until
from support.servers import certificates
from support.tokens import TokenServer


@pytest.mark.parametrize("version", VERSIONS)
def test_a_broker_starts_takes_and_gives_records(version):
    with KafkaBroker(version) as broker:
        broker.create_topic("t", partitions=3, config={"max.message.bytes": "5000"})
        assert broker.topic_config("t")["max.message.bytes"] == "5000"
        broker.produce("t", [(b"%d" % i, b"value %d" % i) for i in range(50)])
        records = broker.read_all("t")
        assert sorted(r.value for r in records) == sorted(b"value %d" % i for i in range(50))
        assert len({r.partition for r in records}) == 3
        broker.console_producer("t", ["k:by hand"], "parse.key=true", "key.separator=:")
        assert "k\tby hand" in broker.console_consumer("t", 51, "print.key=true")
        broker.delete_topic("t")
        assert broker.topics() == []


@pytest.mark.parametrize("version", VERSIONS)
def test_a_killed_broker_comes_back_with_its_records(version):
    with KafkaBroker(version) as broker:
        broker.create_topic("t")
        with Follower(broker.bootstrap, "t") as follower:
            broker.produce("t", [(b"k", b"before")])
            follower.wait_for(1)
            broker.crash()
            with socket.socket() as probe:
                assert probe.connect_ex(("127.0.0.1", broker.ports["PLAINTEXT"])) != 0
            broker.start()
            broker.produce("t", [(b"k", b"after")])
            assert [r.value for r in follower.wait_for(2)] == [b"before", b"after"]


def client(bootstrap, **config):
    return {"bootstrap.servers": bootstrap, "log_level": 0, "socket.timeout.ms": 3000,
            "ssl.ca.location": str(certificates() / "ca.crt"), **config}


def answers(config):
    """Whether the broker lets this client in; the first error it hears of is a no."""
    errors = []
    admin = kafka_admin.AdminClient(config | {"error_cb": errors.append})

    def answered():
        admin.poll(0)       # hands over the errors
        try:
            return bool(admin.list_topics(timeout=0.5).brokers)
        except confluent_kafka.KafkaException:
            return False

    return wait_until(lambda: "yes" if answered() else "no" if errors else None) == "yes"


def test_every_way_to_log_in():
    with TokenServer({"robot": "token secret"}) as tokens, \
            KafkaBroker(secure=True, users={"pgc": "broker secret"}) as broker:
        for mechanism in ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"):
            config = client(broker.sasl_bootstrap, **{
                "security.protocol": "SASL_SSL", "sasl.mechanism": mechanism, "sasl.username": "pgc"})
            assert answers(config | {"sasl.password": "broker secret"}), mechanism
            assert not answers(config | {"sasl.password": "wrong"}), mechanism
        config = client(broker.sasl_bootstrap, **{
            "security.protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER",
            "sasl.oauthbearer.method": "oidc", "sasl.oauthbearer.client.id": "robot",
            "sasl.oauthbearer.token.endpoint.url": tokens.url})
        assert answers(config | {"sasl.oauthbearer.client.secret": "token secret"})
        assert not answers(config | {"sasl.oauthbearer.client.secret": "wrong"})
        home = certificates()
        config = client(broker.ssl_bootstrap, **{"security.protocol": "SSL"})
        assert answers(config | {"ssl.certificate.location": str(home / "client.crt"),
                                 "ssl.key.location": str(home / "client.key")})
        assert not answers(config)


def test_rights_are_taken_and_given():
    with KafkaBroker(secure=True, users={"pgc": "secret"}) as broker:
        broker.create_topic("t")
        login = client(broker.sasl_bootstrap, **{
            "security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "sasl.username": "pgc",
            "sasl.password": "secret"})
        broker.deny("pgc", "WRITE", "t")
        with pytest.raises(AssertionError, match="TOPIC_AUTHORIZATION_FAILED"):
            broker.produce("t", [(b"k", b"v")], **login)
        broker.allow_again("t")
        broker.produce("t", [(b"k", b"v")], **login)


def test_two_brokers_make_a_cluster():
    with KafkaBroker() as one, KafkaBroker(controller=one, node=2) as two:
        one.create_topic("t", replicas=2)
        leader = {1: one, 2: two}[one.leaders("t")[0]]
        other = two if leader is one else one
        if leader is two:
            leader.stop()
            wait_until(lambda: other.leaders("t")[0] == other.node, what="the other leader")
            leader.start()
        other.produce("t", [(b"k", b"v")])
        assert len(other.read_all("t")) == 1


def test_a_listener_behind_a_proxy():
    with KafkaBroker(proxied=True) as broker:
        broker.create_topic("t")
        broker.produce("t", [(b"k", b"v")], **{"bootstrap.servers": broker.proxied_bootstrap})
        assert broker.proxy.bytes["to_server"] > 0
        broker.proxy.refuse()
        broker.proxy.cut()
        assert not answers({"bootstrap.servers": broker.proxied_bootstrap, "log_level": 0})


def test_no_broker_outlives_a_killed_test_run():
    script = ("import sys; sys.path.insert(0, 'tests')\n"
              "from support.kafka import KafkaBroker\n"
              "import time\n"
              "b = KafkaBroker()\n"
              "print(b.pid, b.directory, flush=True); time.sleep(60)\n")
    run = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    pid, directory = run.stdout.readline().split()
    os.kill(int(pid), 0)
    run.send_signal(signal.SIGKILL)
    run.wait()
    wait_until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), what="the broker to end")
    subprocess.run(["/bin/rm", "-r", directory], check=True)
    assert CURRENT in directory
