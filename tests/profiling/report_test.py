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
    (path.Step(0x400000, b"\x58"), "user", "main", None),
    (path.Step(0x400001, b"\x0f\x05"), "user", "main", "syscall"),
    (path.Step(0xffffffff80000000, b"\x0f\x22\xd8"), "kernel", "entry", "cr3_write"),
    (path.Step(0xffffffff80000003, b"\x0f\x01\xc3"), "kernel", "entry", "vmentry"),
    (path.Step(0x7c00, b"\x58"), "guest", "?", None),  # its accesses are its own affair
], 5)
TRAP = path.Path("s/trap", [
    (path.Step(0x400000, b"\x0f\x0b"), "user", "main", None),
    (path.Step(0xffffffff80000000, b"\x90"), "kernel", "entry", "event"),
    (path.Step(0xffffffff80000000, b"\x90"), "kernel", "entry", None),
], 2)


class Report(unittest.TestCase):
    def test_table(self):
        rows = [row.split() for row in report.table([CALL, TRAP], WEIGHTS)]
        self.assertEqual(rows[0], ["path", "instr.", "loads", "stores", "syscall", "event", "cr3_write", "vmentry", "cycles"])
        self.assertEqual(rows[1], ["s/call", "5", "1", "0", "1", ".", "1", "1", "1386"])
        self.assertEqual(rows[2], ["s/trap", "2", "0", "0", ".", "1", ".", ".", "151"])

    def test_aligned(self):
        rows = report.table([CALL, TRAP], WEIGHTS)
        self.assertEqual(len({len(row) for row in rows}), 1)

    def test_symbols(self):
        rows = [" ".join(row.split()) for row in report.by_symbol(CALL, WEIGHTS)]
        self.assertEqual(rows[1:], ["2 1 0 45 main (user) 1 syscall", "2 0 0 1340 entry 1 cr3_write, 1 vmentry",
                                    "1 0 0 0 ? (guest)"])

    def test_event_is_no_instruction(self):
        rows = [" ".join(row.split()) for row in report.by_symbol(TRAP, WEIGHTS)]
        self.assertEqual(rows[2], "1 0 0 150 entry 1 event")

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

    def test_calls(self):
        rows = [row.split() for row in report.by_calls(CALL, WEIGHTS)]
        self.assertEqual(rows[1:3], [["5", "1386", "main"], ["1", "45", "[syscall]"]])
        self.assertEqual([row[2] for row in rows[3:]], ["entry_[k]", "[cr3_write]", "[vmentry]", "[guest]"])

    def test_costly(self):
        rows = [row.split() for row in report.by_step(CALL, source.Notes([CALL], []), True) if row.startswith(" ")]
        self.assertEqual([row[1] for row in rows], ["syscall", "cr3_write", "vmentry"])

    def test_document(self):
        found = json.loads(json.dumps(report.document([CALL, TRAP], WEIGHTS, "qemu", "hypervisor", {"s/call": ["too much"]})))
        call, trap = found["paths"]
        self.assertEqual((found["emulator"], found["kernel"], found["weights"]), ("qemu", "hypervisor", "icelake"))
        self.assertEqual(call["kinds"], {"syscall": 1, "cr3_write": 1, "vmentry": 1})
        self.assertEqual((call["exceeded"], trap["exceeded"]), (["too much"], []))
        for member in ("instructions", "loads", "stores", "cycles"):
            self.assertAlmostEqual(sum(symbol[member] for symbol in call["symbols"]), call[member], 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
