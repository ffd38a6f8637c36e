#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""profiling/suite.py: what the serial line tells, and how runs fail that do not happen. usage: suite_test.py BUILD"""

import json
import pathlib
import random
import sys
import unittest

import kernels
import suite

BUILD = pathlib.Path(sys.argv[1]).resolve()
RECORDED = pathlib.Path(__file__).resolve().parents[2] / "bench/tests/data/sealed.log"


def line(kind, case="c", params=None, **more):
    return "HBENCH " + json.dumps({"type": kind, "suite": "s", "case": case, "params": params or {}, **more}) + "\n"


END = 'HBENCH {"type":"end","lines":9}\n'


class Serial(unittest.TestCase):
    def test_samples(self):
        text = "noise\n" + line("sample", min=39) + line("skip", "d", why="x") + "text "
        text += line("sample", "e", {"b": 1, "a": "x"}, min=7) + END
        self.assertEqual(suite.samples(text), ([("s/c", 39), ("s/e/a:x/b:1", 7)], {"s/d": "x"}))

    def test_failures(self):
        for text, why in ((line("sample", min=1), "did not come to its end"), ("", "did not come to its end"),
                          (line("sample", min=1) + line("fail", why="bad luck") + END, "s/c failed: bad luck"),
                          (line("sample", min=1)[:30] + "\n" + END, "broken line"), (line("sample") + END, "broken line"),
                          (line("sample", min="1") + END, "broken line"), (line("skip") + END, "broken line"),
                          (line("sample", params=[1], min=1).replace("{}", "3") + END, "broken line"),
                          ("HBENCH [1]\n" + END, "broken line"), ('HBENCH {"type": 3}\n' + END, "broken line")):
            with self.assertRaisesRegex(suite.RunError, why):
                suite.samples(text)

    def test_damaged(self):
        """Cut off or mangled anywhere, it is refused or taken, but nothing else."""
        text = line("sample", min=39) + line("skip", "d", why="x") + line("sample", "e", {"b": 1}, min=7) + END
        chance = random.Random(1)
        for length in range(len(text) - 1):
            with self.assertRaises(suite.RunError):
                suite.samples(text[:length].rstrip("\n"))
        for _ in range(500):
            mangled = list(text)
            for _ in range(chance.randrange(1, 5)):
                mangled[chance.randrange(len(text))] = chance.choice('{}[]":,09 x')
            try:
                suite.samples("".join(mangled))
            except suite.RunError:
                pass

    def test_recorded(self):
        """A console with checksums, damaged in each place: refused, or the same."""
        text = RECORDED.read_text(encoding="ascii")
        whole = suite.samples(text)
        self.assertEqual(len(whole[0]), 3)
        for at, old in enumerate(text):
            for new in {"", old + old, chr(ord(old) ^ 1), chr(ord(old) ^ 4), "7"} - {old}:
                try:
                    self.assertEqual(suite.samples(text[:at] + new + text[at + 1:]), whole, f"{new!r} at {at}")
                except suite.RunError:
                    pass

    def test_recorded_lines(self):
        """Lost, doubled and swapped lines."""
        lines = RECORDED.read_text(encoding="ascii").splitlines(keepends=True)
        first = next(at for at, text in enumerate(lines) if text.startswith("HBENCH"))
        for at in range(first, len(lines)):
            changes = [lines[:at] + lines[at + 1:], lines[:at + 1] + lines[at:]]
            if at > first:
                changes.append(lines[:at - 1] + [lines[at], lines[at - 1]] + lines[at + 1:])
            for changed in changes:
                with self.assertRaises(suite.RunError):
                    suite.samples("".join(changed))

    def test_last_words(self):
        with self.assertRaisesRegex(suite.RunError, "PANIC: no memory"):
            suite.samples("a\nb\nPANIC: no memory\n")


class Runs(unittest.TestCase):
    def run_of(self, roottask, cases=()):
        return suite.Run(kernels.find(BUILD / "hypervisor"), BUILD / roottask, cases)

    def test_words(self):
        run = self.run_of("ipc.elf", ("null", "call_reply_same/words:0"))
        self.assertEqual(run.words(), "roottask trace=1 windows=8 case=null,call_reply_same/words:0")
        self.assertNotIn("case", self.run_of("ipc.elf").words())

    def test_not_built(self):
        with self.assertRaisesRegex(suite.RunError, "nothing.elf is missing"):
            suite.trace(self.run_of("nothing.elf"))

    def test_no_such_case(self):
        with self.assertRaisesRegex(suite.RunError, "no case begins with frobnicate"):
            suite.trace(self.run_of("ipc.elf", ("frobnicate",)))

    def test_a_roottask_that_measures_nothing(self):
        with self.assertRaisesRegex(suite.RunError, "no symbol bench_mark"):
            suite.trace(self.run_of("hello.elf"))

    def test_traced_is_measured(self):
        found, skipped = suite.trace(self.run_of("ipc.elf", ("null", "pt_ctrl")))
        self.assertEqual(skipped, {})
        self.assertEqual([one.name for one in found], ["ipc/null", "ipc/pt_ctrl"])
        self.assertTrue(all(len(one.steps) > one.measured > 20 for one in found))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
