#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""profiling/report.py and source.py: what is shown of small paths. usage: report_test.py BUILD"""

import json
import sys
import unittest

import elf
import model
import path
import report
import source

BUILD = sys.argv[1]
WEIGHTS = model.find_weights("icelake")
CALL = path.Path("s/call", [
    (path.Step(0x400000, b"\x90"), "user", "main", None),
    (path.Step(0x400001, b"\x0f\x05"), "user", "main", "syscall"),
    (path.Step(0xffffffff80000000, b"\x0f\x22\xd8"), "kernel", "entry", "cr3_write"),
    (path.Step(0xffffffff80000003, b"\x0f\x01\xc3"), "kernel", "entry", "vmentry"),
    (path.Step(0x7c00, b"\x0f\xa2"), "guest", "?", None),
], 5)
TRAP = path.Path("s/trap", [
    (path.Step(0x400000, b"\x0f\x0b"), "user", "main", None),
    (path.Step(0xffffffff80000000, b"\x90"), "kernel", "entry", "event"),
    (path.Step(0xffffffff80000000, b"\x90"), "kernel", "entry", None),
], 2)


class Report(unittest.TestCase):
    def test_table(self):
        rows = [row.split() for row in report.table([CALL, TRAP], WEIGHTS)]
        self.assertEqual(rows[0], ["path", "instr.", "syscall", "event", "cr3_write", "vmentry", "cycles"])
        self.assertEqual(rows[1], ["s/call", "5", "1", ".", "1", "1", "1386"])
        self.assertEqual(rows[2], ["s/trap", "2", ".", "1", ".", ".", "151"])

    def test_aligned(self):
        rows = report.table([CALL, TRAP], WEIGHTS)
        self.assertEqual(len({len(row) for row in rows}), 1)

    def test_symbols(self):
        rows = [" ".join(row.split()) for row in report.by_symbol(CALL, WEIGHTS)]
        self.assertEqual(rows[1:], ["2 45 main (user) 1 syscall", "2 1340 entry 1 cr3_write, 1 vmentry", "1 0 ? (guest)"])

    def test_event_is_no_instruction(self):
        rows = [" ".join(row.split()) for row in report.by_symbol(TRAP, WEIGHTS)]
        self.assertEqual(rows[2], "1 150 entry 1 event")

    def test_steps(self):
        rows = list(report.by_step(TRAP, source.Notes([TRAP], [])))
        self.assertEqual(rows[0], "main (user):")
        self.assertEqual([row.split() for row in rows[3:]], [["ffffffff80000000", "event"], ["ffffffff80000000", "90"]])

    def test_notes(self):
        """Words and places from the kernel's file."""
        symbols = elf.Symbols(f"{BUILD}/hypervisor")
        found = path.Path("s/c", [(path.Step(symbols.address("entry_syscall"), b""), "kernel", "entry_syscall", None)], 1)
        rows = list(report.by_step(found, source.Notes([found], [f"{BUILD}/hypervisor"])))
        self.assertRegex(rows[1], r"mov %rcx,.* kernel/arch/x86_64/entry/entry.S:\d+$")

    def test_differences(self):
        old = report.document([CALL, TRAP], WEIGHTS, "qemu", {"s/call": [], "s/trap": []})
        self.assertEqual(report.differences(old, old), ["2 of 2 paths are what they were"])
        added = (path.Step(0, b"\xf0"), "kernel", "new", "lock")
        longer = path.Path("s/call", [CALL.steps[0], *CALL.steps[:2], added, CALL.steps[4]], 5)
        new = report.document([longer], WEIGHTS, "qemu", {"s/call": []})
        self.assertEqual(report.differences(old, new), [
            "s/call: 5 -> 5 instructions, 1385.8 -> 67.2 cycles",
            "    main: 2 -> 3",
            "    entry: 2 -> 0, cr3_write 1 -> 0, vmentry 1 -> 0",
            "    new: 0 -> 1, lock 0 -> 1", "0 of 1 paths are what they were"])

    def test_document(self):
        found = json.loads(json.dumps(report.document([CALL], WEIGHTS, "qemu", {"s/call": ["too much"]})))
        self.assertEqual(found["paths"][0]["kinds"], {"syscall": 1, "cr3_write": 1, "vmentry": 1})
        self.assertEqual(found["paths"][0]["exceeded"], ["too much"])
        self.assertEqual(sum(symbol["instructions"] for symbol in found["paths"][0]["symbols"]), 5)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
