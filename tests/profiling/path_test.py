#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""profiling/path.py: the operation in a window, its modes, symbols and kinds."""

import collections
import pathlib
import sys
import unittest

import bochs
import path

RECORDED = (pathlib.Path(__file__).parent / "data/null.trace").read_text()
KERNEL = 0xffffffff80000000
NOP, SYSCALL, SYSRET, UD2 = b"\x90", b"\x0f\x05", b"\x48\x0f\x07", b"\x0f\x0b"
REP, VMRESUME, CPUID = b"\xf3\x48\xa5", b"\x0f\x01\xc3", b"\x0f\xa2"
HEAD = [path.LFENCE, path.RDTSC, path.KEEPS[0], path.KEEPS[1], b"\x49\x89\xc0"]
TAIL = [path.LFENCE, path.RDTSC, NOP]


class Names:
    """Symbols of [base, base + size), one name per 16 bytes."""

    def __init__(self, base, size=0x1000):
        self.base, self.size = base, size

    def at(self, address):
        inside = self.base <= address < self.base + self.size
        return f"f{(address - self.base) // 16}" if inside else None


def steps(*parts):
    """Steps from (address, code...), each at the address after the one before; a number moves on."""
    found, at = [], 0
    for part in parts:
        if isinstance(part, int):
            at = part
        else:
            found.append(path.Step(at, part))
            at += len(part)
    return found


def window(*parts):
    return steps(0x400000, NOP, *HEAD, *parts, 0x400800, *TAIL)


def analyse(*parts):
    return path.analyse("s/c", window(*parts), Names(KERNEL), Names(0x400000))


class Operation(unittest.TestCase):
    def test_recorded(self):
        found = path.analyse("ipc/null", bochs.parse(RECORDED)[0], Names(KERNEL, 0x20000), Names(0x400000, 0x10000))
        self.assertEqual(found.total, 39)
        self.assertEqual(found.kinds(), {"syscall": 1, "sysret": 1})
        self.assertEqual(found.plain(), 37)
        self.assertEqual([mode for _, mode, _, _ in found.steps], ["user"] * 2 + ["kernel"] * 37)

    def test_empty(self):
        self.assertEqual(path.operation(window()), [])

    def test_clock_in_the_kernel(self):
        found = analyse(SYSCALL, KERNEL, path.LFENCE, path.RDTSC, SYSRET)
        self.assertEqual(found.kinds(), {"syscall": 1, "lfence": 1, "rdtsc": 1, "sysret": 1})

    def test_reads(self):
        for broken in ([NOP], HEAD + [NOP], HEAD + TAIL + TAIL):
            with self.assertRaisesRegex(path.TraceError, "instead of twice"):
                path.operation(steps(0x400000, *broken))

    def test_other_head(self):
        for head in (HEAD[:3] + [NOP, NOP], HEAD[:2]):
            with self.assertRaisesRegex(path.TraceError, "bench_start"):
                path.operation(steps(0x400000, *head, *TAIL))


class Analysis(unittest.TestCase):
    def test_symbols(self):
        found = analyse(0x400100, NOP, SYSCALL, KERNEL, NOP, KERNEL + 16, NOP, KERNEL, SYSRET)
        self.assertEqual([(one.mode, one.symbol, one.instructions, one.kinds, one.plain()) for one in found.symbols()],
                         [("user", "f16", 2, {"syscall": 1}, 1), ("kernel", "f0", 2, {"sysret": 1}, 1), ("kernel", "f1", 1, {}, 1)])

    def test_accesses(self):
        found = analyse(b"\x50", SYSCALL, KERNEL, b"\x48\x01\x03", VMRESUME, 0x7c00, b"\x50", KERNEL, b"\x58", SYSRET)
        self.assertEqual([(one.mode, one.loads, one.stores) for one in found.symbols()],
                         [("user", 0, 1), ("kernel", 2, 1), ("guest", 0, 0)])
        self.assertEqual(found.accesses(), (2, 2))

    def test_unknown_symbol(self):
        found = analyse(0x800000, SYSCALL, KERNEL + 0x100000, NOP)
        self.assertEqual([one.symbol for one in found.symbols()], ["?", "?"])

    def test_event(self):
        found = analyse(UD2, KERNEL, NOP, b"\x48\xcf")
        self.assertEqual(found.kinds(), {"event": 1, "iret": 1})
        self.assertEqual(found.total, 3)  # the event is no instruction
        self.assertEqual(found.plain(), 2)
        self.assertEqual([one.instructions for one in found.symbols()], [1, 2])

    def test_no_event(self):
        for enter in (SYSCALL, b"\xcd\x80"):
            self.assertNotIn("event", analyse(enter, KERNEL, NOP, SYSRET).kinds())

    def test_repetitions(self):
        at = 0x400100
        found = analyse(at, REP, at, REP, at, REP, NOP, at, REP)
        self.assertEqual(found.total, 5)
        self.assertEqual(found.kinds(), {"rep": 2})

    def test_guest(self):
        """A guest's code is counted, but not looked into, even at addresses like the program's."""
        found = analyse(SYSCALL, KERNEL, VMRESUME, 0x400000, CPUID, 0x7c00, CPUID, KERNEL + 32, NOP, SYSRET)
        self.assertEqual(found.kinds(), {"syscall": 1, "vmentry": 1, "sysret": 1})
        modes = collections.Counter(mode for _, mode, _, _ in found.steps)
        self.assertEqual(modes, {"user": 1, "kernel": 3, "guest": 2})

    def test_failed_entry(self):
        found = analyse(SYSCALL, KERNEL, VMRESUME, NOP, SYSRET)
        self.assertNotIn("guest", [mode for _, mode, _, _ in found.steps])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
