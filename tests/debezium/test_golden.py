"""pg-capture beside the real Debezium connector: the same SQL, the same records.

What Debezium makes of each case stands in golden/, as record.py recorded it. By night the connector
itself runs, on the oldest and on the newest server, and must make the same as ever.
"""

import collections
import subprocess

import differences
import golden
import ours
import pytest
import recording
from cases import CASES, TYPES
from support.processes import ROOT

COMPARED = [case for case in CASES if differences.is_compared(case)]


def names(cases, by_day=None):
    """Parameters; those of cases that are not run by day are marked."""
    return {"argvalues": [case if by_day is None or case.name in by_day
                          else pytest.param(case, marks=pytest.mark.nightly) for case in cases],
            "ids": [case.name for case in cases]}


def lines_of(case):
    return golden.read_text(case.golden.read_text(encoding="utf-8"))[1]


@pytest.fixture
def run(request):
    """A name of its own for each run on the servers of this worker."""
    runs = request.config.stash.setdefault(_RUNS, collections.Counter())
    runs["made"] += 1
    return lambda case: recording.Run(case, f"run{runs['made']:03}")


_RUNS = pytest.StashKey()


BY_DAY = [*TYPES, "numbers-schemas", "times-schemas", "defaults-schemas", "identities", "unique_keys", "names-schemas",
          "toast_types-modes", "unwrap-added"]


@pytest.mark.parametrize("case", **names(COMPARED, by_day=BY_DAY))
def test_records_are_as_debezium_makes_them(case, servers, broker, run):
    made = ours.record(servers(), broker, run(case))
    found = golden.lines_of(made.records, made.name)
    assert found, "nothing came"
    difference = golden.difference(differences.expected(lines_of(case)), differences.compared(found))
    assert not difference, difference[:20_000]


@pytest.mark.parametrize("case", **names([case for case in CASES if case.name in differences.REFUSED]))
def test_values_that_have_no_form_are_refused(case, servers, broker, run):
    said = ours.refusal(servers(), broker, run(case))
    assert differences.REFUSED[case.name] in said


@pytest.mark.parametrize("difference", differences.DIFFERENCES, ids=[d.__name__ for d in differences.DIFFERENCES])
def test_each_difference_is_one(difference):
    """What changes nothing in any case is a difference no more."""
    assert any(differences.expected(lines_of(case), [difference]) != differences.expected(lines_of(case), [])
               for case in COMPARED)


def test_every_case_is_recorded_and_none_is_left_over():
    recorded = {path.stem for path in (CASES[0].golden.parent).glob("*.jsonl")}
    assert recorded == {case.name for case in CASES}


@pytest.fixture(scope="module")
def debezium():
    subprocess.run([ROOT / "tools" / "debezium.sh"], check=True)


@pytest.mark.nightly
@pytest.mark.parametrize("version", ["15", "18"])
def test_the_connector_makes_what_is_recorded(version, debezium, servers, broker):
    made = {}

    def done(run):
        made[run.case.name] = golden.text_of(run.records, run.name, run.failed)

    for start in range(0, len(CASES), 36):
        recording.record_all(servers(version), broker, CASES[start:start + 36], done,
                             start + (500 if version == "18" else 0))
    differing = {}
    for case in CASES:
        failed, lines = golden.read_text(made[case.name])
        if difference := golden.difference(lines_of(case), lines):
            differing[case.name] = f"{failed}\n{difference[:3000]}"
    assert not differing, "\n".join(f"{name}: {text}" for name, text in differing.items())
    print(f"PostgreSQL {version}: {len(CASES)} cases, {sum(len(lines_of(case)) for case in CASES)} records as recorded")
