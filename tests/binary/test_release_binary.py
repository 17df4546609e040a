"""The release binary is one file that runs on a bare machine."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from support.capture import binary, run_capture

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def release():
    if os.environ.get("PG_CAPTURE_BIN"):
        pytest.skip("another binary than build/release/pg-capture is under test")
    return binary()


def test_it_needs_libc_and_libm_only(release):
    listed = subprocess.run(["/usr/bin/ldd", release], check=True, text=True,
                            stdout=subprocess.PIPE).stdout
    names = {pathlib.Path(line.split()[0]).name for line in listed.splitlines() if line.strip()}
    extra = {n for n in names if not re.match(r"(libc|libm)\.so\.6$|linux-vdso|ld-linux", n)}
    assert not extra


def test_it_is_at_most_16_mb_stripped(release, tmp_path):
    copy = tmp_path / "pg-capture"
    shutil.copy(release, copy)
    subprocess.run(["/usr/bin/strip", copy], check=True)
    assert copy.stat().st_size <= 16_000_000


def test_it_holds_no_path_of_the_machine_it_was_built_on(release):
    assert str(ROOT / "src").encode() not in pathlib.Path(release).read_bytes()


def test_it_says_its_version(release):
    project = re.search(r"project\(pg-capture VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text())
    done = run_capture("--version")
    assert done.returncode == 0
    assert project.group(1) in done.stdout
