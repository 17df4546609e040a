"""pg-capture beside Debezium in one table, as the README shows it, with what we are out for."""

from debezium import VERSION
from workloads import DEBEZIUM, KAFKA

OURS = KAFKA[0]


def _row(what, ours, theirs, ratio, goal):
    return f"| {what} | {ours} | {theirs} | {ratio} | {goal} |"


def _drain_rows(routes):
    ours, theirs = routes[OURS], routes[DEBEZIUM]
    return [
        _row("a backlog of 1.4 million changes → Kafka, changes/s", f"{ours['rate']:,.0f}",
             f"{theirs['rate']:,.0f}", f"{ours['rate'] / theirs['rate']:.1f} × as fast", "≥ 5 ×"),
        _row("CPU for it, µs a change", f"{ours['cpu_us']:.2f}", f"{theirs['cpu_us']:.1f}",
             f"{theirs['cpu_us'] / ours['cpu_us']:.0f} × less", "≥ 20 ×"),
        _row("peak memory, MiB", f"{ours['memory_mib']:.0f}", f"{theirs['memory_mib']:,.0f}",
             f"{theirs['memory_mib'] / ours['memory_mib']:.0f} × less", "≥ 12 ×"),
    ]


def _latency_rows(routes):
    ours, theirs = routes[OURS], routes[DEBEZIUM]

    def times(f):
        return f"{f['p50_ms']:.1f} / {f['p99_ms']:.1f} / {f['max_ms']:.1f}"
    return [
        _row("row written → seen by a consumer at 5,000 changes/s, p50 / p99 / max, ms", times(ours),
             times(theirs), f"p99 {ours['p99_ms'] / theirs['p99_ms']:.2f} of its", "≤ 0.33"),
        _row("CPU at 5,000 changes/s, cores", f"{ours['cpu_cores']:.3f}", f"{theirs['cpu_cores']:.3f}",
             f"{theirs['cpu_cores'] / ours['cpu_cores']:.1f} × less", "≥ 4 ×"),
    ]


def _snapshot_rows(routes):
    ours, theirs = routes[OURS], routes[DEBEZIUM]
    return [
        _row("a snapshot of 3 million rows → Kafka, rows/s", f"{ours['rate']:,.0f}", f"{theirs['rate']:,.0f}",
             f"{ours['rate'] / theirs['rate']:.1f} × as fast", "≥ 5 ×"),
    ]


def show(results):
    """Prints the rows that both took part in; nothing where there are none."""
    rows = []
    for name, make in (("backlog", _drain_rows), ("snapshot", _snapshot_rows), ("latency", _latency_rows)):
        routes = results.get(name, {}).get("routes", {})
        if OURS in routes and DEBEZIUM in routes:
            rows += make(routes)
    if rows:
        print(f"\n| PostgreSQL → Kafka | pg-capture | Debezium {VERSION}, tuned | | goal |")
        print("|---|---|---|---|---|")
        print("\n".join(rows))
