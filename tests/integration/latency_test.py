#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Two witnesses of the suite "latency": a case reports how long the most important thread of a CPU waited, and the kernel's own
histograms how long its paths ran on that CPU. The important thread is woken all the time, also while the case builds and cleans,
so the longest path and the longest wait have to be the same, but for the distance between two wake-ups and the wake-up itself.
"""

import argparse
import pathlib
import struct
import sys

import guest  # first: it finds machine
import machine

CASES = ("revoke_tree/size:256", "delegate_ports/size:64", "create_pd/size:64", "wake_ups/size:1024")
WATCHED = 1  # the CPU
ELSEWHERE = (25, 26)  # paths that are times of several CPUs: shootdown, grace
DISTANCE = 1500  # instructions from one wake-up to the next
SLACK = 1000  # for waking, and for what tracing costs

# struct trace_path of <hedron/trace.h>
BINS = 496
LAYOUT = struct.Struct(f"<8Q{BINS}I")


def lowest(bin_number):
    """trace_bin_low(), the least value of a bin."""
    return bin_number if bin_number < 16 else (8 + bin_number % 8) << (bin_number // 8 - 1)


def longest_path(serial):
    """The path with the longest time on the watched CPU: that time, at least and at most, and its number."""
    best = (0, 1, None)
    for line in guest.trace_lines(serial):
        if line["type"] != "path" or line["cpu"] != WATCHED or line["path"] in ELSEWHERE:
            continue
        bins = LAYOUT.unpack(bytes.fromhex(line["data"]).ljust(LAYOUT.size, b"\0"))[8:]
        last = max(i for i in range(BINS) if bins[i])
        best = max(best, (lowest(last), lowest(last + 1), line["path"]))
    return best


def judge(case, serial):
    """What is wrong, or None."""
    waits = [line["max"] for line in guest.bench_lines(serial) if line["type"] == "sample"]
    if len(waits) != 1:
        return f"{case}: {len(waits)} samples instead of one"
    least, most, path = longest_path(serial)
    print(f"{case}: the longest wait {waits[0]}, the longest path {path} from {least} to {most}")
    if path is None:
        return f"{case}: no path was measured"
    if waits[0] > most + SLACK or waits[0] < least - DISTANCE - SLACK:
        return f"{case}: a wait of {waits[0]} and path {path} of {least} to {most} do not agree"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    args = parser.parse_args()
    build = pathlib.Path(args.build).resolve()
    complaints = []
    for case in CASES:
        words = f"case={case} watch_all={DISTANCE} trace_paths=all"
        vm = machine.Machine(kernel=str(build / "hypervisor.elf32"), modules=[(str(build / "latency.elf"), words)], cpus=2,
                             icount=True)
        serial = machine.run(vm, timeout=200).serial
        complaints += guest.judge_bench(serial) or filter(None, [judge(case, serial)])
    if complaints:
        sys.exit("\n".join(f"FAIL: {text}" for text in complaints))
    print("PASS: the waits are as long as the kernel's paths")


if __name__ == "__main__":
    main()
