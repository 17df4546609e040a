"""Makes `from support.servers import …` work in every suite."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))


def pytest_configure(config):
    """One place for servers, decided before xdist starts its workers."""
    from support import processes

    processes.server_base()
