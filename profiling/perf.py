# SPDX-License-Identifier: GPL-2.0-or-later
"""
perf of linux-perf: what it can count here, counts, samples as folded stacks. Manuals: perf-stat(1), perf-record(1),
perf-script(1).
"""

import collections
import pathlib
import re
import shutil
import subprocess

EVENTS = ("instructions", "cycles", "branch-misses", "cache-misses")  # of programs, not of the kernel below them
CLOCK = "cpu-clock"  # to sample with where there are no counters
PARANOID = pathlib.Path("/proc/sys/kernel/perf_event_paranoid")
FRAME = re.compile(r"^\s+[0-9a-f]+ (.+) \(([^)]*)\)$")


class PerfError(Exception):
    """perf did not do what it should; the text says what it said."""


def run(command):
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False)
    except OSError as error:
        raise PerfError(f"{command[0]}: {error.strerror}") from None


def parse_stat(text):
    """{event: count, or None if it was not counted} of `perf stat -x,`; lines of other kinds are left out."""
    found = {}
    for line in text.splitlines():
        fields = line.split(",")
        if len(fields) >= 3 and fields[2]:
            event = fields[2].partition(":")[0]
            found[event] = int(fields[0]) if fields[0].isascii() and fields[0].isdigit() else None
    return found


def why_not():
    """Why programs cannot be counted here; nothing if they can."""
    if not shutil.which("perf"):
        return "perf is not installed (Debian's package linux-perf)"
    done = run(["perf", "stat", "-x,", "-e", f"{EVENTS[0]}:u", "true"])
    counts = parse_stat(done.stderr)
    if counts.get(EVENTS[0]):
        return ""
    if "<not supported>" in done.stderr:
        return "this machine has no hardware counters for programs, as most virtual machines; on real ones it is different"
    try:
        level = f", which is {PARANOID.read_text().strip()} here"
    except OSError:
        level = ""
    return f"the system permits no counters: {PARANOID} has to be at most 2{level}"


def stat(command, output):
    """(standard output, {event: count}) of a program that was counted; `output` is a file to use."""
    events = ",".join(f"{event}:u" for event in EVENTS)
    done = run(["perf", "stat", "-x,", "-o", str(output), "-e", events, "--", *map(str, command)])
    if done.returncode:
        raise PerfError(f"perf stat: {done.stderr.strip()[-500:]}")
    return done.stdout, parse_stat(output.read_text(errors="replace"))


def record(command, output, event):
    """Samples of a program with its call stacks, in a file for `perf report`."""
    done = run(["perf", "record", "-q", "-g", "-e", f"{event}:u", "-o", str(output), "--", *map(str, command)])
    if done.returncode or not output.is_file():
        raise PerfError(f"perf record: {done.stderr.strip()[-500:]}")


def fold(script):
    """
    Counter of stacks, as folded lines without their numbers, from the text of `perf script`: samples are separated by empty
    lines, the innermost frame is first. What is no frame is left out.
    """
    stacks, frames = collections.Counter(), []
    for line in [*script.splitlines(), ""]:
        found = FRAME.match(line)
        if found:
            name = found[1].rpartition("+0x")[0] or found[1]
            frames.append(re.sub(r"\s+", "_", name.replace(";", ":")))
        elif not line.strip() and frames:
            stacks[";".join(reversed(frames))] += 1
            frames = []
    return stacks


def folded(data):
    """Lines of folded stacks from a file of samples."""
    done = run(["perf", "script", "-i", str(data)])
    if done.returncode:
        raise PerfError(f"perf script: {done.stderr.strip()[-500:]}")
    return [f"{stack} {count}" for stack, count in fold(done.stdout).most_common()]


def top(lines, limit):
    """(share, function) of the innermost frames, the largest first."""
    counts = collections.Counter()
    for line in lines:
        stack, _, count = line.rpartition(" ")
        counts[stack.rpartition(";")[2]] += int(count)
    total = sum(counts.values())
    return [(count / total, name) for name, count in counts.most_common(limit)]
