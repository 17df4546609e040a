"""Records as text that is the same in every run: what differs by run is replaced by tokens.

    text = text_of(records, prefix)     # what golden/<case>.jsonl holds
    failed, lines = read_text(text)     # the lines as lines_of(records, prefix) gives them
    difference(expected, lines)         # "" or where they part

Tokens still show what is equal and what comes first: LSNs, transaction ids and commit times
become their rank among all of the case ("lsn3", "tx1", "at2"), times of processing become "now".
The topic prefix, which is the database's name too, becomes "server". Everything else stays as it
came, the order of fields and whether a number is an integer included.
"""

import bisect
import collections
import difflib
import hashlib
import json
import re

import ranks

_SCHEMAS = ("key_schema", "value_schema")
PREFIX = "server"
_LONG_TEXT, _LONG_LIST = 500, 100
_TX_ID = re.compile(r"(\d+):(\d+)")
_LSN = re.compile(r"\blsn(\d+)\b")
# Java's name of an object without one.
_ADDRESS = re.compile(r"(?:(?<=MessageId)|(?<=\[Ljava\.lang\.String;))@[0-9a-f]+")
# What a transform adds to flat rows and to headers, with any of the prefixes of our cases.
_ADDED = re.compile(r"(?:__|f\.|h_)(?:source_)?(lsn|txId|sequence|version|ts_ms|ts_us|ts_ns|transaction_id|was)")


class Normaliser:
    """Reads all records of a case first, to know the ranks."""

    def __init__(self, records, prefix):
        self._name = prefix.encode()
        self._seen = {"lsn": set(), "tx": set(), "at": set()}
        self._ranks = None
        self._parsed = [(self._text(r.topic.encode()), self._json(r.key), self._json(r.value),
                         {name: self._header(raw) for name, raw in r.headers.items()}) for r in records]
        for parsed in self._parsed:
            self._record(*parsed)       # only to see
        self._ranks = {kind: {value: f"{kind}{rank}" for rank, value in enumerate(sorted(values), 1)}
                       for kind, values in self._seen.items()}

    def records(self):
        return [self._record(*parsed) for parsed in self._parsed]

    # -- reading --------------------------------------------------------------------------

    def _text(self, raw):
        return _ADDRESS.sub("@address", raw.replace(self._name, PREFIX.encode()).decode())

    def _json(self, raw):
        return None if raw is None else json.loads(self._text(raw))

    def _header(self, raw):
        if raw is None:
            return None
        text = self._text(raw)
        try:
            parsed = json.loads(text)
        except ValueError:
            return text
        return text if isinstance(parsed, str) else parsed      # with its quotes

    # -- tokens ---------------------------------------------------------------------------

    def _token(self, kind, value):
        if value is None or isinstance(value, str) and not value.isdigit():
            return value
        if self._ranks is None:
            self._seen[kind].add(int(value))
            return value
        return self._ranks[kind][int(value)]

    def _transaction_id(self, text):
        match = _TX_ID.fullmatch(text or "")
        return f"{self._token('tx', match[1])}:{self._token('lsn', match[2])}" if match else text

    def _sequence(self, text):
        parts = json.loads(text) if isinstance(text, str) else text
        return None if parts is None else [self._token("lsn", part) for part in parts]

    def _times(self, block, token):
        """ts_ms, ts_us and ts_ns say one time: `token` of the finest that is there."""
        finest = block.get("ts_ns", block.get("ts_us", block.get("ts_ms")))
        for name, unit in (("ts_ms", 10**6), ("ts_us", 10**3), ("ts_ns", 1)):
            if isinstance(block.get(name), int):
                scale = 1 if "ts_ns" in block else 10**3 if "ts_us" in block else 10**6
                same = block[name] * unit // max(unit, scale) == finest * scale // max(unit, scale)
                block[name] = token(finest * scale // 1000) if same else "another time"

    def _commit_of(self, us):
        """Marks of transactions bear no microseconds."""
        return "commit" if any(us // 1000 == at // 1000 for at in self._seen["at"]) else "now"

    def _source(self, source):
        source = dict(source)
        source["version"] = "version"
        snapshot = source.get("snapshot") not in ("false", None)
        self._times(source, lambda us: "snapshot" if snapshot else self._token("at", us))
        if snapshot:    # each reader has its own
            source |= {name: "snapshot" for name in ("sequence", "lsn", "txId") if source.get(name) is not None}
        else:
            source["sequence"] = self._sequence(source.get("sequence"))
            source["lsn"] = self._token("lsn", source.get("lsn"))
            source["txId"] = self._token("tx", source.get("txId"))
        return source

    def _payload(self, topic, payload):
        if not isinstance(payload, dict):
            return payload
        payload = dict(payload)
        if isinstance(payload.get("source"), dict) and "connector" in payload["source"]:
            payload["source"] = self._source(payload["source"])
            self._times(payload, lambda us: "now")
            if payload.get("transaction"):
                payload["transaction"] = dict(payload["transaction"])
                payload["transaction"]["id"] = self._transaction_id(payload["transaction"]["id"])
        elif topic == f"{PREFIX}.transaction":
            payload["id"] = self._transaction_id(payload["id"])
            self._times(payload, self._commit_of)
            # The connector takes them out of a hash table.
            if payload.get("data_collections"):
                payload["data_collections"] = sorted(payload["data_collections"], key=lambda one: one["data_collection"])
        elif topic.startswith("__debezium-heartbeat."):
            self._times(payload, lambda us: "now")
        else:
            snapshot = "r" in (payload.get("__op"), payload.get("f.op"))
            payload = {name: self._added(name, value, snapshot) for name, value in payload.items()}
        return payload

    def _added(self, name, value, snapshot):
        match = _ADDED.fullmatch(name)
        if not match or value is None:
            return value
        kind = match[1]
        if snapshot and kind in ("lsn", "txId", "sequence"):
            return "snapshot"
        if kind == "lsn":
            return self._token("lsn", value)
        if kind == "txId":
            return self._token("tx", value)
        if kind == "sequence":
            return self._sequence(value)
        if kind == "transaction_id":
            return self._transaction_id(value)
        return value if kind == "was" else kind

    def _record(self, topic, key, value, headers):
        line = {"topic": topic}
        for side, content in (("key", key), ("value", value)):
            if isinstance(content, dict) and list(content) == ["schema", "payload"]:
                line[f"{side}_schema"] = content["schema"]
                content = content["payload"]
            line[side] = self._payload(topic, content)
        snapshot = "r" in (headers.get("__op"), headers.get("h_op"))
        line["headers"] = {name: self._header_value(name, content, snapshot) for name, content in headers.items()}
        return line

    def _header_value(self, name, content, snapshot):
        if name == "__debezium.context.runId":
            return "run"
        if isinstance(content, dict) and list(content) == ["schema", "payload"]:
            return {"schema": content["schema"], "payload": self._added(name, content["payload"], snapshot)}
        return self._added(name, content, snapshot)


def _shorter(value):
    """Long texts and lists as their beginning, their length and what they add up to."""
    if isinstance(value, dict):
        return {name: _shorter(part) for name, part in value.items()}
    if isinstance(value, list) and len(value) > _LONG_LIST:
        return _shorter(value[:3]) + [f"… {len(value)} {_digest(_compact(value))}"]
    if isinstance(value, list):
        return [_shorter(part) for part in value]
    if isinstance(value, str) and len(value) > _LONG_TEXT:
        return f"{value[:40]}… {len(value)} {_digest(value)}"
    return value


def _digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _without_repeats(lines):
    """Heartbeats come as often as time passes: several alike stand for one."""
    kept = []
    for line in lines:
        if not (kept and line == kept[-1] and line["topic"].startswith("__debezium-heartbeat.")):
            kept.append(line)
    return kept


def _most_common(values):
    texts = collections.Counter(_compact(value) for value in values)
    return json.loads(texts.most_common(1)[0][0]) if texts else None


def lines_of(records, prefix):
    """A dictionary for each record: topic, key, value, their schemas if they have some, headers.

    The sentinel's are left out.
    """
    lines = [{name: part if name in _SCHEMAS else _shorter(part) for name, part in line.items()}
             for line in Normaliser(records, prefix).records()]
    return _without_repeats(line for line in lines if line["topic"] != f"{PREFIX}.public.sentinel")


def text_of(records, prefix, failed=""):
    """JSON lines: the first holds what many records share, schemas by number and common headers."""
    lines = lines_of(records, prefix)
    schemas, common = [], _most_common([line["headers"] for line in lines])
    for line in lines:
        for side in _SCHEMAS:
            if side in line:
                if line[side] not in schemas:
                    schemas.append(line[side])
                line[side] = schemas.index(line[side])
        if line["headers"] == common:
            del line["headers"]
    head = {"headers": common, "schemas": schemas, "source": _shorten_sources(lines)}
    if failed:
        reasons = [line for line in failed.splitlines() if line.startswith("Caused by")]
        head["failed"] = (reasons or failed.splitlines())[-1]
    return "".join(_compact(line) + "\n" for line in [head, *lines])


def _source_of(line):
    value = line["value"]
    return value.get("source") if isinstance(value, dict) else None


def _shorten_sources(lines):
    """Leaves of each `source` its values; returns the names, which are the same everywhere."""
    names = next((list(source) for source in map(_source_of, lines) if isinstance(source, dict)), None)
    for line in lines:
        source = _source_of(line)
        if isinstance(source, dict) and list(source) == names:
            line["value"]["source"] = list(source.values())
    return names


def read_text(text):
    """(why the connector ended or "", the lines as of lines_of())"""
    head, *lines = map(json.loads, text.removesuffix("\n").split("\n"))
    for line in lines:
        line.setdefault("headers", head["headers"])
        if isinstance(_source_of(line), list):
            line["value"]["source"] = dict(zip(head["source"], line["value"]["source"], strict=True))
        for side in _SCHEMAS:
            if side in line:
                line[side] = head["schemas"][line[side]]
    return head.get("failed", ""), lines


def _without_gaps(lines):
    """Servers log of themselves, too: a change need not begin where the commit before it ended. So a commit
    counts as where the next change is.
    """
    changes = sorted({int(lsn[3:]) for line in lines for lsn in _changes_of(line)})

    def moved(match):
        at = bisect.bisect_left(changes, int(match[1]))
        return f"lsn{at + 1}" if at < len(changes) else "lsn_last"

    return [json.loads(_LSN.sub(moved, _compact(line))) for line in lines]


def _changes_of(line):
    source, value = _source_of(line), line["value"]
    if not source and isinstance(value, dict):
        source = {"lsn": value.get("__lsn", value.get("f.source_lsn"))}
    return [source["lsn"]] if source and _LSN.fullmatch(str(source.get("lsn"))) else []


def difference(expected, found):
    """Where two lists of lines part, for people; "" if nowhere. Schemas are compared like all else."""
    for compared in (list, _without_gaps, ranks.settled):
        pair = compared(expected), compared(found)
        if [_compact(line) for line in pair[0]] == [_compact(line) for line in pair[1]]:
            return ""
    expected, found = pair
    texts = [[json.dumps(line, ensure_ascii=False, indent=1) for line in lines] for lines in (expected, found)]
    return "\n".join(difflib.unified_diff(*("\n".join(t).splitlines() for t in texts), "Debezium", "pg-capture",
                                          lineterm="", n=4))
