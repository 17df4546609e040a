"""Runs every fuzz target of build/sanitize for some seconds, from its kept corpus.

    tools/run_fuzz.py [--seconds N] [--seed N] [--junit FILE] [TARGET…]

Without a seed, or with 0, each run takes another way. New inputs go to
build/fuzz-corpus/<target>; what is worth keeping is copied by hand to
tests/fuzz/corpus/<target>. A finding is left as build/fuzz-findings/<target>-… and can be
replayed: build/sanitize/fuzz/fuzz_<target> FILE. tests/fuzz/<target>.dict is used if there.
"""

import argparse
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import time
from xml.sax.saxutils import escape, quoteattr

ROOT = pathlib.Path(__file__).resolve().parents[1]


def run_target(binary, seconds, seed):
    name = binary.name.removeprefix("fuzz_")
    found = ROOT / "build" / "fuzz-corpus" / name
    found.mkdir(parents=True, exist_ok=True)
    findings = ROOT / "build" / "fuzz-findings"
    findings.mkdir(parents=True, exist_ok=True)
    command = [str(binary), f"-max_total_time={seconds}", f"-seed={seed}", "-timeout=60", "-rss_limit_mb=2048",
               "-print_final_stats=1", f"-artifact_prefix={findings}/{name}-", str(found)]
    kept = ROOT / "tests" / "fuzz" / "corpus" / name
    if kept.is_dir():
        command.append(str(kept))
    words = ROOT / "tests" / "fuzz" / f"{name}.dict"
    if words.exists():
        command.append(f"-dict={words}")
    start = time.monotonic()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    return name, done.returncode, time.monotonic() - start, done.stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--junit")
    options = parser.parse_args()
    # Only targets whose source is still there: a build folder keeps old binaries.
    sources = sorted(p.stem for p in (ROOT / "tests" / "fuzz").glob("*.cc"))
    names = [n for n in sources if not options.targets or n in options.targets]
    binaries = [ROOT / "build" / "sanitize" / "fuzz" / f"fuzz_{n}" for n in names]
    cases, failures = [], 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=min(2, os.cpu_count() or 1)) as pool:
        for name, code, seconds, output in pool.map(
                lambda b: run_target(b, options.seconds, options.seed), binaries):
            lines = output.splitlines()
            runs = next((x.split()[-1] for x in lines if "number_of_executed_units" in x), "?")
            print(f"{name}: {'ok' if code == 0 else 'FOUND SOMETHING'}, {runs} runs, {seconds:.0f} s",
                  flush=True)
            failure = ""
            if code != 0:
                failures += 1
                print("\n".join([*(x for x in lines if "Seed:" in x), *lines[-60:]]), flush=True)
                failure = f"<failure>{escape(''.join(c for c in output[-4000:] if c.isprintable()))}</failure>"
            cases.append(f'<testcase classname="fuzz" name={quoteattr(name)} time="{seconds:.1f}">'
                         f"{failure}</testcase>")
    if options.junit:
        pathlib.Path(options.junit).write_text(
            f"<testsuite name='fuzz'>{''.join(cases)}</testsuite>\n", encoding="utf-8")
    return 1 if failures or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
