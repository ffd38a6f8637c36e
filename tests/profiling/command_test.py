#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""profiling/pathcost.py as a command: what it says and how it ends. usage: command_test.py BUILD"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import model

BUILD = sys.argv[1]
COMMAND = model.HERE / "pathcost.py"


def run(*words):
    """(exit code, standard output, standard error)"""
    done = subprocess.run([sys.executable, COMMAND, "--build", BUILD, *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


class Command(unittest.TestCase):
    def test_help(self):
        code, out, _ = run("--help")
        self.assertEqual(code, 0)
        for text in ("examples:", "exit codes:", "--emulator", "--against", "--tighten"):
            self.assertIn(text, out)

    def test_kinds(self):
        code, out, _ = run("--kinds")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"(?m)^swapgs +SWAPGS$")

    def test_usage(self):
        for words in (["--frobnicate"], ["--emulator", "vmware"], ["more"]):
            self.assertEqual(run(*words)[0], 2, words)

    def test_wrong_files(self):
        for words, why in ((["--suite", "nothing.json"], "No such file"), (["--weights", "nothing"], "No such file"),
                           (["--tighten", "--case", "null"], "no budgets to tighten with qemu")):
            code, out, error = run(*words)
            self.assertEqual((code, out), (2, ""), words)
            self.assertIn(why, error)

    def test_invalid(self):
        for words, why in ((["--suite", "nothing"], "nothing.elf is missing"),
                           (["--case", "nothing"], "no case begins with nothing"),
                           (["--case", "null", "--timeout", "0.2"], "pathcost.py: ")):
            code, out, error = run(*words)
            self.assertEqual((code, out), (4, ""), words)
            self.assertIn(why, error)

    def test_result(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "x.json")
            code, out, error = run("--case", "null", "--symbols", "--json", str(file))
            self.assertEqual((code, error), (0, ""))
            self.assertIn("1 of 1 paths with a budget keep to it", out)
            self.assertRegex(out, r"(?m)^ +\d+ +\d+  entry_syscall")
            path = json.loads(file.read_text())["paths"][0]
            self.assertEqual((path["name"], path["kinds"]), ("ipc/null", {"syscall": 1, "sysret": 1}))
            code, out, error = run("--case", "null", "--against", str(file))
            self.assertEqual((code, error), (0, ""))
            self.assertIn("1 of 1 paths are what they were", out)
            code, _, error = run("--case", "null", "--against", str(file), "--emulator", "bochs")
            self.assertEqual(code, 2)
            self.assertIn("a result of qemu", error)

    def test_other_cpu(self):
        """Budgets are not those of another CPU."""
        code, out, _ = run("--suite", str(pathlib.Path(__file__).parent / "data/tight.json"), "--cpu", "EPYC")
        self.assertEqual(code, 0)
        self.assertIn("no verdict", out)

    def test_nothing_possible(self):
        """QEMU emulates no VMX: skipped, with the reason."""
        code, out, _ = run("--suite", "vmexit")
        self.assertEqual(code, 77)
        self.assertIn("left out: vmexit/hlt/state:whole: this machine has no VMX", out)

    def test_reader_gone(self):
        """A pipe that is closed is no reason for a traceback."""
        done = subprocess.run(f"{sys.executable} {COMMAND} --build {BUILD} --case null,call_reply --steps | head -1", shell=True,
                              capture_output=True, text=True, check=False)
        self.assertIn("qemu max", done.stdout)
        self.assertEqual(done.stderr, "")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
