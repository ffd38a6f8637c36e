# SPDX-License-Identifier: GPL-2.0-or-later
"""
Executed instructions of one benchmark of Google's library, under Valgrind: exact, on any machine. Callgrind writes its counts down
at both ends of the measured loop, so that nothing else is counted. Manual: Valgrind user manual, chapter 6.
"""

import pathlib
import re
import shutil
import subprocess

LOOP_STARTS, LOOP_ENDS = "benchmark::State::StartKeepRunning*", "benchmark::State::FinishKeepRunning*"
TRIGGER = re.compile(r"^desc: Trigger: --dump-before=", re.MULTILINE)
TOTALS = re.compile(r"^totals: (\d+)$", re.MULTILINE)


class CallgrindError(Exception):
    """Valgrind did not do what it should; the text says what it said."""


def why_not():
    return "" if shutil.which("valgrind") else "valgrind is not installed (Debian's package valgrind)"


def command(program, output, *options):
    return ["valgrind", "--tool=callgrind", f"--callgrind-out-file={output}", *options, *map(str, program)]


def run(words):
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False)
    except OSError as error:
        raise CallgrindError(f"{words[0]}: {error.strerror}") from None
    if done.returncode:
        raise CallgrindError(f"valgrind: {done.stderr.strip()[-500:]}")
    return done.stdout


def loops(folder):
    """Instructions of each run of the measured loop, in their order."""
    files = [file for file in pathlib.Path(folder).glob("out.*") if file.suffix[1:].isdigit()]
    files.sort(key=lambda file: int(file.suffix[1:]))
    texts = [file.read_text(errors="replace") for file in files]
    found = [TOTALS.search(text) for text in texts if TRIGGER.search(text)]
    if not found or not all(found):
        raise CallgrindError("Callgrind has not seen the measured loop, or its files are damaged")
    return [int(match[1]) for match in found]


def count(program, folder):
    """(standard output, instructions of each run of the loop). `folder` is empty."""
    out = run(command(program, pathlib.Path(folder) / "out", f"--dump-after={LOOP_STARTS}", f"--dump-before={LOOP_ENDS}"))
    return out, loops(folder)


def per_iteration(runs, iterations):
    """The library's first run has one iteration, and the last one those that it reports: both have the same ends of the loop."""
    return (runs[-1] - runs[0]) / (iterations - 1) if iterations > 1 else runs[-1]


def profile(program, output):
    """Counts by function in a file, for callgrind_annotate and KCachegrind; lines about the largest."""
    run(command(program, output))
    done = subprocess.run(["callgrind_annotate", str(output)], capture_output=True, text=True, errors="replace", check=False)
    return re.findall(r"^\s*[\d,]+ \([ \d.]+%\)  .*$", done.stdout, re.MULTILINE)
