#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Plants faults in a copy of the runtime and sees whether rt_layers_check.py finds them. usage: rt_layers_test.py SOURCE"""

import pathlib
import shutil
import sys
import tempfile
import unittest

import rt_layers_check as check

SOURCE = pathlib.Path(sys.argv.pop(1))


class Planted(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = pathlib.Path(place.name) / "rt"
        shutil.copytree(SOURCE / "bench-guests/rt", self.folder)

    def append(self, name, text):
        with (self.folder / name).open("a", encoding="utf-8") as file:
            file.write(text)

    def order(self):
        return list(check.order(check.uses(self.folder)[0], (self.folder / "README.md").read_text(encoding="utf-8")))

    def test_nothing_planted(self):
        graph, complaints = check.uses(self.folder)
        self.assertEqual([], complaints + list(check.circles(graph)) + self.order())

    def test_circle(self):
        self.append("port.c", '#include "rt/console.h"\n')
        self.assertTrue(any("console" in text and "port" in text for text in check.circles(check.uses(self.folder)[0])))

    def test_circle_by_way_of_others(self):
        self.append("string.c", '#include "rt/thread.h"\n')
        self.append("thread.c", '#include "rt/fmt.h"\n')
        self.assertTrue(list(check.circles(check.uses(self.folder)[0])))

    def test_upwards(self):
        self.append("cpu.h", '#include "rt/vmx.h"\n')
        self.assertEqual(["README.md: cpu uses vmx, which is below it"], self.order())

    def test_header_missing(self):
        (self.folder / "extra.c").write_text("")
        self.assertEqual(["extra.c: it has no header beside it"], list(check.sources_without_header(self.folder)))
        self.assertEqual(["README.md: extra is missing"], self.order())

    def test_header_without_its_folder(self):
        self.append("sel.c", '#include "panic.h"\n')
        self.assertEqual(['sel.c: "panic.h" is no header of the runtime'], check.uses(self.folder)[1])

    def test_names(self):
        pairs = [("sel", "rt_sel"), ("bench_report", "bench_report_end"), ("workers", "workers_init"), ("string", "memset"),
                 ("workers", "partner_end")]
        self.assertEqual(["workers: exports partner_end"], list(check.strangers(pairs)))


if __name__ == "__main__":
    unittest.main()
