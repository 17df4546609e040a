"""The tokens of golden.py: what differs by run goes, what is equal or in order stays so."""

import json

import golden
from support.kafka_client import Record


def record(topic, key, value, **headers):
    return Record(topic, 0, 0, json.dumps(key).encode(), value and json.dumps(value).encode(), headers, 0)


def change(name, lsn, tx, at_us, before=None):
    return {"before": None, "after": {"id": 1}, "source": {
        "version": "3.7", "connector": "postgresql", "name": name, "ts_ms": at_us // 1000, "snapshot": "false",
        "sequence": json.dumps([before and str(before), str(lsn)]), "ts_us": at_us, "ts_ns": at_us * 1000, "txId": tx,
        "lsn": lsn}, "transaction": None, "op": "c", "ts_ms": 9, "ts_us": 9000, "ts_ns": 9_000_001}


def run_of(name, start):
    return golden.text_of([record(f"{name}.public.t", {"id": 1}, change(name, start + 10, start + 1, 1_000 + start)),
                           record(f"{name}.public.t", {"id": 1}, change(name, start + 30, start + 2, 9_000 + start, start + 20),
                                  x=name.encode()),
                           record(f"{name}.public.t", {"id": 1}, None)], name)


def test_two_runs_give_the_same_text():
    assert run_of("one", 100) == run_of("another", 7_000)


def test_order_and_equality_are_kept():
    _, lines = golden.read_text(run_of("one", 100))
    first, second, tombstone = lines
    assert first["value"]["source"]["lsn"] == "lsn1"
    assert second["value"]["source"] | {"sequence": ["lsn2", "lsn3"], "txId": "tx2", "ts_us": "at2"} == second["value"]["source"]
    assert first["value"]["ts_ns"] == "now"
    assert second["headers"] == {"x": "server"} and first["headers"] == {}
    assert tombstone["value"] is None


def test_what_the_server_logs_between_two_transactions_makes_no_difference():
    def of(end, begin):
        return golden.lines_of([record("one.t", {}, change("one", 10, 1, 5)),
                                record("one.t", {}, change("one", begin, 2, 6, end))], "one")
    assert not golden.difference(of(20, 20), of(20, 30))
    assert golden.difference(of(20, 20), of(5, 20)), "it ends before it begins"


def test_times_that_do_not_agree_are_seen():
    value = change("one", 1, 1, 5_000)
    value["source"]["ts_ms"] = 6
    _, (line,) = golden.read_text(golden.text_of([record("one.t", {}, value)], "one"))
    assert (line["value"]["source"]["ts_ms"], line["value"]["source"]["ts_us"]) == ("another time", "at1")


def test_order_of_fields_is_compared():
    value = change("one", 1, 1, 5_000)
    turned = dict(reversed(value.items()))
    one, other = (golden.lines_of([record("one.t", {}, v)], "one") for v in (value, turned))
    assert golden.difference(one, other)
    assert not golden.difference(one, one)


def test_long_values_still_differ():
    texts = [golden.lines_of([record("one.t", {}, {"v": "x" * 5000 + end})], "one") for end in "ab"]
    assert len(texts[0][0]["value"]["v"]) < 100
    assert golden.difference(*texts)


def test_equal_heartbeats_are_one():
    beat = record("__debezium-heartbeat.one", {"serverName": "one"}, {"ts_ms": 7})
    assert len(golden.lines_of([beat, beat, beat], "one")) == 1


def test_what_a_server_logs_of_itself_between_changes_is_no_difference():
    def lines(*changes):
        return golden.lines_of([record("one.t", {}, change("one", lsn, lsn, lsn, before)) for lsn, before in changes], "one")

    assert not golden.difference(lines((10, None), (20, 20), (30, 30)), lines((10, None), (20, 15), (30, 30)))
    assert golden.difference(lines((10, None), (20, 20), (30, 30)), lines((10, None), (20, 15), (30, 20)))
