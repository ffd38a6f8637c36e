#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`./run profile` with what is built already. usage: front_test.py BUILD SOURCE"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD, SOURCE = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
SUITES = [word for word in ("ipc", "vmexit") if (BUILD / f"{word}.elf").exists()]


class Profile(unittest.TestCase):
    """In a tree of links to the sources and to the build, with a CMake that has nothing to do."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.tree = pathlib.Path(folder.name, "tree")
        (cls.tree / "build").mkdir(parents=True)
        shutil.copy(SOURCE / "run", cls.tree)
        for name, target in (("profiling", SOURCE / "profiling"), ("build/release", BUILD)):
            (cls.tree / name).symlink_to(target)
        (cls.tree / "bin").mkdir()
        (cls.tree / "bin/cmake").write_text("#!/bin/sh\nexit 0\n")
        (cls.tree / "bin/cmake").chmod(0o755)

    def profile(self, *words, folder=None):
        """(exit code, standard output, standard error)"""
        surroundings = {"PATH": f"{self.tree}/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HEDRON_SKIP_PACKAGES": "1"}
        done = subprocess.run([self.tree / "run", "profile", *words], env=surroundings, cwd=folder or self.tree,
                              capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def test_suites(self):
        for suite, case in (("ipc", "null"), ("vmexit", "hlt/state:minimal")):
            if suite in SUITES:
                code, out, error = self.profile(suite, "--case", case)
                self.assertEqual((code, error), (0, ""))
                self.assertRegex(out, rf"(?m)^{suite}/{case} +\d+ ")
                self.assertIn("1 of 1 paths with a budget keep to it", out)
                for name in ("table.txt", "functions.txt", "paths.json", "instructions.folded", "cycles.folded"):
                    self.assertGreater((self.tree / "build/profile" / suite / name).stat().st_size, 100, name)
                folded = (self.tree / "build/profile" / suite / "cycles.folded").read_text()
                self.assertRegex(folded, re.compile(rf"^{suite}/{case};[^;]+;\S+ \d+$", re.MULTILINE))

    def test_files_are_the_callers(self):
        """Options pass through, and paths among them are those of the folder where the user is."""
        other = self.tree / "elsewhere"
        other.mkdir()
        for suffix in ("", ".elf32"):
            shutil.copy(BUILD / f"hypervisor{suffix}", other / f"mine{suffix}")
        code, out, error = self.profile("ipc", "--case", "null", "--emulator", "qemu", "--kernel", "mine", "--json", "x.json",
                                        folder=other)
        self.assertEqual((code, error), (0, ""))
        self.assertIn("no verdict", out)
        self.assertTrue((other / "x.json").exists())

    def test_usage(self):
        for words in ((), ("--case",), ("../ipc",), ("IPC",)):
            code, out, error = self.profile(*words)
            self.assertEqual((code, out), (2, ""), words)
            self.assertIn("usage: ./run COMMAND", error)
        code, _, error = self.profile("nothing")
        self.assertEqual(code, 2)
        self.assertIn("there is no suite nothing", error)
        self.assertEqual(self.profile("ipc", "--frobnicate")[0], 2)

    def test_help(self):
        for suite, option in (("ipc", "--folded"), ("micro", "--record")):
            code, out, _ = self.profile(suite, "--help")
            self.assertEqual(code, 0)
            self.assertIn(option, out)

    def test_micro(self):
        """It gets as far as to the program behind it, which finds nothing that was built."""
        code, out, error = self.profile("micro", "--program", "cap")
        self.assertEqual(code, 4)
        self.assertIn("building micro benchmarks (micro)", out)
        self.assertIn("there is no program in", error)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
