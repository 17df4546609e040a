"""Real PostgreSQL servers for the tests: private, on loopback, gone afterwards.

    with PostgresServer("17") as server:
        server.psql("CREATE TABLE t (id int PRIMARY KEY)")
        with server.connect() as connection: …

Versions "10" to "18" come from tools/postgres_servers.sh, "15-debian" is Debian's own
package. As root, the server runs as `nobody`, because postgres refuses root. Directories
are copied from a template per version, so servers of one version share their system
identifier unless `fresh=True`.
"""

import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess

import psycopg

from support.capture import Capture  # noqa: F401  (one import for the suites)
from support.cut_proxy import CutProxy  # noqa: F401
from support.processes import (
    PATIENCE, ROOT, RUN, SERVER_USER, as_server_user, exclusive, free_port, remove_directory, run_directory,
    server_base, short_directory, spawn, wait_until,
)

VERSIONS = ["10", "11", "12", "13", "14", "15", "16", "17", "18"]
CLIENT_BIN = pathlib.Path("/usr/lib/postgresql/15/bin")

_SETTINGS = {
    "wal_level": "logical",
    "max_connections": "120",
    "max_wal_senders": "50",
    "max_replication_slots": "50",
    "max_prepared_transactions": "20",
    "shared_buffers": "32MB",
    "dynamic_shared_memory_type": "mmap",   # many servers in what may be a small /dev/shm
    "fsync": "off",
    "full_page_writes": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%a ",
    "logging_collector": "off",
}

_AS_ROOT = os.geteuid() == 0


def _clean_environment():
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_"))}
    env["LC_ALL"] = "C.UTF-8"
    return env


def own(path):
    """Gives a directory tree to the user the server runs as."""
    if not _AS_ROOT:
        return
    user = pwd.getpwnam(SERVER_USER)
    os.chown(path, user.pw_uid, user.pw_gid)
    for parent, directories, files in os.walk(path):
        for name in directories + files:
            os.lchown(os.path.join(parent, name), user.pw_uid, user.pw_gid)


def _bin_directory(version):
    """Where initdb and postgres are, in a place the server's user can read."""
    if version == "15-debian":
        return CLIENT_BIN
    installed = ROOT / ".deps" / "postgres" / version
    if not (installed / "bin" / "postgres").exists():
        raise FileNotFoundError(f"no PostgreSQL {version}: run tools/postgres_servers.sh")
    if server_base() == RUN:
        return installed / "bin"
    copy = server_base() / "postgres" / version
    with exclusive(server_base() / "postgres" / f"{version}.lock"):
        if not copy.exists():
            making = copy.with_suffix(".new")
            subprocess.run(["/bin/cp", "-r", "--reflink=auto", str(installed), str(making)],
                           check=True)
            making.rename(copy)
    return copy / "bin"


def _initdb(version, data, encoding="UTF8", locale="C"):
    command = as_server_user() + [
        str(_bin_directory(version) / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust",
        "-E", encoding, f"--locale={locale}", "--no-sync"]
    done = subprocess.run(command, env=_clean_environment(), cwd=data, text=True, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise RuntimeError(f"initdb {version} failed:\n{done.stdout}")


def _template(version):
    """The directory that servers of this version are copied from, made once a clone."""
    key = version
    if version == "15-debian":  # an upgrade of the package makes a new template
        key += "-" + subprocess.check_output([str(CLIENT_BIN / "postgres"), "--version"],
                                             text=True).split()[2]
    template = server_base() / "templates" / key
    with exclusive(server_base() / "templates" / f"{key}.lock"):
        if not template.exists():
            making = template.with_suffix(".new")
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir(parents=True, mode=0o700)
            own(making)
            _initdb(version, making)
            making.rename(template)
    return template


def certificates():
    """A private authority with a server and a client certificate, made once a clone.

    Returns the directory: ca.crt, server.crt, server.key (localhost, 127.0.0.1),
    client.crt, client.key (CN=postgres), other_ca.crt (signed nothing).
    """
    target = RUN / "certificates"
    with exclusive(RUN / "certificates.lock"):
        if target.exists():
            return target
        making = RUN / "certificates.new"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)

        def openssl(*args):
            subprocess.run(["/usr/bin/openssl", *args], cwd=making, check=True,
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)

        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        for name in ("ca", "other_ca"):
            openssl("req", "-x509", *key, "-days", "3650", "-subj", f"/CN=pg-capture test {name}",
                    "-keyout", f"{name}.key", "-out", f"{name}.crt")
        (making / "server.ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        (making / "client.ext").write_text("extendedKeyUsage=clientAuth\n")
        for name, subject in (("server", "/CN=localhost"), ("client", "/CN=postgres")):
            openssl("req", *key, "-subj", subject, "-keyout", f"{name}.key", "-out", f"{name}.csr")
            openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
                    "-CAcreateserial", "-days", "3650", "-extfile", f"{name}.ext",
                    "-out", f"{name}.crt")
            (making / f"{name}.key").chmod(0o600)
        making.rename(target)
    return target


class PostgresServer:
    """One server. Starts in the constructor unless `start=False`.

    auth      method for TCP: trust, scram-sha-256, md5, cert. The superuser's password is
              "secret" (it counts only where the method asks for one).
    tls       True: TLS is on, with certificates(); with tls="required" plain TCP is refused
    hba       lines of pg_hba.conf that replace ours
    settings  postgresql.conf, over ours
    fresh     runs initdb instead of copying the template: an own system identifier
    data_of   another server, stopped: its data is copied, slots and settings too
    """

    PASSWORD = "secret"

    def __init__(self, version="15", *, auth="trust", tls=False, hba=None, settings=None,
                 fresh=False, encoding="UTF8", data_of=None, start=True):
        self.version = str(version)
        self.major = int(self.version.split("-")[0])
        self.host = "127.0.0.1"
        self.port = free_port()
        self.user = "postgres"
        self.password = self.PASSWORD
        self.directory = run_directory(f"pg{self.version}", server_base())
        self.data = self.directory / "data"
        self.log = self.directory / "postgres.log"
        self.socket_dir = short_directory()
        self._process = None
        self._bin = _bin_directory(self.version)
        try:
            if data_of:
                self._copy_data(data_of)
            else:
                self._make_data(fresh or encoding != "UTF8", encoding)
            self._configure(auth, tls, hba, dict(_SETTINGS, **(settings or {})))
            self._needs_password = data_of is None
            if start:
                self.start()
        except BaseException:
            self.close()
            raise

    # -- set-up -----------------------------------------------------------------------

    def _make_data(self, fresh, encoding):
        self.directory.chmod(0o755)
        self.data.mkdir(mode=0o700)
        own(self.directory)
        own(self.socket_dir)
        if fresh:
            _initdb(self.version, self.data, encoding)
            return
        subprocess.run(["/bin/cp", "-a", "--reflink=auto", f"{_template(self.version)}/.",
                        str(self.data)], check=True)

    def _copy_data(self, other):
        assert not other.running, "a copy of a running server's data is none"
        self.directory.chmod(0o755)
        subprocess.run(["/bin/cp", "-a", "--reflink=auto", str(other.data), str(self.data)],
                       check=True)
        own(self.directory)
        own(self.socket_dir)

    def _configure(self, auth, tls, hba, settings):
        settings["listen_addresses"] = self.host
        settings["port"] = str(self.port)
        settings["unix_socket_directories"] = str(self.socket_dir)
        if auth == "scram-sha-256":
            settings["password_encryption"] = "scram-sha-256"
        elif auth == "md5":
            settings["password_encryption"] = "md5" if self.major >= 14 else "on"
        if tls:
            for name in ("ca.crt", "server.crt", "server.key"):
                shutil.copy(certificates() / name, self.data / name)
            (self.data / "server.key").chmod(0o600)
            settings.update(ssl="on", ssl_ca_file="ca.crt", ssl_cert_file="server.crt",
                            ssl_key_file="server.key")
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as conf:
            for key, value in settings.items():
                conf.write("%s = '%s'\n" % (key, str(value).replace("'", "''")))
        if hba is None:
            tcp = "hostssl" if tls == "required" or auth == "cert" else "host"
            method = "cert" if auth == "cert" else auth
            hba = ["local all all trust", "local replication all trust",
                   f"{tcp} all all 127.0.0.1/32 {method}",
                   f"{tcp} replication all 127.0.0.1/32 {method}"]
        (self.data / "pg_hba.conf").write_text("\n".join(hba) + "\n", encoding="utf-8")
        own(self.data)

    # -- life -------------------------------------------------------------------------

    @property
    def pid(self):
        return self._process.pid if self._process else None

    @property
    def running(self):
        return self._process is not None and self._process.poll() is None

    def start(self, timeout=60.0):
        assert not self.running, "already running"
        pid_file = self.data / "postmaster.pid"
        pid_file.unlink(missing_ok=True)
        with open(self.log, "ab") as log:
            self._process = spawn(
                as_server_user()
                + ["/usr/bin/setpriv", "--pdeathsig", "QUIT",
                   self._bin / "postgres", "-D", self.data],
                death_signal=signal.SIGQUIT, stdout=log, stderr=log, cwd=self.data,
                env=_clean_environment(), start_new_session=True)

        def ready():
            if self._process.poll() is not None:
                raise RuntimeError(f"PostgreSQL {self.version} ended at start:\n{self.log_tail()}")
            try:
                return "ready" in pid_file.read_text().split("\n")[7]
            except (OSError, IndexError):
                return False

        wait_until(ready, timeout, f"PostgreSQL {self.version} to start")
        if self._needs_password:
            self._needs_password = False
            self.psql(f"ALTER ROLE postgres PASSWORD '{self.PASSWORD}'")
        return self

    def stop(self, mode="fast", timeout=PATIENCE):
        """mode: smart, fast (like a clean shutdown), immediate (like a crash that tidies up)."""
        if not self.running:
            return
        self._process.send_signal({"smart": signal.SIGTERM, "fast": signal.SIGINT,
                                   "immediate": signal.SIGQUIT}[mode])
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.crash()
            raise

    def restart(self, mode="fast"):
        self.stop(mode)
        self.start()

    def crash(self):
        """kill -9 of the postmaster; its children notice and end. Then start() recovers."""
        if not self.running:
            return
        children = self._children()
        self._process.kill()
        self._process.wait()
        wait_until(lambda: not any(self._alive(c) for c in children), PATIENCE,
                   "the server's children to end")

    def freeze(self):
        """SIGSTOP to the postmaster and everything below it; resume() undoes it."""
        for pid in [self.pid, *self._children()]:
            os.kill(pid, signal.SIGSTOP)

    def resume(self):
        for pid in [*self._children(), self.pid]:
            os.kill(pid, signal.SIGCONT)

    def _children(self):
        path = f"/proc/{self.pid}/task/{self.pid}/children"
        try:
            return [int(p) for p in pathlib.Path(path).read_text().split()]
        except OSError:
            return []

    @staticmethod
    def _alive(pid):
        try:
            state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return False
        return state != "Z"

    def close(self):
        try:
            if self.running:
                try:
                    self.resume()
                except OSError:
                    pass
                self.stop("immediate", timeout=10.0)
        except subprocess.TimeoutExpired:
            pass
        finally:
            remove_directory(self.socket_dir)
            if not os.environ.get("PG_CAPTURE_TEST_KEEP"):
                remove_directory(self.directory)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def log_tail(self, lines=30):
        try:
            text = self.log.read_text(errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    # -- standbys (12 and later) --------------------------------------------------------

    def standby(self, *, with_slots=(), settings=None):
        """A hot standby made of a copy of this server's data, following it through the slot
        "standby". This server is restarted for it. Slots are not copied but those named.
        """
        self.psql("SELECT pg_create_physical_replication_slot('standby', true)")
        self.stop("fast")
        upstream = " ".join([f"host={self.socket_dir}", f"port={self.port}", f"user={self.user}",
                             "dbname=postgres", "application_name=standby"])
        copy = PostgresServer(self.version, data_of=self, start=False, settings={
            "primary_conninfo": upstream, "primary_slot_name": "standby",
            "hot_standby_feedback": "on", "wal_receiver_status_interval": "1s", **(settings or {})})
        try:
            for slot in (copy.data / "pg_replslot").iterdir():
                if slot.name not in with_slots:
                    shutil.rmtree(slot)
            (copy.data / "standby.signal").touch()
            own(copy.data)
            self.start()
            return copy.start()
        except BaseException:
            copy.close()
            raise

    def promote(self):
        """Makes a primary of a standby; returns when it may be written."""
        self.psql("SELECT pg_promote(true, 60)")
        wait_until(lambda: self.psql("SELECT pg_is_in_recovery()") == "f\n", PATIENCE, "the promotion")
        return self

    def wait_replayed(self, lsn, timeout=PATIENCE):
        """For a standby: waits until it has everything up to `lsn`."""
        wait_until(lambda: self.query("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", lsn)
                   == [(True,)], timeout, f"the standby to replay {lsn}", interval=0.05)

    def set(self, **settings):
        """ALTER SYSTEM and a reload."""
        with self.connect() as connection:
            for key, value in settings.items():
                connection.execute(f"ALTER SYSTEM SET {key} = '{value}'")
            connection.execute("SELECT pg_reload_conf()")

    def end_of_log(self):
        return self.query("SELECT pg_current_wal_lsn()")[0][0]

    # -- use --------------------------------------------------------------------------

    def dsn(self, db="postgres", **kw):
        parts = dict(dict(host=self.socket_dir, port=self.port, user=self.user, dbname=db), **kw)
        return " ".join(f"{k}='{v}'" for k, v in parts.items())

    def connect(self, db="postgres", autocommit=True, **kw):
        """A psycopg connection over the Unix socket."""
        return psycopg.connect(self.dsn(db, **kw), autocommit=autocommit)

    def psql(self, sql, db="postgres", timeout=600.0):
        """Runs SQL through psql, one statement after the other; returns unaligned rows."""
        done = subprocess.run(
            [str(CLIENT_BIN / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", str(self.socket_dir),
             "-p", str(self.port), "-U", self.user, "-d", db, "-f", "-"],
            input=sql, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout,
            env=_clean_environment(), check=False)
        if done.returncode != 0:
            raise RuntimeError(f"psql failed: {done.stderr.strip()}\n{sql[:2000]}")
        return done.stdout

    def query(self, sql, *params, db="postgres"):
        """All rows of one query."""
        with self.connect(db) as connection:
            return connection.execute(sql, params or None).fetchall()

    def slot(self, name):
        """The slot's row as a dictionary, or None."""
        with self.connect() as connection:
            cursor = connection.execute(
                "SELECT * FROM pg_replication_slots WHERE slot_name = %s", (name,))
            row = cursor.fetchone()
            return dict(zip((c.name for c in cursor.description), row)) if row else None

    def wait_free(self, name, timeout=PATIENCE):
        """Waits until nobody reads the slot: its reader's session ends after the reader."""
        wait_until(lambda: not (self.slot(name) or {}).get("active"), timeout, f"slot {name} to be free")

    def drop_slot(self, name, timeout=PATIENCE):
        """Ends the slot's reader, if there is one, and drops it; no slot is fine too."""
        def gone():
            self.psql(f"SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots"
                      f" WHERE slot_name = '{name}' AND active")
            self.psql(f"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
                      f" WHERE slot_name = '{name}' AND NOT active")
            return self.slot(name) is None
        wait_until(gone, timeout, f"slot {name} to be free", interval=0.05)

    def wait_confirmed(self, slot, lsn=None, timeout=PATIENCE):
        """Waits until the slot has confirmed `lsn` (default: the server's position now)."""
        lsn = lsn or self.query("SELECT pg_current_wal_lsn()")[0][0]
        wait_until(lambda: self.query(
            "SELECT confirmed_flush_lsn >= %s::pg_lsn FROM pg_replication_slots"
            " WHERE slot_name = %s", lsn, slot) == [(True,)],
            timeout, f"slot {slot} to confirm {lsn}", interval=0.05)
        return lsn

    def accepts_connections(self):
        with socket.socket() as probe:
            probe.settimeout(1.0)
            return probe.connect_ex((self.host, self.port)) == 0

    def capture_environment(self, db="postgres"):
        """The variables that point pg-capture at this server."""
        return {"PG_HOST": self.host, "PG_PORT": str(self.port), "PG_DATABASE": db,
                "PG_USERNAME": self.user, "PG_PASSWORD": self.password}
