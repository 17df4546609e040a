"""This build beside an older one (`bench/run --against`): what changed, as ratios of medians."""

from contenders import BEFORE

# Figure, what it is called, and whether more of it is better.
FIGURES = [("rate", "rate", True), ("cpu_us", "CPU", False), ("cpu_cores", "CPU", False),
           ("p99_ms", "p99", False), ("memory_mib", "peak RSS", False),
           ("caught_up_s", "caught up after", False), ("peak_mib", "peak RSS", False)]


def compare(results):
    """(workload, route, figure, ratio) of each figure: 1.03 is three per cent better than before,
    whatever is better for that figure."""
    rows = []
    for workload, result in results.items():
        routes = result["routes"] if "routes" in result else {}
        if workload == "start_ms":
            routes = {route: {"p99_ms": ms} for route, ms in result.items()}
        for route, figure in routes.items():
            before = routes.get(route + BEFORE)
            for key, name, more_is_better in FIGURES if before else []:
                if (workload, key) == ("latency", "rate"):
                    continue  # of the load, not ours
                if key in figure and figure[key] > 0 and before[key] > 0:
                    ratio = figure[key] / before[key]
                    name = "start to first change" if workload == "start_ms" else name
                    rows.append((workload, route, name, ratio if more_is_better else 1 / ratio))
    return rows


def show(results):
    rows = compare(results)
    if not rows:
        return
    print("\nagainst the build before (above 1: better now)")
    for workload, route, name, ratio in rows:
        print(f"  {workload:10} {route:16} {name:22} {ratio:.3f}")
