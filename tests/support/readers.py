"""Other people's readers of messages whose schemas a registry holds.

    with ConfluentReader(registry, "avro") as reader:
        key, value = reader.read(record)    # bytes in base64, numbers of fixed scale as text
"""

import base64
import json
import os
import signal
import subprocess
import sys

from support.processes import ROOT, spawn

_PYTHON = ROOT / ".deps" / "registry" / "python" / "bin" / "python"
_CLIENT = ROOT / ".deps" / "python" / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"


def _base64(raw):
    return None if raw is None else base64.b64encode(raw).decode()


class ConfluentReader:
    """The deserializers of confluent-kafka. What they need is no matter of the tests' own Python."""

    def __init__(self, registry, encoding):
        if not _PYTHON.exists():
            raise FileNotFoundError("no readers of registered messages: run tools/registry.sh")
        self._encoding = encoding
        self._process = spawn([_PYTHON, ROOT / "tests" / "support" / "confluent_reader.py", registry.url],
                              death_signal=signal.SIGKILL, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              env={**os.environ, "PYTHONPATH": str(_CLIENT)})

    def read(self, record):
        """(key, value)"""
        self._process.stdin.write(json.dumps({
            "encoding": self._encoding, "topic": record.topic,
            "key": _base64(record.key), "value": _base64(record.value)}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline() or '{"error": "the reader ended"}')
        if "error" in answer:
            raise ValueError(f"{record.topic} at {record.offset}: {answer['error']}")
        return answer["key"], answer["value"]

    def close(self):
        self._process.kill()
        self._process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
