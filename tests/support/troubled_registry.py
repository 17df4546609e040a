"""A schema registry with Confluent's API that answers as a test wants it to: wrongly, late, or well.

    with TroubledRegistry() as registry:
        registry.answers(500, {"error_code": 50001, "message": "no disk"})
        …
        registry.recovers()
"""

import http.server
import json
import re
import threading
import time
import urllib.parse

HOST = "127.0.0.1"


class TroubledRegistry:
    """Keeps what is registered, while it is well, in memory."""

    def __init__(self):
        self._lock = threading.Lock()
        self._instead = self._instead_to = None
        self._delay = 0.0
        self._numbers = {}      # schema -> number
        self._subjects = {}     # subject -> numbers
        self.heard = []         # (method, path, Authorization) of each request
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                path = urllib.parse.unquote(self.path.split("?")[0])
                registry.heard.append((self.command, path, self.headers.get("Authorization")))
                time.sleep(registry._delay)
                status, answer = registry._answer(self.command, path, body)
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)
                except OSError:     # whoever asked has lost patience
                    self.close_connection = True

            do_GET = do_POST = do_PUT = do

        self._server = http.server.ThreadingHTTPServer((HOST, 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self):
        return f"http://{HOST}:{self._server.server_address[1]}"

    def answers(self, status, body, to=None):
        """So and not otherwise from now on. `body`: bytes, or what is written as JSON; `to`: to this method alone."""
        self._instead = (status, body if isinstance(body, bytes) else json.dumps(body).encode())
        self._instead_to = to

    def is_late_by(self, seconds):
        self._delay = seconds

    def recovers(self):
        self._instead, self._delay = None, 0.0

    def subjects(self):
        with self._lock:
            return sorted(self._subjects)

    def schema(self, number):
        """(type, text) of what is registered under a number."""
        with self._lock:
            sent = next(s for s, n in self._numbers.items() if n == number)
        return json.loads(sent).get("schemaType", "AVRO"), json.loads(sent)["schema"]

    def _answer(self, method, path, body):
        if self._instead and self._instead_to in (None, method):
            return self._instead
        with self._lock:
            if (method, path) == ("GET", "/subjects"):
                return 200, json.dumps(sorted(self._subjects)).encode()
            if method == "GET" and path.startswith("/schemas/ids/"):
                return 200, next(s for s, n in self._numbers.items() if str(n) == path.split("/")[3])
            found = re.fullmatch("/subjects/(.+)/versions(?:/([0-9]+))?", path)
            if found and method == "POST":
                number = self._numbers.setdefault(body, len(self._numbers) + 1)
                versions = self._subjects.setdefault(found[1], [])
                if number not in versions:
                    versions.append(number)
                return 200, json.dumps({"id": number}).encode()
            if found:
                return self._versions(found[1], found[2])
        return 404, b"<html>nothing is here</html>"

    def _versions(self, subject, version):
        numbers = self._subjects.get(subject)
        if numbers is None:
            return 404, json.dumps({"error_code": 40401, "message": f"Subject '{subject}' not found."}).encode()
        if version is None:
            return 200, json.dumps([i + 1 for i in range(len(numbers))]).encode()
        number = numbers[int(version) - 1]
        sent = json.loads(next(s for s, n in self._numbers.items() if n == number))
        return 200, json.dumps({"subject": subject, "version": int(version), "id": number, **sent}).encode()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
