"""An OAuth token endpoint on loopback, as an identity provider has one, for OAUTHBEARER.

    with TokenServer({"pgc": "its secret"}) as tokens:
        …                        # clients fetch tokens at tokens.url
        tokens.requests          # what was asked of it
"""

import base64
import hmac
import http.server
import json
import shutil
import subprocess
import threading
import time
import urllib.parse

from support.processes import RUN, exclusive, free_port

_OPENSSL = "/usr/bin/openssl"


def _base64url(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def token_keys():
    """The key tokens are signed with (key.pem) and its public half (jwks.json), made once a clone."""
    target = RUN / "tokens"
    with exclusive(RUN / "tokens.lock"):
        if not target.exists():
            making = RUN / "tokens.new"
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir(parents=True)
            subprocess.run([_OPENSSL, "genrsa", "-out", "key.pem", "2048"], cwd=making, check=True,
                           stderr=subprocess.DEVNULL)
            shown = subprocess.check_output([_OPENSSL, "rsa", "-in", "key.pem", "-noout", "-modulus"],
                                            cwd=making, text=True)
            modulus = bytes.fromhex(shown.strip().split("=")[1])
            (making / "jwks.json").write_text(json.dumps({"keys": [{
                "kty": "RSA", "kid": "tests", "alg": "RS256", "use": "sig",
                "n": _base64url(modulus), "e": "AQAB"}]}))
            making.rename(target)
    return target


def make_token(subject, lifetime_s=300, **claims):
    """A signed token; claims over the usual ones."""
    now = int(time.time())
    head = {"alg": "RS256", "typ": "JWT", "kid": "tests"}
    body = {"sub": subject, "iss": "tests", "aud": "kafka", "iat": now, "exp": now + lifetime_s,
            "scope": "kafka", **claims}
    text = ".".join(_base64url(json.dumps(part).encode()) for part in (head, body))
    signature = subprocess.run([_OPENSSL, "dgst", "-sha256", "-sign", str(token_keys() / "key.pem")],
                               input=text.encode(), stdout=subprocess.PIPE, check=True).stdout
    return f"{text}.{_base64url(signature)}"


class TokenServer:
    """clients: client id -> secret. lifetime_s: of the tokens it gives."""

    def __init__(self, clients, lifetime_s=300):
        self.clients, self.lifetime_s = clients, lifetime_s
        self.requests = []      # (client id, granted, form)
        self.tokens = []        # what was given out
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                owner._answer(self)

            def log_message(self, *_):
                pass

        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/token"
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def _answer(self, request):
        form = dict(urllib.parse.parse_qsl(
            request.rfile.read(int(request.headers.get("Content-Length", 0))).decode()))
        client, secret = form.get("client_id", ""), form.get("client_secret", "")
        kind, _, value = request.headers.get("Authorization", "").partition(" ")
        if kind == "Basic":
            client, _, secret = base64.b64decode(value).decode().partition(":")
        granted = (client in self.clients and form.get("grant_type") == "client_credentials"
                   and hmac.compare_digest(self.clients[client].encode(), secret.encode()))
        self.requests.append((client, granted, form))
        if granted:
            self.tokens.append(make_token(client, self.lifetime_s))
            status, answer = 200, {"access_token": self.tokens[-1], "token_type": "Bearer",
                                   "expires_in": self.lifetime_s}
        else:
            status, answer = 401, {"error": "invalid_client"}
        body = json.dumps(answer).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
