#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""profiling/bochs.py: the lines of a trace, recorded and damaged."""

import pathlib
import random
import sys
import unittest

import bochs
import path

RECORDED = (pathlib.Path(__file__).parent / "data/null.trace").read_text()
LINE = ("(0).[384636165] [0x00001fe04000] 0008:ffffffff80004000 (unk. ctxt): "
        "mov r11, qword ptr ds:0xffffffffc0000000 ; 4c8b1c25000000c0")


class Anything:
    def at(self, _address):
        return "f"


class Lines(unittest.TestCase):
    def test_line(self):
        self.assertEqual(bochs.parse_line(LINE), path.Step(0xffffffff80004000, bytes.fromhex("4c8b1c25000000c0")))

    def test_forms(self):
        for text, want in (
                ("(0).[1] [0x0000001dfb05] 002b:0000000000403b05 (unk. ctxt): syscall         ; 0f05", (0x403b05, "0f05")),
                ("(3).[99] [0x0000001dfb05] 002b:0000000000403b05 (some_symbol+5): ret ; c3\r", (0x403b05, "c3")),
                ("(0).[7] [0x000000007c00] 0000:7c00 (unk. ctxt): hlt ; f4", (0x7c00, "f4")),
                ("(0).[7] [0x000000107c00] 0010:00107c00 (unk. ctxt): db 0xff ; ff", (0x107c00, "ff")),
                ("(0).[7] [0x0000001dfb05] 0008:ffffffff80005023 (unk. ctxt): jbe .+135  (0xffffffff800050b0) ; 0f8687000000",
                 (0xffffffff80005023, "0f8687000000"))):
            self.assertEqual(bochs.parse_line(text), path.Step(want[0], bytes.fromhex(want[1])), text)

    def test_nested_pages(self):
        self.assertEqual(bochs.parse_line("(0).[445009715] ??? (physical address not available)"), path.Step(0, b""))

    def test_other_words(self):
        for text in ("", "Next at t=384636155", "(0) Magic breakpoint", "Tracing enabled for CPU0",
                     "(0) [0x0000001e1713] 002b:0000000000405713 (unk. ctxt): ret                       ; c3", "<bochs:1> "):
            self.assertIsNone(bochs.parse_line(text), text)

    def test_cut_lines(self):
        for end in (40, 60, 80, len(LINE) - 1):
            with self.assertRaisesRegex(path.TraceError, "not understood"):
                bochs.parse_line(LINE[:end])


class Windows(unittest.TestCase):
    def test_recorded(self):
        windows = bochs.parse(RECORDED)
        self.assertEqual(len(windows), 1)
        self.assertEqual(len(windows[0]), RECORDED.count("(0).["))
        self.assertEqual(windows[0][0].code, b"\xc3")  # bench_mark() returns
        self.assertEqual(windows[0][-1].code, b"\x66\x87\xdb")  # the second mark itself

    def test_several(self):
        self.assertEqual(len(bochs.parse(RECORDED * 3)), 3)

    def test_cut_off(self):
        self.assertEqual(bochs.parse(RECORDED[:RECORDED.index("Tracing disabled")]), [])

    def test_damaged(self):
        """A log that ends or is mangled anywhere: whole windows, or a complaint."""
        chance = random.Random(1)
        texts = [RECORDED[:chance.randrange(len(RECORDED))] for _ in range(100)]
        for _ in range(200):
            mangled = list(RECORDED)
            for _ in range(chance.randrange(1, 9)):
                mangled[chance.randrange(len(mangled))] = chance.choice("0f(); :.x\n[")
            texts.append("".join(mangled))
        for text in texts:
            try:
                windows = bochs.parse(text)
                for window in windows:
                    path.analyse("x", window, Anything(), Anything())
            except path.TraceError:
                pass

    def test_nothing_outside(self):
        self.assertEqual(bochs.parse(LINE + "\n" + LINE), [])

    def test_commands(self):
        self.assertEqual(bochs.commands(2), "c\ntrace on\nc\ntrace off\nc\ntrace on\nc\ntrace off\nc\n")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
