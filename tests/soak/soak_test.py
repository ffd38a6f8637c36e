#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
`./run soak` itself: good roottasks pass; one that fails, hangs or is refused is reported, kept and can be repeated; the end of the
time and Ctrl-C are nobody's failure. usage: soak_test.py BUILD
"""

import collections
import itertools
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import unittest.mock

import attempt
import plan

BUILD = pathlib.Path(sys.argv.pop()).resolve()
SOAK = pathlib.Path(__file__).resolve().with_name("soak.py")
SILENCE = 100.0


class Command(unittest.TestCase):
    """The command, with the kernel that was built."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="hedron-soak-test.")
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def words(self, *words):
        return [sys.executable, SOAK, "--kernel", f"release={BUILD}", "--build", BUILD, "--output", self.folder / "out", *words]

    def soak(self, code, *words):
        """Standard output and error."""
        done = subprocess.run(list(map(str, self.words(*words))), capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def kept(self):
        """The one folder of a failure."""
        folders = [path for path in (self.folder / "out").iterdir() if path.is_dir()]
        self.assertEqual(len(folders), 1, folders)
        return folders[0]

    def repeat(self, output):
        """Types the command that was printed; its exit code and output."""
        command = re.search(r"once more: (.*)", output)[1]
        done = subprocess.run(shlex.split(command), capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def test_good(self):
        output = self.soak(0, "--runs", 2, "--program", "smp_basic effort=1", "--cpus", 2, "--emulator", "qemu", "--emulator",
                           "bochs", "--verbose")
        self.assertRegex(output, r"smp_basic \(release\) +1 +1\n")
        self.assertEqual(output.splitlines()[-1], "2 passed, 0 failed")
        self.assertEqual([path.name for path in (self.folder / "out").iterdir()], ["runs.jsonl"])

    def fails(self, emulator):
        """A roottask that wants something of the machine which it has not: a test fails."""
        output = self.soak(1, "--runs", 1, "--program", "smp_basic x2apic=1 effort=1", "--cpus", 2, "--emulator", emulator)
        self.assertRegex(output, rf"FAILED after \d+ s: smp_basic on {emulator}, 2 CPUs")
        self.assertIn("smp_basic/apic_modes_agree", output)
        self.assertEqual(output.splitlines()[-1], "0 passed, 1 failed")
        seed = json.loads((self.kept() / attempt.ATTEMPT).read_text())["seed"]
        self.assertIn(f"seed {seed}, effort 1\n", (self.kept() / "serial.txt").read_text())
        code, again = self.repeat(output)
        self.assertEqual(code, 1, again)
        self.assertIn("smp_basic/apic_modes_agree", again)

    def test_failure(self):
        self.fails("qemu")
        # Repeated is what is in the folder, and it may pass.
        kept = self.kept() / attempt.ATTEMPT
        kept.write_text(kept.read_text().replace("x2apic=1", "test=hip"))
        self.assertIn("\n2 passed, 0 failed\n", self.soak(0, "--again", self.kept(), "--times", 2))

    def test_failure_bochs(self):
        self.fails("bochs")
        for name in (attempt.KERNEL, attempt.KERNEL32, attempt.ISO, "smp_basic.elf", "why.txt"):
            self.assertTrue((self.kept() / name).is_file(), name)

    def test_panic(self):
        """A roottask that the kernel does not take."""
        (self.folder / "bad.elf").write_text("no ELF file, but longer than the header of one\n" * 2)
        output = self.soak(1, "--runs", 1, "--build", self.folder, "--program", "bad", "--cpus", 1, "--emulator", "qemu")
        self.assertIn("the kernel reports: PANIC", output)
        self.assertIn("RIP=", (self.kept() / "registers.txt").read_text())
        self.assertEqual(self.repeat(output)[0], 1)

    def test_no_end(self):
        """A roottask that ends well, but says nothing about tests."""
        self.assertIn("did not come to its end", self.soak(1, "--runs", 1, "--program", "hello", "--cpus", 1, "--emulator", "qemu"))

    def test_hang(self):
        """A machine that sleeps, and nobody wakes it up."""
        output = self.soak(1, "--runs", 1, "--program", "guest_suspend s3=1", "--cpus", 1, "--emulator", "qemu", "--silence", 2)
        self.assertIn("it hangs", output)

    def test_time(self):
        """When time is over a run is cut, which is no failure; nor is it success."""
        output = self.soak(3, "0.1", "--program", "smp_stress effort=1000000", "--cpus", 2, "--emulator", "qemu", "--jobs", 1)
        self.assertRegex(output, "cut after .* counts as nothing: smp_stress")
        self.assertEqual(output.splitlines()[-1], "0 passed, 0 failed")

    def test_interrupt(self):
        """Ctrl-C reaches emulators, too."""
        command = list(map(str, self.words("--program", "smp_stress effort=1000000", "--emulator", "qemu", "--jobs", "2")))
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
            while process.poll() is None and len(children(process.pid)) < 2:
                time.sleep(0.05)
            os.killpg(process.pid, signal.SIGINT)
            output = process.communicate()[0]
        self.assertEqual(process.returncode, 3, output)
        self.assertIn("stopped before its time", output)
        self.assertRegex(output, r"\n2 cut\n\n0 passed, 0 failed\n$")

    def test_usage(self):
        for words in (("x",), ("--only", "nothing"), ("--program", "absent"), ("--kernel", f"a={self.folder}"),
                      ("--again", self.folder), ("--only", "smp_vcpu", "--emulator", "qemu")):
            self.assertIn("error:", self.soak(2, *words))


def children(pid):
    """Of all threads of a process."""
    found = []
    for path in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        found += path.read_text().split()
    return found


class Plan(unittest.TestCase):
    """What is run."""

    def first(self, count, seed=1):
        return list(itertools.islice(plan.attempts(seed, plan.PROGRAMS, ("release", "debug"), plan.EMULATORS, plan.CPUS), count))

    def test_all(self):
        """Each configuration comes once before one comes twice; no seed comes again."""
        size = 2 * sum(program.fits(emulator, cpus) for program in plan.PROGRAMS for emulator in plan.EMULATORS
                       for cpus in plan.CPUS)
        runs = self.first(3 * size)
        counts = [collections.Counter((*run.place(),) for run in runs[start:start + size]) for start in (0, size, 2 * size)]
        for count in counts:
            self.assertEqual(set(count.values()), {1})
            self.assertEqual(len(count), size)
        self.assertEqual(len({run.seed for run in runs}), 3 * size)
        self.assertNotEqual([run.place() for run in runs[:size]], [run.place() for run in runs[size:2 * size]])
        quanta = {run.quantum for run in runs if run.emulator == "bochs"}
        self.assertGreater(len(quanta), plan.QUANTUM_MAX / 2)
        self.assertLessEqual(quanta, set(range(1, plan.QUANTUM_MAX + 1)))

    def test_repeatable(self):
        self.assertEqual(self.first(50), self.first(50))
        self.assertNotEqual(self.first(50), self.first(50, seed=2))

    def test_programs(self):
        """Those that are named exist."""
        for program in plan.PROGRAMS:
            self.assertTrue((BUILD / f"{program.name}.elf").is_file(), program.name)


class Hanging(unittest.TestCase):
    """What is a hang: the clock of the host alone says nothing."""

    def watch(self, had, wanted, text=lambda now: "same"):
        """What the watcher says at each second of three times the silence; CPU time had and wanted are parts of the time."""
        limits, process = attempt.Limits(SILENCE, SILENCE / 2, 0.03), unittest.mock.Mock(pid=1)
        watcher = attempt.Watcher(limits, lambda: False)
        said = []
        for now in range(int(3 * SILENCE)):
            with unittest.mock.patch.object(attempt.time, "monotonic", lambda: float(now)), \
                    unittest.mock.patch.object(attempt.machine, "use_of_cpu", lambda _: (had * now, wanted * now)):
                said.append(watcher(process, text(now)))
        return said

    def test_busy(self):
        """It works, and says nothing."""
        said = self.watch(1, 1)
        self.assertEqual(said.index("hang"), SILENCE)

    def test_slow(self):
        """It shares a CPU with others: the work counts."""
        self.assertEqual(self.watch(0.25, 1).index("hang"), 2 * SILENCE)

    def test_starved(self):
        """It was not given a CPU: nobody can know."""
        self.assertEqual(set(self.watch(0.01, 1)), {None})

    def test_idle(self):
        """It wants nothing: all of its CPUs sleep."""
        self.assertEqual(self.watch(0.01, 0.02).index("hang"), SILENCE)

    def test_talking(self):
        self.assertEqual(set(self.watch(1, 1, lambda now: "x" * int(now / SILENCE * 2))), {None})

    def test_use_of_cpu(self):
        with subprocess.Popen(["sh", "-c", "while :; do :; done"]) as process:
            try:
                while attempt.machine.use_of_cpu(process.pid)[0] < 0.1:
                    time.sleep(0.05)
                had, wanted = attempt.machine.use_of_cpu(process.pid)
                self.assertGreaterEqual(wanted, had)
            finally:
                process.kill()


if __name__ == "__main__":
    unittest.main()
