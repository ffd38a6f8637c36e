# SPDX-License-Identifier: GPL-2.0-or-later
"""Google Benchmark's own compare.py reads our results. Skipped (77) where it or its libraries are not installed."""

import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile

COMPARE = pathlib.Path(os.environ.get("GOOGLE_BENCHMARK_COMPARE", "/usr/share/benchmark/compare.py"))


def main():
    hbench, data = sys.argv[1:]
    if not COMPARE.exists() or not all(importlib.util.find_spec(name) for name in ("numpy", "scipy")):
        print("skipped: needs the packages libbenchmark-tools and python3-scipy")
        return 77
    os.environ["HBENCH_DB"] = "none"
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for name in ("a", "b"):
            files.append(f"{folder}/{name}.json")
            subprocess.run([hbench, "import", "--machine", "m", "--metric", "instructions", "-o", files[-1],
                            f"{data}/good.log"], check=True, stdout=subprocess.DEVNULL)
        done = subprocess.run([sys.executable, COMPARE, "--no-color", "benchmarks", *files], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    print(done.stdout)
    wanted = [line for line in done.stdout.splitlines() if line.startswith("ipc/call_reply_cross/words:0 ")]
    return 0 if not done.returncode and wanted and "230" in wanted[0] and "OVERALL_GEOMEAN" in done.stdout else 1


sys.exit(main())
