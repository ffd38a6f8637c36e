#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
htrace on a trace that make_trace writes: what it prints against files in data/, and what the real babeltrace2 and perf make
of what it writes.
usage: htrace_test.py HTRACE MAKE_TRACE [--update]   (--update writes the files anew)
"""

import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE / "data"
KERNEL_START, USER_START = 0xFFFFFFFF80001000, 0x400000
KERNEL_PATH = KERNEL_START + 16
GOLDEN = {
    "text": ["text"],
    "text.calls": ["text", "--ticks", "--events", "call,reply,wake_remote,ready"],
    "stat": ["stat"],
    "stat.cpus": ["stat", "--ns", "--per-cpu", "--top", "1", "--markdown"],
    "stat.json": ["stat", "--json"],
    "json": ["json"],
    "perf": ["perf"],
    "folded": ["folded"],
}

HTRACE, MAKE_TRACE = sys.argv[1:3]
UPDATE = sys.argv[3:] == ["--update"]
ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def run(*command, status=0, folder=None):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=ENVIRONMENT, cwd=folder)
    if done.returncode != status:
        raise AssertionError(f"{command} ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout if status == 0 else done.stderr


def build(folder, name, start):
    """An ELF file with the functions of NAME.s."""
    run("as", "-o", folder / f"{name}.o", HERE / f"{name}.s")
    run("ld", f"-Ttext={start:#x}", "-e", "0", "-z", "max-page-size=4096", "-o", folder / name, folder / f"{name}.o")
    return folder / name


class Test(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.holder = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.holder.name)
        ENVIRONMENT["HOME"] = cls.holder.name
        cls.kernel = build(cls.folder, "kernel", KERNEL_START)
        cls.user = build(cls.folder, "user", USER_START)
        cls.trace = cls.folder / "a.htrace"
        run(MAKE_TRACE, cls.trace, hex(KERNEL_PATH), hex(USER_START))
        cls.symbols = ["--kernel", cls.kernel, "--user", cls.user]

    @classmethod
    def tearDownClass(cls):
        cls.holder.cleanup()

    def test_golden(self):
        for name, words in GOLDEN.items():
            with self.subTest(name):
                text = run(HTRACE, *words, *self.symbols, self.trace)
                if UPDATE:
                    (DATA / name).write_text(text)
                self.assertEqual(text, (DATA / name).read_text())

    def test_generator_repeats(self):
        again = self.folder / "again"
        run(MAKE_TRACE, again, hex(KERNEL_PATH), hex(USER_START))
        self.assertEqual(again.read_bytes(), self.trace.read_bytes())

    def test_without_symbols(self):
        self.assertIn(f"kernel;{KERNEL_PATH:#x} 1", run(HTRACE, "folded", self.trace))

    def test_json(self):
        """What Perfetto relies on: slices of a track are nested, arrows have two ends, each on a slice."""
        events = json.loads(run(HTRACE, "json", self.trace))["traceEvents"]
        tracks, flows = {}, {}
        for event in events:
            if event["ph"] == "X":
                tracks.setdefault((event["pid"], event["tid"]), []).append((event["ts"], event["ts"] + event["dur"]))
            elif event["ph"] in "sf":
                flows.setdefault(event["id"], []).append(event)
        for slices in tracks.values():
            open_ends = []
            for begin, end in sorted(slices, key=lambda s: (s[0], -s[1])):
                while open_ends and open_ends[-1] <= begin + 1e-9:
                    open_ends.pop()
                if open_ends:
                    self.assertLessEqual(end, open_ends[-1] + 1e-9)
                open_ends.append(end)
        self.assertTrue(flows)
        for ends in flows.values():
            self.assertEqual([event["ph"] for event in ends], ["s", "f"])
            self.assertLessEqual(ends[0]["ts"], ends[1]["ts"])
            for event in ends:
                on = [s for s in tracks[event["pid"], event["tid"]] if s[0] - 0.0015 <= event["ts"] <= s[1] + 0.0015]
                self.assertTrue(on, event)
        names = {event["name"] for event in events if event["ph"] == "X"}
        self.assertLessEqual({"call", "reply", "exit cpuid", "guest VCPU1", "CPU 0", "the \"rest\""}, names)
        self.assertEqual({ends[0]["name"] for ends in flows.values()}, {"call", "reply", "help", "work item", "wake-up"})

    def test_folded_is_what_flame_graphs_take(self):
        for line in run(HTRACE, "folded", *self.symbols, self.trace).splitlines():
            self.assertRegex(line, r"^(kernel|user|guest);[^ ;]+ \d+$")

    def test_perf_text_is_what_stackcollapse_takes(self):
        """Records: name, process, ..., a line for each frame with address, function and module, an empty line."""
        records = run(HTRACE, "perf", *self.symbols, self.trace).split("\n\n")
        self.assertEqual(records.pop(), "")
        self.assertEqual(len(records), 10)
        for record in records:
            head, frame = record.split("\n")
            self.assertRegex(head, r"^\S+ +\d+ +\[\d+\] +\d+\.\d+: +\d+ +cycles: *$")
            self.assertRegex(frame, r"^\s*[0-9a-f]+ \S+ \(\S+\)$")

    @unittest.skipUnless(shutil.which("babeltrace2"), "babeltrace2 is not installed")
    def test_babeltrace(self):
        folder = self.folder / "ctf"
        run(HTRACE, "ctf", "-o", folder, self.trace)
        done = subprocess.run(["babeltrace2", folder], capture_output=True, text=True, env=ENVIRONMENT)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("ERROR", done.stderr)
        self.assertIn("may have discarded", done.stderr)
        lines = done.stdout.splitlines()
        ours = [line for line in run(HTRACE, "text", self.trace).splitlines() if not line.startswith("#")]
        self.assertEqual(len(lines), len(ours))
        for line, own in zip(lines, ours):
            time, cpu, event = re.match(r" *(\d+\.\d+) +\S+ \[(\d+)\] (\w+)", own).groups()
            seconds, theirs, number = re.match(r"\[00:00:(\d+\.\d+)\] .* hedron:(\w+): { cpu_id = (\d+) }", line).groups()
            self.assertEqual((event, int(cpu)), (theirs, int(number)))
            self.assertAlmostEqual(float(time) + 2.5 + 50e-9, float(seconds), delta=2e-9)
        self.assertIn('reason = ( "ept_violation" : container = 48 ), rip = 0x7C04, qualification = 0x181', done.stdout)
        run(HTRACE, "ctf", "-o", folder, self.trace, status=4)

    @unittest.skipUnless(shutil.which("perf"), "perf is not installed")
    def test_perf(self):
        run(HTRACE, "perfdata", *self.symbols, "-o", self.folder / "perf.data", self.trace)
        script = run("perf", "script", "-i", "perf.data", folder=self.folder)
        self.assertEqual(len(script.split("\n\n")), 11)
        self.assertEqual(script.count(" kernel_path+0x"), 6)
        self.assertEqual(script.count(" user_path+0x0 "), 3)
        report = run("perf", "report", "--stdio", "-i", "perf.data", folder=self.folder)
        self.assertRegex(report, r"60\.00% +60\.00% +EC1 +kernel +\[k\] kernel_path")
        self.assertRegex(report, r"30\.00% +30\.00% +EC1 +user +\[\.\] user_path")
        self.assertRegex(report, r"10\.00% +10\.00% +guest ")
        if "stackcollapse" in run("perf", "script", "-l"):
            stacks = run("perf", "script", "report", "stackcollapse", "-i", "perf.data", folder=self.folder)
            self.assertIn("EC1;kernel_path 6\n", stacks)
        alone = run(HTRACE, "perfdata", "-o", self.folder / "none.data", self.trace)
        self.assertEqual(alone, "")
        self.assertEqual(len(run("perf", "script", "-i", "none.data", folder=self.folder).split("\n\n")), 11)

    def test_bad_input(self):
        short = self.folder / "short.htrace"
        short.write_bytes(self.trace.read_bytes()[:-1])
        for words in (*GOLDEN.values(), ["ctf", "-o", self.folder / "no"], ["perfdata", "-o", self.folder / "no"]):
            self.assertIn("cut off", run(HTRACE, *words, short, status=4))
        self.assertFalse((self.folder / "no").exists())
        self.assertIn("cannot open", run(HTRACE, "text", self.folder / "nothing", status=4))
        self.assertIn("no trace", run(HTRACE, "text", self.kernel, status=4))
        self.assertIn("ELF", run(HTRACE, "text", "--kernel", self.trace, self.trace, status=4))
        stripped = self.folder / "stripped"
        run("strip", "-o", stripped, self.kernel)
        self.assertIn("stripped", run(HTRACE, "text", "--kernel", stripped, self.trace, status=4))

    def test_damaged_input(self):
        """Whatever the numbers in a file are: an answer or a refusal, no crash. The sanitizers of the preset "host" look on."""
        chance = random.Random(1)
        good, damaged = self.trace.read_bytes(), self.folder / "damaged.htrace"
        start = good.index(b"LOST")
        words = [*GOLDEN.values(), ["perfdata", "-o", self.folder / "damaged.data"]]
        accepted = 0
        for count in [1, 2, 5, 50] * 6:
            data = bytearray(good)
            for _ in range(count):
                data[chance.randrange(start, len(data))] = chance.randrange(256)
            damaged.write_bytes(data)
            for verb in words:
                done = subprocess.run([HTRACE, *verb, damaged], capture_output=True, text=True, env=ENVIRONMENT)
                self.assertIn(done.returncode, (0, 4), done.stderr[-2000:])
                accepted += done.returncode == 0
        self.assertGreater(accepted, 0)

    def test_import(self):
        log = HERE.parents[2] / "bench/tests/data/traced.log"
        trace = self.folder / "imported.htrace"
        run(HTRACE, "import", "-o", trace, log)
        lines = run(HTRACE, "text", trace).splitlines()
        calls = [line.split()[-2:] for line in lines if " call " in line]
        replies = [line.split()[-2:] for line in lines if " reply " in line]
        self.assertEqual(calls, [["from=EC1", "to=EC2"]] * 13)
        self.assertEqual(replies, [["from=EC2", "to=EC1"]] * 13)
        self.assertIn("case      call_reply_same/words:0", run(HTRACE, "stat", trace))
        cut = self.folder / "cut.log"
        for size in range(0, log.stat().st_size - 1, 500):
            cut.write_bytes(log.read_bytes()[:size])
            run(HTRACE, "import", "-o", self.folder / "cut.htrace", cut, status=4)
        self.assertFalse((self.folder / "cut.htrace").exists())
        self.assertIn("cannot open", run(HTRACE, "import", "-o", trace, self.folder / "nothing", status=4))

    def test_usage(self):
        self.assertIn("no event `wish`", run(HTRACE, "text", "--events", "wish", self.trace, status=2))
        self.assertIn("--output", run(HTRACE, "ctf", self.trace, status=2))
        self.assertIn("--output", run(HTRACE, "import", self.trace, status=2))
        self.assertIn("one trace", run(HTRACE, "stat", status=2))
        self.assertIn("no verb", run(HTRACE, "dance", status=2))
        self.assertIn("perfdata", run(HTRACE, "--help"))
        self.assertIn("_htrace", run(HTRACE, "completion", "bash"))

    def test_manual(self):
        page = run(HTRACE, "manual")
        verbs = set(re.findall(r"^  (\w+) ", run(HTRACE, "--help"), re.MULTILINE)) - {"hbench", "htrace"}
        self.assertGreaterEqual(len(verbs), 10)
        for verb in verbs:
            self.assertIn(f"htrace {verb}", page)
        if shutil.which("groff"):
            done = subprocess.run(["groff", "-man", "-Tascii", "-ww", "-rLL=100n"], input=page, capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
