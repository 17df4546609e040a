"""Makes `from support.servers import …` work in every suite."""

import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))


# Words of the environment that would steer libpq, HTTP clients and the tests' own text files.
_FOREIGN = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def pytest_configure(config):
    """One place for servers, decided before xdist starts its workers."""
    for name in list(os.environ):
        if name.lower() in _FOREIGN or name.startswith("PG") and "_" not in name or name == "PGCONNECT_TIMEOUT":
            del os.environ[name]
    from support import processes

    processes.server_base()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    from support import figures

    figures.begin_test(item.user_properties)


def pytest_terminal_summary(terminalreporter):
    from support import figures

    found = figures.shown(terminalreporter.getreports("passed") + terminalreporter.getreports("failed"))
    if found:
        terminalreporter.section("figures")
    for line in found:
        terminalreporter.write_line(line)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A test that failed shows what each pg-capture of its own said at last."""
    from support.capture import Capture

    outcome = yield
    report = outcome.get_result()
    if call.when == "call" and report.failed:
        report.sections += [(f"the end of what {capture.directory.name} said", capture.stderr_tail())
                            for capture in Capture.made]
    if call.when == "teardown":
        Capture.made.clear()
