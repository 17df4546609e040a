"""Makes `from support.servers import …` work in every suite."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))


def pytest_configure(config):
    """One place for servers, decided before xdist starts its workers."""
    from support import processes

    processes.server_base()


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
