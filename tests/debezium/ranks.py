"""Tokens of golden.py that do not depend on what else the server wrote to its log meanwhile.

    lines = settled(lines)

Where a transaction ends, or a logical message, is the place at which the next row is, unless the
server has put a record of its own between them. So an end becomes the last row before it ("after
lsn3"), and all tokens are ranked again, among the lines that there are.
"""

import bisect
import re

_TOKEN = re.compile(r"(lsn|tx|at)(\d+)")
_ID = re.compile(r"(tx\d+):(lsn\d+)")
_PARTS = ("key", "value", "headers")    # schemas have none


def _is_end(line):
    """All its places are ends."""
    value = line["value"]
    return isinstance(value, dict) and (value.get("op") == "m" or value.get("status") == "END")


class _Ranks:
    def __init__(self, lines):
        self._seen = {"lsn": set(), "tx": set(), "at": set()}
        for line in lines:
            kinds = {"tx", "at"} if _is_end(line) else {"tx", "at", "lsn"}
            for part in _PARTS:
                self._see(line[part], "", kinds)
        self._sorted = {kind: sorted(numbers) for kind, numbers in self._seen.items()}

    def _see(self, node, name, kinds):
        if isinstance(node, dict):
            for key, part in node.items():
                self._see(part, key, kinds)
        elif isinstance(node, list):
            for part in node[1:] if name.endswith("sequence") else node:
                self._see(part, "", kinds)
        elif isinstance(node, str):
            token = _TOKEN.fullmatch(node) or _TOKEN.fullmatch(node.partition(":")[0])
            if token and token[1] in kinds:
                self._seen[token[1]].add(int(token[2]))

    def of(self, text):
        """The token's rank now; of a place that is no row's, the row's before it."""
        kind, number = _TOKEN.fullmatch(text).groups()
        if int(number) not in self._seen[kind]:
            return self.before(text)
        return f"{kind}{bisect.bisect_right(self._sorted[kind], int(number))}"

    def before(self, text):
        kind, number = _TOKEN.fullmatch(text).groups()
        return f"after {kind}{bisect.bisect_left(self._sorted[kind], int(number))}"


def _settle(node, name, ranks, place):
    if isinstance(node, dict):
        return {key: _settle(part, key, ranks, place) for key, part in node.items()}
    if isinstance(node, list) and name.endswith("sequence") and len(node) == 2:
        return [node[0] and ranks.before(node[0]), place(node[1])]
    if isinstance(node, list):
        return [_settle(part, "", ranks, place) for part in node]
    if isinstance(node, str) and _ID.fullmatch(node):
        transaction, at = node.split(":")
        return f"{ranks.of(transaction)}:{place(at)}"
    if isinstance(node, str) and _TOKEN.fullmatch(node):
        return place(node) if node.startswith("lsn") else ranks.of(node)
    return node


def settled(lines):
    ranks = _Ranks(lines)
    return [line | {part: _settle(line[part], "", ranks, ranks.before if _is_end(line) else ranks.of) for part in _PARTS}
            for line in lines]
