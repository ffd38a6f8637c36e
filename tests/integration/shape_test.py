#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
The shape of the costs: boots a suite in QEMU's icount mode on several CPUs and wants the cases that are named to cost the same
whatever their parameter (ready SCs, CPUs, pairs), give or take a few instructions. Hence throughput grows with the CPUs.
"""

import argparse
import collections
import pathlib
import sys

import guest  # first: it finds machine
import machine


def minima(serial):
    """Of each case, the minimum of every parameter value."""
    found = collections.defaultdict(dict)
    for line in guest.bench_lines(serial):
        if line["type"] == "sample":
            found[line["case"]][" ".join(f"{k}:{v}" for k, v in line["params"].items())] = line["min"]
    return found


def judge(found, case, slack):
    """What is wrong with a case, or None."""
    costs = found.get(case, {})
    if len(costs) < 2:
        return f"{case} was measured for {len(costs)} values of its parameter: nothing to compare"
    if max(costs.values()) - min(costs.values()) > slack:
        return f"{case} is not constant: {costs}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--slack", type=int, default=0, help="instructions that a case may vary by")
    parser.add_argument("suite", help="roottask in the build folder")
    parser.add_argument("constant", nargs="+", help="cases that must not grow")
    args = parser.parse_args()
    build = pathlib.Path(args.build).resolve()
    vm = machine.Machine(kernel=str(build / "hypervisor.elf32"), modules=[(str(build / args.suite), "")], cpus=args.cpus,
                         icount=True)
    outcome = machine.run(vm, timeout=200)
    complaints = guest.judge_bench(outcome.serial)
    if not complaints:
        found = minima(outcome.serial)
        complaints = [text for case in args.constant if (text := judge(found, case, args.slack))]
    if complaints:
        sys.exit("\n".join(f"FAIL: {text}" for text in complaints))
    print(f"PASS: {', '.join(args.constant)} cost the same whatever their parameter, in {outcome.seconds:.1f} s")


if __name__ == "__main__":
    main()
