#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""profiling/pathcost.py as a command: what it says and how it ends. usage: command_test.py BUILD"""

import json
import pathlib
import shlex
import subprocess
import sys
import tempfile
import unittest

import elf
import model

BUILD = pathlib.Path(sys.argv[1]).resolve()
JBE, MFENCE = b"\x0f\x86", b"\x0f\xae\xf0"
COMMAND = model.HERE / "pathcost.py"


def run(*words):
    """(exit code, standard output, standard error)"""
    verb = words[:words[:1] == ("diff",)]
    command = [sys.executable, COMMAND, *verb, "--build", BUILD, "--timeout", "240", *words[len(verb):]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


class Command(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_help(self):
        code, out, _ = run("--help")
        self.assertEqual(code, 0)
        for text in ("examples:", "exit codes:", "--emulator", "--against", "--tighten", "--folded", "--kernel"):
            self.assertIn(text, out)
        code, out, _ = run("diff", "--help")
        self.assertEqual(code, 0)
        self.assertIn("--exit-code", out)

    def test_kinds(self):
        code, out, _ = run("--kinds")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"(?m)^swapgs +SWAPGS$")

    def test_usage(self):
        for words in (["--frobnicate"], ["--emulator", "vmware"], ["more"], ["diff"], ["diff", "x"], ["--steps", "--calls"],
                      ["--unit", "x"]):
            self.assertEqual(run(*words)[0], 2, words)

    def test_wrong_files(self):
        for words, why in ((["--suite", "nothing.json"], "No such file"), (["--weights", "nothing"], "No such file"),
                           (["diff", "nothing", "nothing"], "No such file"), (["diff", __file__, __file__], "Expecting value"),
                           (["--against", "nothing"], "No such file"), (["--case", "null", "--json", "/nowhere/x"], "No such file"),
                           (["--tighten", "--case", "null"], "no budgets to tighten with qemu")):
            code, out, error = run(*words)
            self.assertEqual((code, out), (2, ""), words)
            self.assertIn(why, error)

    def test_invalid(self):
        for words, why in ((["--suite", "nothing"], "nothing.elf"), (["--kernel", "nothing"], "nothing: No such file"),
                           (["--kernel", __file__], "no ELF file"), (["--kernel", BUILD / "ipc.elf"], "no Multiboot header"),
                           (["--build", self.folder], "hypervisor is missing: ./run build makes it"),
                           (["--case", "nothing"], "no case begins with nothing"),
                           (["--case", "null", "--timeout", "0.2"], "pathcost.py: ")):
            code, out, error = run(*words)
            self.assertEqual((code, out), (4, ""), words)
            self.assertIn(why, error)

    def test_result(self):
        file, folded = self.folder / "x.json", self.folder / "x.folded"
        code, out, error = run("--case", "null", "--symbols", "--json", file, "--folded", folded)
        self.assertEqual((code, error), (0, ""))
        self.assertIn("1 of 1 paths with a budget keep to it", out)
        self.assertRegex(out, r"(?m)^ +\d+ +\d+ +\d+ +\d+  entry_syscall")
        path = json.loads(file.read_text())["paths"][0]
        self.assertEqual((path["name"], path["kinds"]), ("ipc/null", {"syscall": 1, "sysret": 1}))
        counts = [int(line.rpartition(" ")[2]) for line in folded.read_text().splitlines()]
        self.assertEqual(sum(counts), path["instructions"])
        code, out, error = run("--case", "null", "--against", file)
        self.assertEqual((code, error), (0, ""))
        self.assertIn("1 of 1 paths are what they were", out)
        code, _, error = run("--case", "null", "--against", file, "--emulator", "bochs")
        self.assertEqual(code, 2)
        self.assertIn("a result of qemu, not of bochs", error)

    def test_output(self):
        code, out, _ = run("--case", "null", "--calls", "--output", self.folder / "new/all")
        self.assertEqual(code, 0)
        self.assertEqual({file.name for file in (self.folder / "new/all").iterdir()},
                         {"table.txt", "functions.txt", "paths.json", "instructions.folded", "cycles.folded"})
        self.assertTrue(out.startswith((self.folder / "new/all/table.txt").read_text()))

    def kernel(self, name, old=b"", new=b""):
        """A copy of the kernel, alone: GRUB has to boot it. `old` is replaced where it is second found in entry_syscall."""
        symbols = elf.Symbols(BUILD / "hypervisor")
        start = symbols.data.index(symbols.code(symbols.address("entry_syscall"), 16))
        at = symbols.data.index(old, symbols.data.index(old, start) + 1)
        file = self.folder / name
        file.write_bytes(symbols.data[:at] + new + symbols.data[at + len(new):])
        return file

    def test_other_kernel(self):
        """One that has two fences in the place of a jump for semaphores, which a null hypercall does not take."""
        mine, result = self.kernel("mine", JBE, MFENCE * 2), self.folder / "x.json"
        code, out, error = run("--kernel", mine, "--judge", "--emulator", "bochs", "--case", "null", "--json", result)
        self.assertEqual((code, error), (1, ""))
        self.assertIn("EXCEEDED ipc/null: 2 mfence, at most 0", out)
        code, out, error = run("diff", BUILD / "hypervisor", result, "--case", "null", "--exit-code")
        self.assertEqual((code, error), (1, ""))
        self.assertRegex(out, r"(?m)^ipc/null +(\d+) +\d+ +\+1 +\+0 +\+0 .* mfence 0 -> 2$")
        self.assertRegex(out, r"(?m)^    entry_syscall +\d+ +\d+ +\+1 .* mfence 0 -> 2$")
        self.assertRegex(out, r"0 of 1 paths are what they were\ncosts more: ipc/null\n$")
        self.assertEqual(run("diff", result, result, "--exit-code")[0], 0)

    def test_without_symbols(self):
        file = self.kernel("mine")
        subprocess.run(["strip", file], check=True)
        code, out, error = run("--kernel", file, "--case", "null")
        self.assertEqual((code, out), (4, ""))
        self.assertIn("mine: no symbols of code", error)
        code, out, error = run("--kernel", file, "--symbol-file", BUILD / "hypervisor", "--case", "null")
        self.assertEqual((code, error), (0, ""))
        self.assertIn("no verdict: the budgets are those of the kernel of this tree", out)

    def test_wrong_symbols(self):
        code, out, error = run("--kernel", BUILD / "hypervisor", "--symbol-file", BUILD / "hello.elf", "--case", "null")
        self.assertEqual((code, out), (4, ""))
        self.assertIn("hello.elf: no symbol is near", error)

    def test_other_cpu(self):
        """Budgets are not those of another CPU."""
        code, out, _ = run("--suite", str(pathlib.Path(__file__).parent / "data/tight.json"), "--cpu", "EPYC")
        self.assertEqual(code, 0)
        self.assertIn("no verdict", out)

    def test_nothing_possible(self):
        """A CPU without virtualization: skipped, with the reason."""
        code, out, _ = run("--suite", "vmexit", "--cpu", "max,-svm")
        self.assertEqual(code, 77)
        self.assertIn("left out: vmexit/hlt/state:whole: this machine has no virtualization", out)

    def test_reader_gone(self):
        """A pipe that is closed is no reason for a traceback."""
        words = [sys.executable, COMMAND, "--build", BUILD, "--case", "call_reply_cross/words:448", "--steps"]
        done = subprocess.run(f"{shlex.join(map(str, words))} | head -1", shell=True, capture_output=True, text=True, check=False)
        self.assertIn("qemu max", done.stdout)
        self.assertEqual(done.stderr, "")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
