"""docs/SCENARIOS.md names tests that exist, and names one for every scenario it need not put off."""

import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "SCENARIOS.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (\d+) \|.*\| ([^|]*) \|$", re.MULTILINE)
LATER = set()


def unit_tests():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*_test.cc"], cwd=ROOT,
                            check=True, text=True, stdout=subprocess.PIPE).stdout.split()
    macro = re.compile(r"^(?:TYPED_)?TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", re.MULTILINE)
    return {".".join(m) for path in listed if (ROOT / path).exists()
            for m in macro.findall((ROOT / path).read_text(encoding="utf-8"))}


def problem(name, units):
    """Why `name` is no test of ours; None if it is one."""
    if name.endswith(".scenario"):
        return None if (ROOT / "tests/scenario" / name).exists() else "no such file"
    path, _, test = name.partition("::")
    if path.endswith(".py"):
        path = ROOT / "tests" / path
        if not path.exists():
            return "no such file"
        if test and not re.search(rf"^def {test}\(", path.read_text(encoding="utf-8"), re.MULTILINE):
            return "no such test in it"
        return None
    return None if name in units else "no such unit test"


def test_every_named_test_exists():
    units = unit_tests()
    names = [n for _, cell in ROW.findall(PAGE) for n in re.findall(r"`([^`]+)`", cell)]
    names += re.findall(r"`([\w/]+\.py(?:::\w+)?|\w+Test\.\w+)`", ROW.sub("", PAGE))
    assert len(names) > 100
    wrong = {name: why for name in names if (why := problem(
        name.removeprefix("tests/"), units))}
    assert not wrong


def test_every_scenario_has_a_row_with_a_test():
    rows = {int(number): cell for number, cell in ROW.findall(PAGE)}
    assert set(rows) == set(range(1, 59))
    assert {n for n, cell in rows.items() if "`" not in cell} == LATER


def test_every_scenario_file_stands_on_the_page():
    """Those about values and names only are reached by their families."""
    families = ("types_", "insert_update_delete", "latin1", "quoted_names")
    files = {p.name for p in (ROOT / "tests/scenario").glob("*.scenario")}
    missing = {f for f in files if f"`{f}`" not in PAGE and not f.startswith(families)}
    assert not missing
