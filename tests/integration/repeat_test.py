#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
The promise behind `./run bench`: counted instructions are exact. Boots a suite twice in QEMU's icount mode; every sample has to be
the same, to the last bin of its histogram.
"""

import argparse
import pathlib
import sys

import guest  # first: it finds machine
import machine


def samples(build, suite, cpus):
    """The samples of one boot, by name."""
    vm = machine.Machine(kernel=str(build / "hypervisor.elf32"), modules=[(str(build / suite), "")], cpus=cpus,
                         icount=True)
    outcome = machine.run(vm, timeout=100)
    complaints = guest.judge_bench(outcome.serial)
    if complaints:
        sys.exit("\n".join(f"FAIL: {text}" for text in complaints))
    return {f"{line['case']} {line['params']}": line for line in guest.bench_lines(outcome.serial) if line["type"] == "sample"}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("suite", help="roottask in the build folder")
    args = parser.parse_args()
    build = pathlib.Path(args.build).resolve()
    first, second = (samples(build, args.suite, args.cpus) for _ in range(2))
    if first.keys() != second.keys():
        sys.exit(f"FAIL: only in one run: {sorted(first.keys() ^ second.keys())}")
    different = [name for name in first if first[name] != second[name]]
    if different:
        sys.exit("\n".join(f"FAIL: {name}: {first[name]}\n      then {second[name]}" for name in different))
    print(f"PASS: {len(first)} samples are the same in both boots")


if __name__ == "__main__":
    main()
