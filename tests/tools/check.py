#!/usr/bin/env python3
"""check.py - runs all rings of tests and adds up what they say: N passed, N failed, N skipped.

Usage: check.py [--build DIR] [--seeds N] [--quick] [RING...]; rings: lint unit sim integration conformance
"""
import argparse
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, passed=0, failed=0, skipped=0):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped


def run(cmd, timeout, echo=False):
    """Exit code and output; with echo the output is also shown as it comes."""
    start = time.monotonic()
    p = subprocess.Popen(cmd, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         text=True, errors="replace")
    lines = []
    for line in p.stdout:
        lines.append(line)
        if echo:
            print(line, end="", flush=True)
        if time.monotonic() - start > timeout:
            p.kill()
            lines.append(f"killed after {timeout} s\n")
    return p.wait(), "".join(lines), time.monotonic() - start


def say(ok, name, seconds, output):
    print(f"{'ok  ' if ok else 'FAIL'} {name} ({seconds:.1f} s)", flush=True)
    if not ok:
        print(output[-6000:], flush=True)


def ring_lint(a, t):
    for name, cmd in (("lint", ["make", "-s", "lint"]),
                      ("lint finds what it must", [sys.executable, "tests/tools/test_lint.py"])):
        code, out, s = run(cmd, 120)
        t.add(passed=code == 0, failed=code != 0)
        say(code == 0, name, s, out)


def ring_unit(a, t):
    for source in sorted((ROOT / "tests/unit").glob("test_*.c")):
        code, out, s = run([f"{a.build}/tests/unit/{source.stem}"], 300)
        passed = len(re.findall(r"^\[       OK \]", out, re.M))
        failed = len(set(re.findall(r"^\[  FAILED  \] (test_\w+)", out, re.M)))
        skipped = len(re.findall(r"^\[  SKIPPED \] test_\w+", out, re.M))
        if code != 0 and failed == 0:
            failed = 1
        t.add(passed, failed, skipped)
        say(code == 0, f"{source.stem}: {passed} tests", s, out)


def ring_sim(a, t):
    for name, binary, seeds in (("sim", "tests/sim/sim", a.seeds),
                                ("queue_sim", "tests/queuesim/queue_sim", a.seeds // 4)):
        code, out, s = run([f"{a.build}/{binary}", "--seeds", str(seeds)], 900)
        t.add(passed=code == 0, failed=code != 0)
        say(code == 0, f"{name}: {(out.strip().splitlines() or ['said nothing'])[-1]}", s, out)


def ring_integration(a, t):
    code, out, s = run([sys.executable, "tests/integration/run.py"], 1500, echo=True)
    m = re.findall(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", out, re.M)
    if m:
        t.add(*(int(n) for n in m[-1]))
    if not m or (code != 0 and int(m[-1][1]) == 0):
        t.add(failed=1)


RINGS = {"lint": ring_lint, "unit": ring_unit, "sim": ring_sim, "integration": ring_integration}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--build", default="build/dev")
    p.add_argument("--seeds", type=int, default=20000)
    p.add_argument("rings", nargs="*", default=list(RINGS))
    a = p.parse_args()
    t = Tally()
    for ring in a.rings:
        RINGS[ring](a, t)
    print(f"{t.passed} passed, {t.failed} failed, {t.skipped} skipped")
    sys.exit(1 if t.failed or not t.passed else 0)


if __name__ == "__main__":
    main()
