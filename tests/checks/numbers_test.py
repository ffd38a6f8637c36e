#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""numbers_check.py: a manual in which all is well, then one fault a test, which has to be found and mended."""

import json
import pathlib
import tempfile
import unittest

import numbers_check

DOCUMENT, DECISION = "x.md", "adr/1.md"

PAGE = """text
```
$ hbench show x
ipc on m: instructions
  kernel    Hedron (build 1)
  image     k, SHA-256 0123456789abcdef...

case          min  p50   n  goal  goal is  L4 1
null           40   41  64    40  met       !39
call/words:8  228  228  64   230  met       300
...
2 cases: 2 same.
1 suites, 2 cases: 2 same; and more
```
<!-- numbers: results/m/ipc.json -->
```
case   A   B  change        %  verdict  goal  goal is
null  40  44      +4  +10.00%  WORSE      40  not met
null  40  40       0           same       40  met
```
```
path      instr.  loads  stores  lock  cycles
ipc/null      40      1       2     .      92

ipc/null
  instr.   loads  stores  cycles  symbol        of these
      40       1       2      92  entry (user)  1 syscall
```
"""


class Numbers(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.source = pathlib.Path(folder.name)
        self.write("results/m/ipc.json", json.dumps({
            "context": {"suite": "ipc", "machine": "m", "kernel_boot_line": "Hedron (build 1)", "kernel_file": "k",
                        "kernel_sha256": "0123456789abcdef0"},
            "benchmarks": [{"name": "ipc/null", "min": 40, "p50": 41, "p99": 42, "max": 43, "n": 64},
                           {"name": "ipc/call/words:8", "min": 228, "p50": 228, "p99": 228, "max": 228, "n": 64}]}))
        self.write("results/peers/l4.json", json.dumps({"title": "L4 1", "machine": "n", "beside": ["m"],
                                                        "cases": {"ipc/null": 39, "ipc/call/words:8": 300}}))
        self.write("results/peers/other.json", json.dumps({"title": "L5", "machine": "n", "cases": {}}))
        self.write("bench/suites/ipc.json", json.dumps({"cases": [
            {"case": "null", "goal": 41, "goal_on": {"m": 40, "n": None}},
            {"case": "call", "goal": {"base": 190, "per": {"words": 5}}}]}))
        counts = {"instructions": 40, "loads": 1, "stores": 2, "cycles": 91.8}
        symbol = {"symbol": "entry", "mode": "user", **counts, "kinds": {"syscall": 1}}
        self.paths = {"ipc/null": {"name": "ipc/null", **counts, "kinds": {}, "symbols": [symbol]}}
        self.write(DOCUMENT, PAGE)

    def write(self, name, text):
        path = self.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def finds(self, *expected):
        found, count = numbers_check.complaints(self.source, self.paths)
        self.assertEqual(len(found), len(expected), found)
        for text, complaint in zip(expected, found):
            self.assertIn(text, complaint)
        return count

    def test_all_is_well(self):
        self.assertEqual(self.finds(), 6)

    def test_each_wrong_number_is_found_and_mended(self):
        for right, wrong in (("null           40", "null           38"), ("  41  64", "  40  64"), ("  40  met", "  39  met"),
                             ("230  met", "230  not met"), ("null  40  44", "null  39  44"), ("+10.00%", "+10.10%"),
                             ("WORSE ", "same  "), ("build 1", "build 2"), ("0123456789abcdef", "f123456789abcdef"),
                             ("2 cases: 2", "3 cases: 3"), ("ipc/null      40", "ipc/null      41"),
                             ("       2      92  entry", "       3      92  entry"),
                             ("1 syscall", "2 syscall"), ("!39", " 39"), ("1 suites", "2 suites"), ("  300", "  301")):
            with self.subTest(wrong):
                self.assertIn(right, PAGE)
                self.write(DOCUMENT, PAGE.replace(right, wrong, 1))
                self.finds("should be")
                numbers_check.complaints(self.source, self.paths, update=True)
                self.assertEqual((self.source / DOCUMENT).read_text(), PAGE)

    def test_paths_without_a_file(self):
        self.write(DOCUMENT, PAGE.replace("ipc/null      40", "ipc/null      41"))
        self.paths = {}
        self.finds()

    def test_tables_of_nothing(self):
        self.write(DOCUMENT, "```\ncase  min\nnull   40\n```\n")
        self.finds("of which result")
        self.write(DOCUMENT, PAGE.replace("call/words:8", "call/words:9", 1))
        self.finds("has no call/words:9")
        self.write(DOCUMENT, PAGE.replace("ipc on m:", "ipc on n:"))
        self.finds("there is no results/n/ipc.json")
        self.write(DOCUMENT, PAGE.replace("p50", "p51"))
        self.finds("nothing is known of a column p51")

    def test_blocks_that_a_test_looks_at(self):
        self.write(DOCUMENT, "<!-- numbers: t.c -->\n```\ncase  min\nnull   40\n```\n")
        self.finds("t.c does not look at this document")
        self.write("t.c", "another.md")
        self.finds("t.c does not look at this document")
        self.write("t.c", f"looks at {DOCUMENT}")
        self.finds()

    def test_decisions_stay_as_they_were(self):
        self.write(DECISION, "```\ncase  min\nnull   40\n```\n")
        self.finds()


if __name__ == "__main__":
    unittest.main()
