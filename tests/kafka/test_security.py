"""Every way to be let in, every reason not to be, and secrets that nobody gets to see."""

import subprocess
import urllib.error
import urllib.request

import pytest
from support.capture import run_capture
from support.kafka import CURRENT, OLD
from support.processes import wait_until
from support.servers import PostgresServer, certificates
from support.stage import strict_json
from support.tokens import TokenServer

# Looked for in everything that leaves the program. The words say which one leaked.
PLANTED = {
    "postgres_password": "planted-postgres-pw-7f3a",
    "postgres_ssl_key_password": "planted-ssl-key-pw-81cc",
    "kafka_security_password": "planted-sasl-pw-55d1",
    "kafka_security_key_password": "planted-kafka-key-pw-9e02",
    "kafka_security_oauth_client_secret": "planted-client-secret-c0de",
}
USERS = (("pgc", PLANTED["kafka_security_password"]),)


@pytest.fixture(params=[CURRENT, OLD])
def guarded(request, brokers):
    return brokers(request.param, secure=True, users=USERS)


@pytest.fixture
def guarded_now(brokers):
    return brokers(CURRENT, secure=True, users=USERS)


@pytest.fixture(scope="module")
def tokens():
    with TokenServer({"robot": PLANTED["kafka_security_oauth_client_secret"]}, lifetime_s=15) as server:
        yield server


@pytest.fixture(scope="module")
def encrypted_key(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "client.key"
    subprocess.run(["/usr/bin/openssl", "pkcs8", "-topk8", "-in", str(certificates() / "client.key"), "-out",
                    str(path), "-v2", "aes-256-cbc", "-passout",
                    f"pass:{PLANTED['kafka_security_key_password']}"], check=True)
    return path


def sasl(broker, mechanism, **more):
    return {"bootstrap": broker.sasl_bootstrap, "kafka_security_protocol": "SASL_SSL",
            "kafka_security_mechanism": mechanism, "kafka_security_ca": certificates() / "ca.crt", **more}


def password(broker, mechanism, **more):
    return sasl(broker, mechanism, kafka_security_username="pgc",
                kafka_security_password=PLANTED["kafka_security_password"], **more)


def mutual(broker, **more):
    home = certificates()
    return {"bootstrap": broker.ssl_bootstrap, "kafka_security_protocol": "SSL",
            "kafka_security_ca": home / "ca.crt", "kafka_security_certificate": home / "client.crt",
            "kafka_security_key": home / "client.key", **more}


def oauth(broker, tokens, **more):
    return sasl(broker, "OAUTHBEARER", **{
        "kafka_security_oauth_token_url": tokens.url, "kafka_security_oauth_client_id": "robot",
        "kafka_security_oauth_client_secret": PLANTED["kafka_security_oauth_client_secret"], **more})


def streams(stage, **more):
    stage.sql("CREATE TABLE t (id int PRIMARY KEY)")
    with stage.capture(**more) as capture:
        stage.sql("INSERT INTO t SELECT generate_series(1, 50)")
        records = stage.wait_for("t", 50)
        capture.stop()
    assert [strict_json(r.key)["id"] for r in records] == list(range(1, 51))
    return capture


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_passwords_over_tls(guarded, stages, mechanism):
    streams(stages(guarded, **password(guarded, mechanism)))


def test_mutual_tls(guarded, stages):
    streams(stages(guarded, **mutual(guarded)))


def test_mutual_tls_with_an_encrypted_key(guarded_now, stages, encrypted_key):
    streams(stages(guarded_now, **mutual(
        guarded_now, kafka_security_key=encrypted_key,
        kafka_security_key_password=PLANTED["kafka_security_key_password"])))


def test_tokens_are_fetched_and_renewed(guarded_now, stages, tokens):
    stage = stages(guarded_now, **oauth(guarded_now, tokens))
    before = len(tokens.requests)
    stage.sql("CREATE TABLE t (id int PRIMARY KEY)")
    with stage.capture() as capture:
        stage.sql("INSERT INTO t VALUES (1)")
        stage.wait_for("t", 1)
        first = len(tokens.requests)
        assert first > before
        wait_until(lambda: len(tokens.requests) > first, what="a new token before the old one ends")
        stage.sql("INSERT INTO t VALUES (2)")
        assert len(stage.wait_for("t", 2)) == 2
        capture.stop()
    assert all(granted for _, granted, _ in tokens.requests[before:])


def test_a_rotated_password_is_read_again(guarded_now, stages, tmp_path):
    """The file holds a wrong one at first: the fix needs no restart."""
    secret = tmp_path / "password"
    secret.write_text("not yet")
    stage = stages(guarded_now, **sasl(guarded_now, "SCRAM-SHA-512", kafka_security_username="pgc",
                                       kafka_security_password_file=secret))
    stage.sql("CREATE TABLE t (id int PRIMARY KEY)")
    with stage.capture(wait=False) as capture:
        capture.wait_for_log("kafka.security")
        secret.write_text(PLANTED["kafka_security_password"])
        capture.wait_streaming()
        stage.sql("INSERT INTO t VALUES (1)")
        stage.wait_for("t", 1)
        capture.stop()


def refused(stage, *words):
    """It is reported, with a hint, and nothing is streamed; the process lives on or ends with an error."""
    stage.sql("CREATE TABLE t (id int PRIMARY KEY)")
    with stage.capture(wait=False) as capture:
        stage.sql("INSERT INTO t VALUES (1)")
        try:
            wait_until(lambda: all(w in capture.stderr for w in words), 60, f"{words} in the log")
        except TimeoutError as error:
            raise AssertionError(f"{error}\n{capture.stderr_tail()}") from error
        if capture.running:
            assert capture.stop(code=None) < 10
        else:
            assert capture.wait_exit() != 0
        for secret in PLANTED.values():
            assert secret not in capture.stderr


def test_a_wrong_password_is_reported(guarded, stages):
    refused(stages(guarded, **sasl(guarded, "SCRAM-SHA-256", kafka_security_username="pgc",
                                   kafka_security_password="wrong")), "kafka.security")


def test_an_unknown_user_is_reported(guarded_now, stages):
    refused(stages(guarded_now, **sasl(guarded_now, "PLAIN", kafka_security_username="nobody",
                                       kafka_security_password="x")), "kafka.security")


def test_a_certificate_of_a_foreign_authority_is_reported(guarded_now, stages):
    refused(stages(guarded_now, **mutual(guarded_now, kafka_security_ca=certificates() / "other_ca.crt")),
            "kafka.security.ca")


def test_a_missing_client_certificate_is_reported(guarded_now, stages):
    refused(stages(guarded_now, **mutual(guarded_now, kafka_security_certificate=None, kafka_security_key=None)),
            "alert", "kafka.security.certificate")      # which alert it is, is the broker's choice


def test_a_broker_without_tls_is_reported(guarded_now, stages):
    refused(stages(guarded_now, **mutual(guarded_now) | {"bootstrap": guarded_now.bootstrap}),
            "Kafka can't be reached")


def test_a_refused_token_is_reported(guarded_now, stages, tokens):
    refused(stages(guarded_now, **oauth(guarded_now, tokens, kafka_security_oauth_client_secret="wrong")),
            "kafka.security")


def test_a_wrong_password_for_the_key_is_reported(guarded_now, stages, encrypted_key):
    refused(stages(guarded_now, **mutual(guarded_now, kafka_security_key=encrypted_key,
                                         kafka_security_key_password="wrong")), "kafka.security", "key")


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "OAUTHBEARER", "mutual"])
def test_5_planted_secrets_appear_nowhere(guarded_now, stages, tokens, encrypted_key, tmp_path, mechanism):
    """Everything that leaves the process while it streams, meets errors and ends, at the most
    talkative log level: log, metrics, every page, the process table, `check`, `config show`.
    """
    settings = {"SCRAM-SHA-512": lambda: password(guarded_now, mechanism),
                "OAUTHBEARER": lambda: oauth(guarded_now, tokens),
                "mutual": lambda: mutual(
                    guarded_now, kafka_security_key=encrypted_key,
                    kafka_security_key_password=PLANTED["kafka_security_key_password"])}[mechanism]()
    with PostgresServer("15", auth="scram-sha-256") as server:
        server.psql(f"ALTER ROLE postgres PASSWORD '{PLANTED['postgres_password']}'")
        server.password = PLANTED["postgres_password"]
        stage = stages(guarded_now, server, **settings, logging_level="debug",
                       postgres_ssl_key_password=PLANTED["postgres_ssl_key_password"])
        stage.sql("CREATE TABLE t (id int PRIMARY KEY)")
        seen = {}
        with stage.capture(http=True) as capture:
            assert any(str(v) in PLANTED.values() for k, v in capture.environment.items() if "KAFKA" in k)
            stage.sql("INSERT INTO t VALUES (1)")
            stage.wait_for("t", 1)
            for page in ("metrics", "livez", "readyz", "healthz", "status", "config", "nothing"):
                seen[page] = fetch(f"http://127.0.0.1:{capture.http_port}/{page}")
            seen["ps"] = subprocess.run(["/usr/bin/ps", "-ww", "-o", "args", "-p", str(capture.process.pid)],
                                        stdout=subprocess.PIPE, text=True, check=True).stdout
            server.restart()            # errors and reconnections speak too
            capture.wait_for_log("again")
            stage.sql("INSERT INTO t VALUES (2)")
            stage.wait_for("t", 2)
            capture.stop()
            seen["log"] = capture.stderr
            seen["files"] = "".join(p.read_text(errors="replace") for p in capture.state.rglob("*") if p.is_file())
            for words in (["check"], ["check", "--output", "json"], ["config", "show"], ["config", "validate"]):
                done = run_capture(*words, env=capture.environment)
                seen[" ".join(words)] = done.stdout + done.stderr
        topics = b"".join(r.value or b"" for r in guarded_now.read_all(stage.positions))
        seen["positions"] = topics.decode()
        stage.close()
    assert "debug" in seen["log"].lower() and len(seen["log"]) > 500
    for where, text in seen.items():
        for name, secret in PLANTED.items():
            assert secret not in text, f"{name} is in {where}"
        for token in tokens.tokens:
            assert token not in text and token.split(".")[2] not in text, f"a token is in {where}"


def fetch(url):
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.read().decode()


@pytest.mark.parametrize("name", ["kafka_security_password", "kafka_security_key_password",
                                  "kafka_security_oauth_client_secret"])
def test_5_secrets_in_a_refused_configuration_are_not_shown(name):
    done = run_capture("config", "validate", env={
        "PG_CAPTURE_SINK": "kafka", "KAFKA_BROKERS": "127.0.0.1:1", "PG_DATABASE": "d", "PG_USERNAME": "u",
        "PG_PASSWORD": PLANTED["postgres_password"], f"PG_CAPTURE_{name.upper()}": PLANTED[name],
        "PG_CAPTURE_KAFKA_SECURITY_PROTOCOL": "SASL_SSSL",
        "PG_CAPTURE_KAFKA_PROPERTIES": f"sasl.password={PLANTED[name]},ssl.key.password={PLANTED[name]}"})
    assert done.returncode == 2 and "SASL_SSSL" in done.stderr
    assert not any(secret in done.stdout + done.stderr for secret in PLANTED.values())
