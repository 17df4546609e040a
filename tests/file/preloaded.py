"""Libraries that are preloaded into pg-capture, where what a test needs can't be had of the kernel."""

import subprocess

from support.processes import ROOT


def preloaded(directory, name):
    """Built from NAME.c beside this file, with the compiler that builds pg-capture."""
    library = directory / f"{name}.so"
    subprocess.run(["/usr/bin/gcc-12", "-shared", "-fPIC", "-O1", "-o", str(library),
                    str(ROOT / "tests" / "file" / f"{name}.c"), "-ldl"], check=True)
    return library
