# SPDX-License-Identifier: GPL-2.0-or-later
"""What a guest says on the serial line, judged. docs/bench-protocol.md has the format."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "boot"))
import serial_lines  # noqa: E402  (found through the line above)

BANNER = r"^Hedron Hypervisor .*\[(MB[12])\]"
TEST_LINE = re.compile(r"TEST ([\w.-]+/[\w.-]+): (PASS|SKIP|FAIL)\b *(.*)")
TEST_END = re.compile(r"TEST-END (\d+) (\d+) (\d+)")


def judge_tests(serial):
    """Complaints about a conformance roottask's output; none if everything passed and nothing is missing."""
    counts = {"PASS": 0, "FAIL": 0, "SKIP": 0}
    complaints, names = [], set()
    for name, verdict, text in TEST_LINE.findall(serial):
        counts[verdict] += 1
        if name in names:
            complaints.append(f"{name} reported twice")
        names.add(name)
        if verdict == "FAIL":
            complaints.append(f"{name}: {text}")
    ends = TEST_END.findall(serial)
    if len(ends) != 1:
        complaints.append(f"{len(ends)} TEST-END lines instead of one: the roottask did not come to its end")
    elif tuple(map(int, ends[0])) != (counts["PASS"], counts["FAIL"], counts["SKIP"]):
        complaints.append(f"TEST-END says {ends[0]}, the lines say {tuple(counts.values())}")
    if not counts["PASS"]:
        complaints.append("not one test passed")
    return complaints


def bench_lines(serial):
    """The protocol's objects, in order."""
    return list(serial_lines.objects(serial))


def trace_lines(serial):
    """The lines of a trace, in order."""
    return list(serial_lines.objects(serial, serial_lines.TRACE_PREFIX))


def judge_bench(serial):
    """Complaints about a benchmark roottask's output."""
    try:
        lines = bench_lines(serial)
    except serial_lines.LineError as error:
        return [f"a result line is damaged: {error}"]
    if not lines or lines[0].get("type") != "run":
        return ["no `run` line at the start"]
    complaints = [f"{line['case']} {line.get('params')}: {line['why']}" for line in lines if line["type"] == "fail"]
    if lines[-1].get("type") != "end" or lines[-1].get("lines") != len(lines) - 1:
        complaints.append("the `end` line is missing or counts other lines: the run was cut off")
    if not any(line["type"] == "sample" for line in lines):
        complaints.append("not one sample")
    return complaints
