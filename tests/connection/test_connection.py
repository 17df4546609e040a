"""Every way to get in, each carrying a change through; and what is said when there is none.

One server has a role for each way (see ROLES); another has no TLS at all.
"""

import shutil
import socket
import time

import pytest
from support.capture import run_capture
from support.processes import free_port
from support.servers import Capture, CutProxy, PostgresServer, certificates

DATABASE = "doors"
PASSWORD = "it's a \\ \"long\" = pass word"
ROLES = {
    "open": "host all open 127.0.0.1/32 trust",
    "tls": "hostssl all tls 127.0.0.1/32 trust",
    "plain": "hostnossl all plain 127.0.0.1/32 trust",
    "scram": "host all scram 127.0.0.1/32 scram-sha-256",
    "md5": "host all md5 127.0.0.1/32 md5",
    "postgres": "hostssl all postgres 127.0.0.1/32 cert",
}


def make(version="15", **options):
    server = PostgresServer(version, hba=["local all all trust", *ROLES.values()], **options)
    quoted = "'" + PASSWORD.replace("'", "''") + "'"
    for role in ROLES:
        if role != "postgres":
            method = role if role == "md5" else "scram-sha-256"
            server.psql(f"SET password_encryption = '{method}';"
                        f"CREATE ROLE {role} LOGIN SUPERUSER REPLICATION PASSWORD {quoted}")
    server.psql(f"CREATE DATABASE {DATABASE}")
    server.psql("CREATE TABLE t (id serial PRIMARY KEY)", db=DATABASE)
    return server


@pytest.fixture(scope="module")
def server():
    with make(tls=True) as server:
        yield server


@pytest.fixture(scope="module")
def without_tls():
    with make() as server:
        yield server


def environment(server, role, **more):
    return server.capture_environment(DATABASE) | {
        "PG_USERNAME": role, "PG_PASSWORD": PASSWORD, "PG_CONNECT_TIMEOUT_SECS": "5"} | more


def tls(mode, authority="ca", **more):
    named = {"PG_CAPTURE_POSTGRES_SSL_ROOT_CERT": str(certificates() / f"{authority}.crt")}
    return {"PG_SSL_MODE": mode} | (named if authority else {}) | more


def client_certificate(key=None):
    return {"PG_CAPTURE_POSTGRES_SSL_CERT": str(certificates() / "client.crt"),
            "PG_CAPTURE_POSTGRES_SSL_KEY": str(key or certificates() / "client.key")}


def carries(server, env, encrypted=None):
    """A change comes through; the stream is encrypted as expected."""
    slot = "s"
    with Capture(env, slot=slot, http=False) as capture:
        try:
            capture.wait_streaming()
            server.psql("INSERT INTO t DEFAULT VALUES", db=DATABASE)
            capture.wait_for(1)
            is_encrypted = server.query(
                "SELECT ssl FROM pg_stat_ssl JOIN pg_replication_slots ON pid = active_pid"
                " WHERE slot_name = %s", slot)[0][0]
            assert encrypted is None or is_encrypted == encrypted
            capture.stop()
            assert PASSWORD not in capture.stderr
        finally:
            capture.kill()
            server.drop_slot(slot)
            server.psql(f"DROP PUBLICATION IF EXISTS {slot}_pub", db=DATABASE)


def refused(env, code, *parts):
    """It ends with this code, says each of these, and shows a hint but no secret."""
    with Capture(env, slot="s", http=False) as capture:
        assert capture.wait_exit() == code, capture.stderr
        for part in parts:
            assert part in capture.stderr, capture.stderr
        assert PASSWORD not in capture.stderr


# -- TLS ---------------------------------------------------------------------------------

@pytest.mark.parametrize("mode, role, encrypted", [
    ("disable", "open", False), ("allow", "open", False), ("allow", "tls", True),
    ("prefer", "open", True), ("prefer", "plain", False), ("require", "tls", True)])
def test_tls_is_used_as_the_mode_says(server, mode, role, encrypted):
    carries(server, environment(server, role, PG_SSL_MODE=mode), encrypted)


def test_prefer_goes_on_in_plain_text_where_there_is_no_tls(without_tls):
    carries(without_tls, environment(without_tls, "open", PG_SSL_MODE="prefer"), False)


@pytest.mark.parametrize("mode, host", [("require", "127.0.0.1"), ("verify-ca", "127.0.0.1"),
                                        ("verify-full", "127.0.0.1"), ("verify-full", "localhost")])
def test_the_right_authority_is_believed(server, mode, host):
    carries(server, environment(server, "tls", PG_HOST=host, **tls(mode)), True)


@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
def test_another_authority_is_not_believed(server, mode):
    refused(environment(server, "tls", **tls(mode, "other_ca")), 3, "certificate verify failed",
            "postgres.ssl_root_cert")


def test_the_machines_authorities_do_not_know_ours(server):
    refused(environment(server, "tls", **tls("verify-full", None)), 3, "certificate verify failed")


@pytest.mark.parametrize("mode, believed", [("verify-ca", True), ("verify-full", False)])
def test_another_host_name_matters_to_verify_full_only(server, mode, believed):
    with CutProxy(server.host, server.port, host="127.0.0.2") as proxy:
        env = environment(server, "tls", PG_HOST=proxy.host, PG_PORT=str(proxy.port), **tls(mode))
        if believed:
            carries(server, env, True)
        else:
            refused(env, 3, "does not match host name", "127.0.0.2")


def test_an_authority_that_is_no_file_is_named(server, tmp_path):
    missing = tmp_path / "nowhere.crt"
    refused(environment(server, "tls", PG_SSL_MODE="verify-full",
                        PG_CAPTURE_POSTGRES_SSL_ROOT_CERT=str(missing)), 2, str(missing))


def test_tls_that_the_server_does_not_have_is_reported(without_tls):
    refused(environment(without_tls, "open", PG_SSL_MODE="require"), 3, "SSL", "ssl = on")


def test_tls_that_the_server_insists_on_is_reported(server):
    refused(environment(server, "tls", PG_SSL_MODE="disable"), 3, "pg_hba.conf", "PG_SSL_MODE")


# -- client certificates -------------------------------------------------------------------

def test_a_client_certificate_is_shown(server):
    carries(server, environment(server, "postgres", **tls("verify-full"), **client_certificate()),
            True)


def test_without_the_client_certificate_nobody_gets_in(server):
    refused(environment(server, "postgres", **tls("verify-full")), 3, "certificate")


def test_a_missing_key_is_named(server, tmp_path):
    key = tmp_path / "nowhere.key"
    refused(environment(server, "postgres", **tls("verify-full"), **client_certificate(key)), 2,
            str(key), "postgres.ssl_key")


def test_a_key_that_others_may_read_is_refused(server, tmp_path):
    key = tmp_path / "loose.key"
    shutil.copy(certificates() / "client.key", key)
    key.chmod(0o644)
    refused(environment(server, "postgres", **tls("verify-full"), **client_certificate(key)), 2,
            str(key), "600")


# -- passwords -----------------------------------------------------------------------------

@pytest.mark.parametrize("role", ["scram", "md5"])
@pytest.mark.parametrize("mode", ["disable", "require"])
def test_passwords_with_and_without_tls(server, role, mode):
    carries(server, environment(server, role, PG_SSL_MODE=mode), mode == "require")


@pytest.mark.parametrize("role", ["scram", "md5"])
def test_a_wrong_password_says_whose(server, role):
    refused(environment(server, role, PG_PASSWORD="wrong-secret"), 3, "password", role, "PG_PASSWORD")


def bound(**more):
    return {"PG_CAPTURE_POSTGRES_CHANNEL_BINDING": "require"} | more


def test_channel_binding_over_tls(server):
    carries(server, environment(server, "scram", **bound(**tls("verify-full"))), True)


def test_channel_binding_without_tls_is_a_contradiction(server):
    refused(environment(server, "scram", **bound(PG_SSL_MODE="disable")), 2,
            "postgres.channel_binding", "TLS")


def test_channel_binding_is_not_given_up_where_the_server_has_no_tls(without_tls):
    refused(environment(without_tls, "scram", **bound(PG_SSL_MODE="prefer")), 3, "channel binding")


def test_channel_binding_is_not_given_up_for_md5(server):
    refused(environment(server, "md5", **bound(PG_SSL_MODE="require")), 3, "channel binding",
            "postgres.channel_binding")


def methods(text):
    return {"PG_CAPTURE_POSTGRES_REQUIRE_AUTH": text}


@pytest.mark.parametrize("wanted", ["scram-sha-256", "md5,scram-sha-256", "!password,!md5"])
def test_the_wanted_method_gets_in(server, wanted):
    carries(server, environment(server, "scram", **methods(wanted)))


@pytest.mark.parametrize("role, wanted", [("md5", "scram-sha-256"), ("open", "scram-sha-256"),
                                          ("md5", "!md5")])
def test_a_method_that_is_not_wanted_does_not(server, role, wanted):
    refused(environment(server, role, **methods(wanted)), 3, "authentication method requirement",
            "postgres.require_auth")


@pytest.mark.parametrize("version", ["10", "18"])
def test_the_oldest_and_the_newest_server_with_scram_over_tls(version):
    with make(version, tls=True) as server:
        carries(server, environment(server, "scram", **tls("verify-full")), True)


# -- places --------------------------------------------------------------------------------

def test_a_unix_socket(server):
    carries(server, environment(server, "open", PG_HOST=str(server.socket_dir)), False)


def test_a_socket_directory_without_a_server_is_named(server, tmp_path):
    with Capture(environment(server, "open", PG_HOST=str(tmp_path)), slot="s", http=False) as capture:
        capture.wait_for_log("trying again")
        assert str(tmp_path) in capture.stderr
        capture.stop()


def places(*ports):
    return ",".join(f"127.0.0.1:{port}" for port in ports)


def test_a_dead_first_host_is_passed_over(server):
    carries(server, environment(server, "open", PG_HOST=places(free_port(), server.port)))


def test_hosts_without_a_port_share_one(server):
    carries(server, environment(server, "open", PG_HOST=f"{server.socket_dir}x,127.0.0.1"))


@pytest.fixture(scope="module")
def pair():
    """A primary and its standby."""
    with make() as primary, primary.standby() as standby:
        yield primary, standby


@pytest.mark.parametrize("wanted", ["read-write", "primary"])
def test_of_several_hosts_the_one_that_is_wanted_is_taken(pair, wanted):
    primary, standby = pair
    carries(primary, environment(primary, "open", PG_HOST=places(standby.port, primary.port),
                                 PG_CAPTURE_POSTGRES_TARGET_SESSION_ATTRS=wanted))


def test_no_host_that_will_do_is_reported_and_tried_again(pair):
    _, standby = pair
    env = environment(standby, "open", PG_HOST=places(standby.port, standby.port),
                      PG_CAPTURE_POSTGRES_TARGET_SESSION_ATTRS="read-write")
    with Capture(env, slot="s", http=False) as capture:
        capture.wait_for_log("target_session_attrs")
        capture.wait_for_log("trying again")
        capture.stop()


class Blackhole:
    """A port that takes connections and says nothing; or, deaf, that does not even take them."""

    def __init__(self, deaf=False):
        self.listener = socket.socket()
        self.port = free_port()
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(0 if deaf else 64)
        self.fillers = []
        while deaf:
            filler = socket.socket()
            filler.settimeout(0.3)
            self.fillers.append(filler)
            try:
                filler.connect(("127.0.0.1", self.port))
            except OSError:
                return

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for end in (self.listener, *self.fillers):
            end.close()


@pytest.mark.parametrize("deaf", [False, True], ids=["silent", "deaf"])
def test_a_connect_that_is_never_answered_ends_at_the_timeout(server, deaf):
    with Blackhole(deaf) as hole:
        env = environment(server, "open", PG_HOST="127.0.0.1", PG_PORT=str(hole.port),
                          PG_CONNECT_TIMEOUT_SECS="1")
        with Capture(env, slot="s", http=False) as capture:
            started = time.monotonic()
            capture.wait_for_log("trying again")
            assert 0.9 < time.monotonic() - started < 15
            assert str(hole.port) in capture.stderr
            capture.stop()          # also while it waits for an answer
        started = time.monotonic()
        assert run_capture("check", env=env).returncode == 1
        assert time.monotonic() - started < 15


def test_a_silent_first_host_does_not_keep_us_from_the_second(server):
    with Blackhole() as hole:
        carries(server, environment(server, "open", PG_HOST=places(hole.port, server.port),
                                    PG_CONNECT_TIMEOUT_SECS="1"))


def test_a_name_nobody_knows_is_reported_and_tried_again(server):
    env = environment(server, "open", PG_HOST="no-such-host.invalid")
    with Capture(env, slot="s", http=False) as capture:
        capture.wait_for_log("no-such-host.invalid")
        assert capture.running
        capture.stop()


# -- libpq's own ways ----------------------------------------------------------------------

FOREIGN = {
    "PGHOST": "/nowhere", "PGHOSTADDR": "127.0.0.9", "PGPORT": "1", "PGDATABASE": "nowhere",
    "PGUSER": "nobody", "PGPASSWORD": "wrong", "PGSERVICE": "missing",
    "PGOPTIONS": "-c statement_timeout=1 -c datestyle=German", "PGSSLMODE": "verify-full",
    "PGSSLROOTCERT": "/nowhere", "PGSSLCERT": "/nowhere", "PGSSLKEY": "/nowhere",
    "PGREQUIREAUTH": "gss", "PGCHANNELBINDING": "require", "PGTARGETSESSIONATTRS": "standby",
    "PGCLIENTENCODING": "LATIN1", "PGTZ": "Asia/Tokyo", "PGDATESTYLE": "German",
    "PGAPPNAME": "foreign", "PGSSLMINPROTOCOLVERSION": "TLSv1.3", "PGGSSENCMODE": "require",
    "PGCONNECT_TIMEOUT": "0", "PGREQUIREPEER": "nobody", "PGLOADBALANCEHOSTS": "random",
}


@pytest.mark.parametrize("host", ["127.0.0.1", "socket"])
def test_libpqs_variables_change_nothing(server, host):
    # Some of them are read, but are weaker than ours.
    env = environment(server, "open", PG_SSL_MODE="disable", **FOREIGN)
    carries(server, env | ({"PG_HOST": str(server.socket_dir)} if host == "socket" else {}), False)


@pytest.fixture
def home(tmp_path, server):
    """A home directory full of files that libpq would look at."""
    (tmp_path / ".postgresql").mkdir()
    shutil.copy(certificates() / "other_ca.crt", tmp_path / ".postgresql/root.crt")
    (tmp_path / ".pg_service.conf").write_text("[s]\nhost=/nowhere\n")
    passwords = tmp_path / ".pgpass"
    escaped = PASSWORD.replace("\\", "\\\\").replace(":", "\\:")
    passwords.write_text(f"*:*:*:*:{escaped}\n")
    passwords.chmod(0o600)
    return {"HOME": str(tmp_path), "PGSERVICEFILE": str(tmp_path / ".pg_service.conf"),
            "PGSERVICE": "s", "PGPASSFILE": str(passwords)}


def test_files_in_the_home_directory_change_nothing(server, home):
    carries(server, environment(server, "tls", PG_SSL_MODE="require", **home), True)


def test_a_password_file_of_libpq_is_not_looked_at(server, home):
    refused(environment(server, "scram", **home) | {"PG_PASSWORD": ""}, 3, "no password supplied",
            "PG_PASSWORD")
