"""The test servers themselves: every other suite stands on them."""

import os
import shutil
import signal
import socket
import subprocess
import sys

import psycopg
import pytest

from support.processes import ROOT, wait_until
from support.servers import VERSIONS, CutProxy, PostgresServer, certificates


@pytest.mark.parametrize("version", VERSIONS + ["15-debian"])
def test_every_version_starts_and_decodes(version):
    with PostgresServer(version) as server:
        assert server.psql("SHOW server_version_num").startswith(version.split("-")[0])
        assert server.psql("SHOW wal_level") == "logical\n"
        server.psql("SELECT pg_create_logical_replication_slot('s', 'test_decoding')")
        server.psql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
        assert "INSERT" in server.psql("SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL)")


def test_a_crashed_server_comes_back_with_its_data():
    with PostgresServer("15") as server:
        server.psql("CREATE TABLE t AS SELECT 1 AS id")
        server.crash()
        assert not server.accepts_connections()
        server.start()
        assert server.psql("SELECT id FROM t") == "1\n"


def test_passwords_and_tls():
    with PostgresServer("15", auth="scram-sha-256", tls="required") as server:
        ca = certificates() / "ca.crt"
        dsn = f"host=localhost hostaddr=127.0.0.1 port={server.port} user=postgres dbname=postgres"
        with psycopg.connect(f"{dsn} password=secret sslmode=verify-full sslrootcert={ca}"):
            pass
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(f"{dsn} password=wrong sslmode=verify-full sslrootcert={ca}")
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(f"{dsn} password=secret sslmode=disable")


def test_client_certificates():
    with PostgresServer("15", auth="cert", tls=True) as server:
        home = certificates()
        dsn = (f"host=127.0.0.1 port={server.port} user=postgres dbname=postgres"
               f" sslmode=verify-ca sslrootcert={home}/ca.crt")
        with psycopg.connect(f"{dsn} sslcert={home}/client.crt sslkey={home}/client.key"):
            pass
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(dsn)


def test_fresh_servers_have_their_own_identity():
    sql = "SELECT system_identifier FROM pg_control_system()"
    with PostgresServer("15", fresh=True) as one, PostgresServer("15") as two:
        assert one.psql(sql) != two.psql(sql)


def test_the_proxy_freezes_resumes_and_cuts():
    with PostgresServer("15") as server, CutProxy(server.host, server.port) as proxy:
        dsn = f"host={proxy.host} port={proxy.port} user=postgres dbname=postgres"
        connection = psycopg.connect(dsn, autocommit=True)
        assert connection.execute("SELECT 1").fetchone() == (1,)

        raw = socket.create_connection((proxy.host, proxy.port))
        proxy.freeze()
        raw.sendall(b"\0\0\0\x08\x04\xd2\x16\x2f")  # SSLRequest
        raw.settimeout(0.3)
        with pytest.raises(socket.timeout):
            raw.recv(1)
        proxy.resume()
        raw.settimeout(60.0)
        assert raw.recv(1) == b"N"
        raw.close()

        proxy.cut()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        proxy.refuse()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(dsn)
        proxy.accept()
        with psycopg.connect(dsn):
            pass


def test_nothing_outlives_a_killed_test_run():
    script = ("import sys; sys.path.insert(0, 'tests')\n"
              "from support.servers import PostgresServer\n"
              "import time\n"
              "s = PostgresServer('15')\n"
              "print(s.pid, s.socket_dir, s.directory, flush=True); time.sleep(60)\n")
    run = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE,
                           text=True)
    pid, *directories = run.stdout.readline().split()
    server = int(pid)
    os.kill(server, 0)
    run.send_signal(signal.SIGKILL)
    run.wait()

    def gone():
        try:
            os.kill(server, 0)
        except ProcessLookupError:
            return True
        return False

    wait_until(gone, what="the server to end")
    for directory in directories:
        shutil.rmtree(directory)
