"""Values as Debezium's types have them, back in SQL: PostgreSQL then says what it would have printed.

    columns = columns_of(connection, "t")       # name -> Kind
    expression(columns["a"], value)             # SQL of a value of the column's type

Values are as JSON has them, bytes in base64; numbers of fixed scale are text or the bytes of the unscaled number.
"""

import base64
import dataclasses
import decimal
import json
import re
import struct

_FACTS = """
SELECT t.oid, t.typname, t.typtype::text, t.typbasetype, t.typtypmod, CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE 0 END,
  t.typrelid, format_type(t.oid, %(modifier)s)
FROM pg_type t WHERE t.oid = %(type)s"""
_COLUMNS = """SELECT attname, atttypid, atttypmod FROM pg_attribute
WHERE attrelid = %(relation)s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""


@dataclasses.dataclass
class Kind:
    """A type with its modifier; a domain is what it is over, under its own `written` name."""

    name: str
    modifier: int
    written: str
    element: "Kind | None" = None
    fields: "dict | None" = None        # of a composite


def columns_of(connection, relation):
    """name -> Kind"""
    return {name: _kind(connection, kind, modifier)
            for name, kind, modifier in connection.execute(_COLUMNS, {"relation": relation}).fetchall()}


def _kind(connection, oid, modifier):
    _, name, sort, base, base_modifier, element, relation, written = connection.execute(
        _FACTS, {"type": oid, "modifier": modifier}).fetchone()
    if sort == "d":
        return dataclasses.replace(_kind(connection, base, base_modifier), written=written)
    if sort == "c":
        fields = connection.execute("SELECT typrelid::regclass::text FROM pg_type WHERE oid = %s", (oid,)).fetchone()
        return Kind(name, modifier, written, fields=columns_of(connection, fields[0]))
    return Kind(name, modifier, written, element=_kind(connection, element, modifier) if element else None)


def expression(kind, value):
    """SQL of a value of this type."""
    if value is None:
        return f"NULL::{kind.written}"
    if kind.element and kind.name not in ("int2vector", "oidvector"):
        return f"ARRAY[{', '.join(expression(kind.element, part) for part in value)}]::{kind.written}"
    if kind.fields:
        parts = ", ".join(expression(field, value[name]) for name, field in kind.fields.items())
        return f"ROW({parts})::{kind.written}"
    make = _MADE.get(kind.name)
    return f"{_quoted(make(kind, value) if make else value)}::{kind.written}"


def _quoted(value):
    if isinstance(value, bool):
        value = str(value).lower()
    text = repr(value) if isinstance(value, float) else str(value)
    return "'" + text.replace("'", "''") + "'"


def _number(kind, value):
    """Of a scale of its own, or of the column's."""
    if isinstance(value, dict):
        return decimal.Decimal(_unscaled(value["value"])).scaleb(-value["scale"], _WIDE)
    try:
        return decimal.Decimal(value)
    except decimal.InvalidOperation:
        return decimal.Decimal(_unscaled(value)).scaleb(-_scale(kind.modifier), _WIDE)


def _scale(modifier):
    """Which may be negative: eleven bits with a sign."""
    return ((modifier - 4 & 0x7FF) ^ 1024) - 1024


_WIDE = decimal.Context(prec=500)


def _unscaled(text):
    return int.from_bytes(base64.b64decode(text), "big", signed=True)


def _money(_, value):
    return f"{decimal.Decimal(value) if '.' in value else decimal.Decimal(_unscaled(value)).scaleb(-2)}"


def _clock(seconds, fraction, digits):
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{fraction:0{digits}}"


def _digits(kind):
    """Of the fractions of a second that the value counts."""
    return 3 if 0 <= kind.modifier <= 3 else 6


def _time(kind, value):
    unit = 10 ** _digits(kind)
    return _clock(value // unit, value % unit, _digits(kind))


def _days(days):
    """A day as PostgreSQL reads it, whatever its year: Python's end at 9999."""
    days += 719_468
    era, of_era = divmod(days, 146_097)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    year += era * 400 + (month <= 2)
    return f"{year:04}-{month:02}-{day:02}" if year > 0 else f"{1 - year:04}-{month:02}-{day:02} BC"


def _date(_, value):
    return {2**31 - 1: "infinity", -2**31 + 1: "-infinity"}.get(value) or _days(value)


def _timestamp(kind, value):
    unit = 10 ** _digits(kind)
    if abs(value) > 9 * 10**12 * unit:      # beyond what PostgreSQL has
        return "infinity" if value > 0 else "-infinity"
    days, rest = divmod(value, 86_400 * unit)
    day, _, era = _days(days).partition(" ")
    return f"{day} {_clock(rest // unit, rest % unit, _digits(kind))} {era}"


def _timestamptz(_, value):
    before = re.fullmatch(r"-(\d+)(-.*)", value)
    return f"{int(before[1]) + 1:04}{before[2]} BC" if before else value.lstrip("+")


def _bits(kind, value):
    if isinstance(value, bool):
        return str(int(value))
    number = int.from_bytes(base64.b64decode(value), "little")
    return f"{number:0{kind.modifier if kind.name == 'bit' else 0}b}"


def _hstore(_, value):
    def quoted(text):
        return "NULL" if text is None else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return ", ".join(f"{quoted(k)}=>{quoted(v)}" for k, v in json.loads(value).items())


def _wkb(value):
    """The points of well-known binary: of a line, or of a polygon with one ring."""
    raw = base64.b64decode(value["wkb"])
    start = {2: 9, 3: 13}[struct.unpack_from("<I", raw, 1)[0]]
    count, = struct.unpack_from("<I", raw, start - 4)
    numbers = struct.unpack_from(f"<{2 * count}d", raw, start)
    return [_pair(*numbers[i:i + 2]) for i in range(0, len(numbers), 2)]


def _pair(x, y):
    return f"({x!r},{y!r})"


def _polygon(_, value):
    points = _wkb(value)    # the last is the first once more, of one point there is no more
    return f"({','.join(points[:-1] or points)})"


def _path(_, value):
    points = ",".join(_wkb(value))
    return f"({points})" if value["extensions"]["closed"] == "true" else f"[{points}]"


_MADE = {
    "numeric": _number, "money": _money, "date": _date, "time": _time, "timestamp": _timestamp, "timestamptz": _timestamptz,
    "bit": _bits, "varbit": _bits, "hstore": _hstore,
    "bytea": lambda _, value: "\\x" + base64.b64decode(value).hex(),
    "point": lambda _, value: _pair(value["x"], value["y"]),
    "line": lambda _, value: f"{{{value['a']!r},{value['b']!r},{value['c']!r}}}",
    "circle": lambda _, value: f"<{_pair(value['center']['x'], value['center']['y'])},{value['radius']!r}>",
    "lseg": lambda _, value: f"[{','.join(_wkb(value))}]",
    "box": lambda _, value: ",".join(_wkb(value)[::2][:2]),
    "polygon": _polygon,
    "path": _path,
}
