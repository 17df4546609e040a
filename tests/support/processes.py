"""Child processes that never outlive us, ports nobody else takes, the paths of a run.

Every child is started from one thread that lives as long as the process, with a
parent-death signal: the kernel ends it when we die, however we die. (The signal is
bound to the thread that forked, which is why a test's own thread must not fork.)
"""

import atexit
import ctypes
import fcntl
import os
import pathlib
import pwd
import queue
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
RUN = pathlib.Path(os.environ.get("PG_CAPTURE_TEST_RUN", ROOT / "build" / "run"))

os.umask(0o022)     # run by root, servers are another user, who has to get at what we make

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


class _Forker:
    """Runs every Popen on one daemon thread."""

    def __init__(self):
        self._jobs = queue.Queue()
        threading.Thread(target=self._work, name="forker", daemon=True).start()

    def _work(self):
        while True:
            args, kwargs, answer = self._jobs.get()
            try:
                answer.put(subprocess.Popen(args, **kwargs))
            except BaseException as error:  # handed to the caller, whatever it is
                answer.put(error)

    def popen(self, args, kwargs):
        answer = queue.Queue()
        self._jobs.put((args, kwargs, answer))
        result = answer.get()
        if isinstance(result, BaseException):
            raise result
        return result


_forker = _Forker()


def spawn(args, death_signal=signal.SIGKILL, **kwargs):
    """subprocess.Popen whose child gets `death_signal` when this process ends."""
    parent = os.getpid()

    def bind_to_parent():
        _libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:  # we died between fork and prctl
            os._exit(1)

    kwargs.setdefault("stdin", subprocess.DEVNULL)
    return _forker.popen([str(a) for a in args], dict(kwargs, preexec_fn=bind_to_parent))


# A limit ends a hang, it measures nothing: a machine may be slow, and busy with other tests.
PATIENCE = 60.0


def patient(timeout):
    return max(timeout, PATIENCE)


def wait_until(condition, timeout=PATIENCE, what="the condition", interval=0.02):
    """Polls `condition` until it returns something true, and returns that.

    It must stay true, or nobody may be there to see it. No limit is below PATIENCE.
    """
    timeout = patient(timeout)
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout} s for {what}")
        time.sleep(interval)


_held_ports = {}


def _port_range():
    """20000…32000, or what is left beside the ports that this machine gives to outgoing connections."""
    try:
        low, high = map(int, pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    except (OSError, ValueError):
        return 20000, 32000
    if low >= 32000 or high < 20000:
        return 20000, 32000
    below, above = (max(1024, low - 12000), low), (high + 1, min(65536, high + 12001))
    widest = max(below, above, key=lambda part: part[1] - part[0])
    return widest if widest[1] - widest[0] >= 2000 else (20000, 32000)


_PORTS = _port_range()


def free_port():
    """A port of 127.0.0.1 that no outgoing connection takes, ours until this process ends."""
    locks = RUN / "ports"
    locks.mkdir(parents=True, exist_ok=True)
    while True:
        port = random.SystemRandom().randrange(*_PORTS)
        lock = os.open(locks / str(port), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except OSError:
            os.close(lock)
            continue
        _held_ports[port] = lock
        return port


class exclusive:
    """With-block that only one process at a time enters, by a lock file."""

    def __init__(self, path):
        self._path = pathlib.Path(path)

    def __enter__(self):
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o666)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        return self

    def __exit__(self, *_):
        os.close(self._lock)


_temporary = []


def short_directory(prefix="pgc-"):
    """A private directory under /tmp: socket paths are limited to 107 bytes."""
    path = pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))
    _temporary.append(path)
    return path


def run_directory(name, base=RUN):
    """A private directory under `base`/live, removed at the end unless PG_CAPTURE_TEST_KEEP is set."""
    parent = base / "live"
    parent.mkdir(parents=True, exist_ok=True)
    path = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=parent))
    if not os.environ.get("PG_CAPTURE_TEST_KEEP"):
        _temporary.append(path)
    return path


def remove_directory(path):
    shutil.rmtree(path, ignore_errors=True)
    if path in _temporary:
        _temporary.remove(path)


_SERVER_BASE = "PG_CAPTURE_TEST_SERVERS"
SERVER_USER = "nobody"


def as_server_user():
    """The prefix that runs a command as an ordinary user when we are root."""
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam(SERVER_USER)
    return ["/usr/bin/setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}",
            "--clear-groups"]


def needs_outside_base():
    """True for root with a clone where an ordinary user may not look (below /root, say)."""
    if os.geteuid() != 0:
        return False
    RUN.mkdir(parents=True, exist_ok=True)
    return subprocess.run([*as_server_user(), "/usr/bin/test", "-x", str(RUN)],
                          check=False).returncode != 0


def server_base():
    """Where servers live: build/run, or else a directory under /tmp, which then also holds
    copies of the binaries. Whoever makes that directory shares it by environment and removes it.
    """
    given = os.environ.get(_SERVER_BASE)
    if not given:
        given = str(RUN)
        if needs_outside_base():
            made = short_directory("pgc-servers-")
            made.chmod(0o755)
            given = str(made)
        os.environ[_SERVER_BASE] = given
    return pathlib.Path(given)


@atexit.register
def _remove_temporary():
    for path in list(_temporary):
        shutil.rmtree(path, ignore_errors=True)
