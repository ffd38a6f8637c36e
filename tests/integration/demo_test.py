#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
boot/demo, and with it `boot/run --vm`: it first says how long it takes, then two guests, which differ in processors and memory,
hear of each other and switch themselves off. Ends with 77, which means skipped, if Debian's packages were never fetched and
cannot be. usage: demo_test.py BUILD
"""

import pathlib
import re
import subprocess
import sys

DEMO = pathlib.Path(__file__).resolve().parents[2] / "boot/demo"
WANTED = (r"\A[^|]*about half a minute", r"^vm0\| this is Linux .* 1 processor\(s\) and \d{5} kB",
          r"^vm1\| .* 2 processor\(s\) and 1\d{5} kB",
          r"^vm0\| 10\.0\.0\.2 answers me, 10\.0\.0\.1", r"^vm1\| 10\.0\.0\.1 answers me, 10\.0\.0\.2",
          r"^vm0\| 10\.0\.0\.2 has asked me", r"^vm1\| 10\.0\.0\.1 has asked me",
          r"^vm0: the guest has switched its machine off", r"^vm1: the guest has switched its machine off")


def main():
    done = subprocess.run([sys.executable, DEMO, "--build", sys.argv[1], "--timeout", "300"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    print(done.stdout)
    if "packages cannot be fetched" in done.stdout:
        print(f"SKIP: {done.stdout.splitlines()[-1]}")
        return 77
    missing = [pattern for pattern in WANTED if not re.search(pattern, done.stdout, re.MULTILINE)]
    for pattern in missing:
        print(f"FAIL: nothing matches {pattern}")
    return 1 if missing or done.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
