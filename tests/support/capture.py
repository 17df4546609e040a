"""One running pg-capture: its environment, its lines on stdout, its end.

    with Capture(server.capture_environment(), slot="s") as capture:
        lines = capture.wait_for(3)
        capture.stop()          # SIGTERM, exit code 0
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time
import urllib.request

from support.processes import (
    PATIENCE, ROOT, free_port, patient, remove_directory, run_directory, spawn,
)


def binary():
    return pathlib.Path(os.environ.get("PG_CAPTURE_BIN", ROOT / "build/release/pg-capture"))


def clean_environment():
    """Ours without anything that could steer pg-capture or libpq."""
    return {k: v for k, v in os.environ.items()
            if not k.startswith(("PG", "KAFKA_", "REPLICATION_"))}


class Capture:
    """env       environment variables, over an environment cleaned of ours
    config    text of a configuration file, or None; suffix names its kind (.toml, .yaml)
    args      command line after the program's name
    state     directory of the stored position; kept by whoever gives it, private else
    stdout    a descriptor that takes its lines instead of us

    made      those of the test that runs

    Without a word of `env` about it there is no snapshot: most tests are about changes alone.
    """

    made = []

    def __init__(self, env=None, *, args=(), config=None, suffix=".toml", sink="console",
                 slot=None, publication=None, state=None, http=True, stdout=None,
                 start=True):
        self.directory = run_directory("capture")
        self.state = pathlib.Path(state) if state else self.directory / "state"
        self.state.mkdir(parents=True, exist_ok=True)
        self.stderr_path = self.directory / "stderr.log"
        self.http_port = free_port() if http else None
        self.environment = clean_environment()
        self.environment["PG_CAPTURE_STATE_DIR"] = str(self.state)
        self.environment["PG_CAPTURE_SOURCE_SNAPSHOT_MODE"] = "never"
        self.environment["PG_CAPTURE_HTTP_LISTEN"] = f"127.0.0.1:{self.http_port}" if http else ""
        if sink:
            self.environment["PG_CAPTURE_SINK"] = sink
        if slot:
            self.environment["PG_SLOT_NAME"] = slot
            self.environment["PG_PUBLICATION"] = publication or f"{slot}_pub"
        elif publication:
            self.environment["PG_PUBLICATION"] = publication
        self.environment.update({k: str(v) for k, v in (env or {}).items()})
        self.arguments = list(args)
        if config is not None:
            path = self.directory / f"config{suffix}"
            path.write_text(config, encoding="utf-8")
            self.arguments += ["-c", str(path)]
        self.process = None
        self._stdout = stdout
        self._lines = []
        self._held_at = None
        self._changed = threading.Condition()
        self._reader = None
        self._last_words = ""
        Capture.made.append(self)
        if start:
            self.start()

    # -- life -------------------------------------------------------------------------

    def start(self):
        """Starts it, or starts it again after its end: lines go on being collected."""
        assert not self.running, "already running"
        with open(self.stderr_path, "ab") as stderr:
            # A group of its own: Ctrl-C in a terminal is for whoever runs it to answer.
            self.process = spawn([binary(), *self.arguments], death_signal=signal.SIGKILL,
                                 process_group=0,
                                 env=self.environment, cwd=self.directory,
                                 stdout=subprocess.PIPE if self._stdout is None else self._stdout,
                                 stderr=stderr)
        if self._stdout is None:
            self._reader = threading.Thread(target=self._read, args=(self.process.stdout,),
                                            daemon=True)
            self._reader.start()
        return self

    def _read(self, stream):
        for raw in stream:
            with self._changed:
                self._lines.append(raw)
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._held_at is None
                                       or len(self._lines) < self._held_at)
        with self._changed:
            self._changed.notify_all()

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def wait_exit(self, timeout=PATIENCE):
        """Waits for its end by itself; returns the exit code."""
        return self._ended(patient(timeout))

    def _ended(self, timeout):
        code = self.process.wait(timeout)
        self._read_up(PATIENCE)
        return code

    def stop(self, timeout=30.0, code=0):
        """SIGTERM; must end in `timeout` with exit code `code` (None: any)."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            got = self._ended(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"no end within {timeout} s of SIGTERM\n{self.stderr_tail()}")
        if code is not None and got != code:
            raise AssertionError(f"exit code {got}, expected {code}\n{self.stderr_tail()}")
        return time.monotonic() - started

    def kill(self):
        """SIGKILL: what was written before is still read."""
        if self.running:
            self.process.kill()
        self.process.wait()
        self.hold_at(None)
        self._read_up(PATIENCE)

    def hold_at(self, lines):
        """Reads no further than this many lines, so that the rest stays with it; None: reads on."""
        with self._changed:
            self._held_at = lines
            self._changed.notify_all()

    def _read_up(self, timeout):
        if self._reader is not None:
            self._reader.join(timeout)

    def signal(self, number):
        self.process.send_signal(number)

    def close(self):
        if self.process is not None:
            if self.running:
                self.process.send_signal(signal.SIGCONT)
            self.kill()
            if self.process.stdout is not None:
                self.process.stdout.close()
        self._last_words = self.stderr_tail()
        if not os.environ.get("PG_CAPTURE_TEST_KEEP"):
            remove_directory(self.directory)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # -- what it says -----------------------------------------------------------------

    @property
    def raw_lines(self):
        """Complete lines on stdout so far, as bytes without the line end."""
        with self._changed:
            return [line[:-1] for line in self._lines if line.endswith(b"\n")]

    @property
    def messages(self):
        return [json.loads(line) for line in self.raw_lines]

    def take(self):
        """Complete lines since the last take() or clear(), and forgets them."""
        with self._changed:
            lines = [line[:-1] for line in self._lines if line.endswith(b"\n")]
            # Half a line is the last of a killed process: nothing will complete it.
            self._lines.clear()
        return lines

    def clear(self):
        with self._changed:
            self._lines.clear()

    def wait_for(self, what, timeout=PATIENCE):
        """Waits for a number of lines, or for a predicate over the list of messages.

        Returns the messages. Fails early, with the end of stderr, if the process ends.
        """
        timeout = patient(timeout)
        messages, read = [], 0      # no line is parsed twice

        def enough():
            nonlocal read
            if not callable(what):
                return sum(x.endswith(b"\n") for x in self._lines) >= what
            fresh, read = self._lines[read:], len(self._lines)
            messages.extend(json.loads(x) for x in fresh if x.endswith(b"\n"))
            return what(messages)

        deadline = time.monotonic() + timeout
        with self._changed:
            while not enough():
                left = deadline - time.monotonic()
                ended = not self.running and not self._reader.is_alive()
                if left <= 0 or ended:
                    why = "the process ended" if ended else f"{timeout} s passed"
                    raise AssertionError(
                        f"waited for {'a predicate' if callable(what) else f'{what} lines'}, got "
                        f"{len(self._lines)}: {why}\n{self.stderr_tail()}")
                self._changed.wait(min(left, 0.2))
        return self.messages

    @property
    def stderr(self):
        return self.stderr_path.read_text(encoding="utf-8", errors="replace")

    def stderr_tail(self, lines=30):
        there = self.stderr_path.exists()   # until it is closed
        return "\n".join(self.stderr.splitlines()[-lines:]) if there else self._last_words

    def wait_for_log(self, text, timeout=PATIENCE, times=1):
        """Waits until stderr contains `text`, that many times since its first start."""
        deadline = time.monotonic() + patient(timeout)
        while self.stderr.count(text) < times:
            if time.monotonic() > deadline or not self.running and self.stderr.count(text) < times:
                raise AssertionError(f"{text!r} is not in the log {times} times\n{self.stderr_tail()}")
            time.sleep(0.02)

    def wait_streaming(self, timeout=PATIENCE, times=1):
        """Waits until it streams for the first time, or again: from then on no change escapes it."""
        self.wait_for_log("  streaming  ", timeout, times)
        return self

    def resident_mib(self, field="VmHWM"):
        """Peak resident memory (VmHWM) or that of now (VmRSS), in MiB."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
        raise KeyError(field)

    def open_files(self):
        """How many descriptors it has open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def metric(self, name):
        """The sum of a metric's series, from its /metrics; None before it is there."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/metrics",
                                        timeout=PATIENCE) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return None
        # The pipeline's name stands on every series.
        lines = [re.sub(r'\{pipeline="[^"]*"(?:,|(\}))', lambda m: "" if m[1] else "{", line)
                 for line in lines]
        values = [float(line.rsplit(" ", 1)[1]) for line in lines
                  if line.startswith((name + " ", name + "{"))]
        return sum(values) if values else None


def run_capture(*args, env=None, timeout=2 * PATIENCE, input_text=None):
    """Runs `pg-capture ARGS` to its end; returns the CompletedProcess (text).

    The sink is the console unless `env` names one: Kafka, the default, needs brokers.
    """
    return subprocess.run([str(binary()), *map(str, args)], timeout=timeout, check=False, text=True,
                          env=dict(clean_environment(), **({"PG_CAPTURE_SINK": "console"} | (env or {}))),
                          input=input_text or "",
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
