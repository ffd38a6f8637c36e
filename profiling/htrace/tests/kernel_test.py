#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
The whole way: a kernel is traced in QEMU, and what htrace shows is what it did.
usage: kernel_test.py BUILD-FOLDER
Exit code 77: QEMU is missing.
"""

import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD = pathlib.Path(sys.argv[1]).resolve()
QEMU = os.environ.get("HBENCH_QEMU", "qemu-system-x86_64")
ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8", "HBENCH_DB": "none"}
CASE = "call_reply_same/words:0"
WINDOWS = 4
SYMBOLS = ["--kernel", BUILD / "hypervisor", "--user", BUILD / "ipc.elf"]


def run(*command, folder=None, status=0):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=ENVIRONMENT, cwd=folder,
                          timeout=1200)
    if done.returncode != status:
        raise AssertionError(f"{command} ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout if status == 0 else done.stderr


def hbench(folder, output, *words, status=0):
    return run(BUILD / "hbench", "run", "--target", "qemu", "--kernel", BUILD / "hypervisor.elf32", "--roottask",
               BUILD / "ipc.elf", "--suite", "ipc", "--quiet", "--no-db", "-o", output, *words, folder=folder, status=status)


def htrace(verb, *words):
    return run(BUILD / "htrace", verb, *words)


def events(trace):
    """(CPU, event, fields) of each line."""
    for line in htrace("text", *SYMBOLS, trace).splitlines():
        if not line.startswith("#"):
            _, _, cpu, event, *fields = line.split()
            yield int(cpu.strip("[]")), event, dict(field.split("=", 1) for field in fields)


class Counted(unittest.TestCase):
    """QEMU with -icount: every number is known."""

    @classmethod
    def setUpClass(cls):
        cls.holder = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.holder.name)
        hbench(cls.folder, "a.json", "--root-append", f"case={CASE} windows={WINDOWS}", "--trace")
        cls.trace = cls.folder / "a.htrace"

    @classmethod
    def tearDownClass(cls):
        cls.holder.cleanup()

    def test_calls_and_replies_are_pairs(self):
        callers, pairs = [], 0
        for _, event, fields in events(self.trace):
            if event == "call":
                callers.append((fields["from"], fields["to"]))
            elif event == "reply":
                caller, callee = callers.pop()
                self.assertEqual((fields["from"], fields["to"]), (callee, caller))
                pairs += 1
        self.assertEqual(callers, [])
        self.assertGreaterEqual(pairs, WINDOWS)

    def test_hypercalls_end(self):
        """All but the last one, which ends the trace."""
        seen = [event for _, event, _ in events(self.trace) if event.startswith("hypercall")]
        self.assertEqual(seen.pop(), "hypercall")
        self.assertEqual(seen[0::2], ["hypercall"] * (len(seen) // 2))
        self.assertEqual(seen[1::2], ["hypercall_end"] * (len(seen) // 2))

    def test_user_code_has_names(self):
        places = {fields["rip"].split("+")[0] for _, event, fields in events(self.trace) if event == "hypercall"}
        self.assertLessEqual({"window_call", "rt_portal_echo"}, places)

    def test_histograms_hold_what_events_say(self):
        counted = collections.Counter(fields["number"] for _, event, fields in events(self.trace) if event == "hypercall")
        rows = re.findall(r"^(\w+) +(\d+) +[\d.]+ ", htrace("stat", self.trace), re.MULTILINE)
        paths = {name: int(count) for name, count in rows}
        for name in ("call", "reply", "revoke", "create_pt"):
            self.assertEqual(paths[name], counted[name], name)

    def test_json(self):
        entries = json.loads(htrace("json", self.trace))["traceEvents"]
        slices = collections.Counter(entry["name"] for entry in entries if entry["ph"] == "X")
        arrows = collections.Counter(entry["name"] for entry in entries if entry["ph"] == "s")
        self.assertEqual(slices["call"], slices["reply"])
        self.assertEqual(arrows["call"], slices["call"])
        self.assertEqual(arrows["reply"], slices["reply"])
        self.assertEqual(slices[CASE], 1)

    @unittest.skipUnless(shutil.which("babeltrace2"), "babeltrace2 is not installed")
    def test_ctf(self):
        htrace("ctf", "-o", self.folder / "ctf", self.trace)
        lines = run("babeltrace2", self.folder / "ctf").splitlines()
        self.assertEqual([re.search(r" hedron:(\w+): ", line)[1] for line in lines],
                         [event for _, event, _ in events(self.trace)])

    def test_results_say_so(self):
        hbench(self.folder, "plain.json", "--root-append", f"case={CASE} windows={WINDOWS}")
        self.assertTrue(json.loads((self.folder / "a.json").read_text())["context"]["traced"])
        self.assertNotIn("traced", json.loads((self.folder / "plain.json").read_text())["context"])
        self.assertIn("traced", run(BUILD / "hbench", "gate", "-b", "plain.json", "a.json", folder=self.folder, status=4))

    def test_some_events_only(self):
        hbench(self.folder, "b.json", "--root-append", f"case={CASE}", "--trace=reply", "--trace-paths", "none",
               "--trace-records", "5")
        seen = [event for _, event, _ in events(self.folder / "b.htrace")]
        self.assertEqual(seen, ["reply"] * 5)
        self.assertNotIn("Times of paths", htrace("stat", self.folder / "b.htrace"))

    def test_what_the_machine_cannot(self):
        message = hbench(self.folder, "c.json", "--trace", "--trace-counters", "cycles", status=4)
        self.assertIn("the processors do not count that", message)
        message = hbench(self.folder, "c.json", "--trace=sample", "--trace-sampler", "10", status=4)
        self.assertIn("no other CPU", message)


class Sampled(unittest.TestCase):
    """
    QEMU with CPUs that really run at the same time: one looks at what the other does. How often it gets to that depends on
    the host.
    """

    def test_samples(self):
        words = f"ipc.elf roottask suite=ipc case={CASE},create_delete_pd windows=4000 trace_paths=call trace_sampler=100"
        words = words.replace(",", ",,")
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            ENVIRONMENT["HOME"] = name
            os.symlink(BUILD / "ipc.elf", folder / "ipc.elf")
            with open(folder / "a.log", "w") as log:
                status = subprocess.run(
                    [QEMU, "-display", "none", "-serial", "stdio", "-monitor", "none", "-no-reboot", "-cpu", "max", "-m", "256",
                     "-net", "none", "-smp", "2", "-accel", "tcg", "-kernel", BUILD / "hypervisor.elf32", "-initrd", words,
                     "-append", "serial novga", "-device", "isa-debug-exit,iobase=0xf4,iosize=4"],
                    stdin=subprocess.DEVNULL, stdout=log, cwd=folder, timeout=1200).returncode
            # What it measured is no measure without -icount, and it says so by its status.
            self.assertIn(status, (33, 35))
            run(BUILD / "htrace", "import", "-o", "a.htrace", "a.log", folder=folder)
            folded = htrace("folded", *SYMBOLS, folder / "a.htrace")
            self.assertRegex(folded, r"(?m)^kernel;[a-z_]+ \d+$")
            if shutil.which("perf"):
                htrace("perfdata", *SYMBOLS, "-o", folder / "perf.data", folder / "a.htrace")
                report = run("perf", "report", "--stdio", "-i", "perf.data", folder=folder)
                self.assertRegex(report, r"%  EC\d+ +hypervisor +\[k\] [a-z_]+")


if __name__ == "__main__":
    if not shutil.which(QEMU):
        print(f"skipped: {QEMU} is not installed")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
