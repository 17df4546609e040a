"""`pg-capture snapshot` without a database: what it refuses, and whom it asks how.

A small HTTP server stands in for the running instance; orders that are really carried out are
tested elsewhere.
"""

import contextlib
import http.server
import json
import signal
import subprocess
import threading

import pytest
from support.capture import binary, run_capture
from support.processes import free_port, wait_until

TOKEN = "s3same-0pen"
BASE = {"PG_DATABASE": "shop", "PG_USERNAME": "cdc", "PG_PASSWORD": "x",
        "PG_CAPTURE_SINK": "console", "PG_CAPTURE_HTTP_TOKEN": TOKEN}
HEALTH = {"pipeline": "shop", "state": "streaming", "live": True, "ready": True}
READING = {"id": "again", "state": "reading", "reason": None, "tables": 2, "tables_done": 1,
           "rows": 30, "rows_expected": 100, "rows_per_second": 10,
           "began": "2026-11-28T07:15:12.000Z", "ended": None,
           "open": [{"table": "public.orders", "rows": 30, "rows_expected": 100}]}
DONE = READING | {"state": "done", "rows": 100, "tables_done": 2, "open": [],
                  "ended": "2026-11-28T07:15:22.000Z"}


class Instance:
    """Answers as given: `answers` maps "METHOD /path" to (status, object); `seen` has what came."""

    def __init__(self, answers):
        self.answers = {"GET /healthz": (200, HEALTH)} | answers
        self.seen = []
        instance = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                line = f"{self.command} {self.path}"
                instance.seen.append((line, self.headers.get("Authorization"), body.decode()))
                status, given = instance.answers.get(line, (404, {"error": "none", "hint": ""}))
                text = json.dumps(given() if callable(given) else given).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.environment = BASE | {
            "PG_CAPTURE_HTTP_LISTEN": f"127.0.0.1:{self.server.server_address[1]}"}

    def posts(self):
        return [x for x in self.seen if x[0].startswith("POST")]


@contextlib.contextmanager
def running(**answers):
    instance = Instance({k.replace("_", " ", 1): v for k, v in answers.items()})
    thread = threading.Thread(target=instance.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield instance
    finally:
        instance.server.shutdown()
        instance.server.server_close()
        thread.join()


def nobody():
    return BASE | {"PG_CAPTURE_HTTP_LISTEN": f"127.0.0.1:{free_port()}"}


# -- what is refused before anybody is asked -------------------------------------------

@pytest.mark.parametrize("arguments, complaint", [
    ([], "no table is named"),
    (["orders"], "orders is not a table"),
    (["a.b", "lst"], "lst is not a table"),
    (["a.b", "a.c", "--where", "true"], "a condition is for one table"),
    (["a.*", "--where", "true"], "a condition is for one table"),
    (["a.b", "--where", "x" * 10_001], "the condition is too long"),
    (["a.b", "--id", "initial"], "snapshot of everything"),
    (["a.b", "--id", "a/b"], "the id is not valid"),
    (["a.b"] * 101, "too many tables"),
    (["a.b", "--wiat"], "--wait"),
    (["a.b", "--http.token", "x"], "a secret is not taken from the command line"),
    (["list", "a.b"], "takes no such argument"),
    (["pause"], "takes the id of one snapshot"),
    (["cancel", "a", "b"], "takes the id of one snapshot"),
    (["resume", "../healthz"], "takes the id of one snapshot"),
])
def test_wrong_arguments_cost_2(arguments, complaint):
    done = run_capture("snapshot", *arguments, env=nobody())
    assert done.returncode == 2 and complaint in done.stderr, done.stderr
    assert not done.stdout


def test_a_token_that_no_header_can_hold_is_refused():
    done = run_capture("snapshot", "list", env=nobody() | {"PG_CAPTURE_HTTP_TOKEN": "a b\nc"})
    assert done.returncode == 2 and "http.token" in done.stderr and "a b" not in done.stderr


def test_every_subcommand_is_in_the_help():
    text = run_capture("--help").stdout
    for word in ("snapshot TABLE", "snapshot list", "snapshot wait", "snapshot pause",
                 "snapshot resume", "snapshot cancel"):
        assert word in text
    assert "--where SQL" in run_capture("snapshot", "--help").stdout


# -- nobody there ----------------------------------------------------------------------

@pytest.mark.parametrize("arguments", [
    ["public.orders"], ["public.orders", "--wait"], ["list"], ["wait", "x"], ["pause", "x"],
    ["resume", "x"], ["cancel", "x"]])
def test_without_an_instance_it_says_what_to_do(arguments):
    done = run_capture("snapshot", *arguments, env=nobody())
    assert done.returncode == 4 and not done.stdout
    assert "nobody answers" in done.stderr and "start pg-capture" in done.stderr


def test_errors_are_json_for_programs():
    done = run_capture("snapshot", "public.orders", "--output", "json", env=nobody())
    assert done.returncode == 4
    assert json.loads(done.stderr)["error"]["category"] == "connection"


def test_an_instance_that_listens_nowhere_cant_be_asked():
    done = run_capture("snapshot", "a.b", env=BASE | {"PG_CAPTURE_HTTP_LISTEN": ""})
    assert done.returncode == 2 and "http.listen" in done.stderr


# -- the token -------------------------------------------------------------------------

def test_the_token_is_borne_and_shown_nowhere():
    with running(**{"POST_/snapshots": (202, {"id": "again"})}) as instance:
        done = run_capture("snapshot", "public.orders", "--where", "id > 5 AND v = 'é'",
                           "--id", "again", "-v", env=instance.environment)
        assert done.returncode == 0 and "again is requested" in done.stdout, done.stderr
        [(_, bearer, body)] = instance.posts()
        assert bearer == f"Bearer {TOKEN}"
        assert json.loads(body) == {"tables": ["public.orders"], "where": "id > 5 AND v = 'é'",
                                    "id": "again"}
        assert TOKEN not in done.stdout + done.stderr
        shown = run_capture("config", "show", env=instance.environment)
        assert "http.token = ***" in shown.stdout and TOKEN not in shown.stdout


def test_the_token_may_lie_in_a_file(tmp_path):
    (tmp_path / "token").write_text("from-a-file\n")
    with running(**{"POST_/snapshots/x/pause": (202, {"id": "x"})}) as instance:
        env = instance.environment | {"PG_CAPTURE_HTTP_TOKEN_FILE": str(tmp_path / "token")}
        del env["PG_CAPTURE_HTTP_TOKEN"]
        done = run_capture("snapshot", "pause", "x", env=env)
        assert done.returncode == 0, done.stderr
        assert instance.posts() == [("POST /snapshots/x/pause", "Bearer from-a-file", "")]


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_is_not_taken_is_an_error_of_the_configuration(status):
    refusal = {"error": "the token is not the right one", "hint": "set http.token"}
    with running(**{"POST_/snapshots": (status, refusal)}) as instance:
        done = run_capture("snapshot", "a.b", env=instance.environment)
        assert done.returncode == 2 and not done.stdout
        assert "the token is not the right one" in done.stderr and "http.token" in done.stderr
        assert TOKEN not in done.stderr


def test_without_a_token_none_is_borne():
    with running(**{"POST_/snapshots": (401, {"error": "a token is needed", "hint": ""})}) as instance:
        env = instance.environment | {"PG_CAPTURE_HTTP_TOKEN": ""}
        done = run_capture("snapshot", "a.b", env=env)
        assert done.returncode == 2 and "PG_CAPTURE_HTTP_TOKEN_FILE" in done.stderr
        assert [bearer for _, bearer, _ in instance.posts()] == [None]


def test_whoever_else_listens_there_is_not_sent_the_token():
    with running(**{"GET_/healthz": (200, "ok"), "POST_/snapshots": (202, {"id": "x"})}) as instance:
        done = run_capture("snapshot", "a.b", env=instance.environment)
        assert done.returncode == 4 and "is not pg-capture" in done.stderr
        assert not instance.posts() and all(bearer is None for _, bearer, _ in instance.seen)


# -- refusals, lists, waiting ----------------------------------------------------------

@pytest.mark.parametrize("status, code", [(400, 2), (404, 1), (409, 1), (500, 1), (503, 1)])
def test_a_refusal_is_shown_with_its_hint(status, code):
    refusal = {"error": "no \x1b[2J", "hint": "do that"}
    with running(**{"POST_/snapshots/x/cancel": (status, refusal)}) as instance:
        done = run_capture("snapshot", "cancel", "x", env=instance.environment)
        assert done.returncode == code
        assert "no ?[2J" in done.stderr and "hint: do that" in done.stderr


def test_lists_for_people_and_for_programs():
    with running(**{"GET_/snapshots": (200, {"snapshots": [DONE | {"id": "old"}, READING]})}) as instance:
        text = run_capture("snapshot", "list", env=instance.environment)
        assert text.returncode == 0
        assert [line.split()[0] for line in text.stdout.splitlines()] == ["SNAPSHOT", "old", "again"]
        assert "10 rows/s, about 7 s left" in text.stdout
        as_json = run_capture("snapshot", "list", "--output", "json", env=instance.environment)
        assert json.loads(as_json.stdout)["snapshots"] == [DONE | {"id": "old"}, READING]


@pytest.mark.parametrize("last, code, text", [
    (DONE, 0, "Snapshot again is done: 100 rows in 10 s."),
    (DONE | {"state": "failed", "reason": "gone"}, 1, "Snapshot again has failed: gone."),
    (DONE | {"state": "cancelled"}, 1, "Snapshot again is cancelled"),
])
def test_waits_for_the_end(last, code, text):
    reports = [READING, READING]
    answers = {"POST_/snapshots": (202, {"id": "again"}),
               "GET_/snapshots/again": (200, lambda: reports.pop() if reports else last)}
    with running(**answers) as instance:
        done = run_capture("snapshot", "a.b", "--wait", env=instance.environment)
        assert done.returncode == code and text in done.stdout and "\x1b" not in done.stdout
        assert "1 of 2 tables, 30 of about 100 rows (30 %)" in done.stdout
        as_json = run_capture("snapshot", "a.b", "--wait", "--output", "json", env=instance.environment)
        assert as_json.returncode == code and json.loads(as_json.stdout) == last


def test_a_signal_ends_the_watching_and_says_how_to_go_on():
    with running(**{"GET_/snapshots/again": (200, READING)}) as instance:
        process = subprocess.Popen([str(binary()), "snapshot", "wait", "again"],
                                   env=instance.environment, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        try:
            wait_until(lambda: len(instance.seen) > 2, what="asked a few times")
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=60)
        finally:
            process.kill()
        assert process.returncode == 10 and "pg-capture snapshot wait again" in stderr
