#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
profiling/access.py against the assembler and the disassembler: what data/accesses.txt lists reads and writes so often, and in the
kernel itself and in a user program the accesses found in the bytes are those of the disassembler's words.
usage: access_test.py BUILD ASSEMBLER
"""

import pathlib
import random
import re
import sys
import unittest

import access
import assembly

BUILD, ASSEMBLER = sys.argv[1:3]

# A line "loads N stores N" before the instructions that do so.
LIST = (pathlib.Path(__file__).parent / "data/accesses.txt").read_text()
EXAMPLES = [((int(loads), int(stores)), source) for loads, stores, source
            in re.findall(r"^loads (\d) stores (\d)\n((?:(?!loads).*\n)+)", LIST, re.MULTILINE)]

SILENT = re.compile(r"(lea|nop[wl]?|prefetch\w*|invlpg|clflush\w*|clwb|in[bwl]?|out[bwl]?)$")
READS = re.compile(r"((cmp|test|bt|i?div|i?mul)[bwlq]?|jmp|ltr|lldt|lgdt|lidt|lmsw|xrstors?(64)?|fxrstor(64)?|vmptrld|vmclear|"
                   r"vmxon|inv(ept|vpid|pcid)|ldmxcsr|fldcw|fld\w*|fild\w*|ver[rw])$")
WRITES = re.compile(r"(mov(abs|nti|[bwlq]|ups|aps|d|q|dqa|dqu|upd|apd|hps|lps|hpd|lpd|ss|sd|be)?|set\w+|s[gi]dt|str|sldt|smsw|"
                    r"xsave\w*|fxsave(64)?|stmxcsr|fnstcw|fnst\w+|fst\w+|vmptrst|vmread)$")
STACK = {"push": (0, 1), "pop": (1, 0), "call": (0, 1), "ret": (1, 0), "leave": (1, 0), "pushf": (0, 1), "popf": (1, 0),
         "iret": (5, 0), "lret": (2, 0)}
STRINGS = {"movs": (1, 1), "cmps": (2, 0), "stos": (0, 1), "lods": (1, 0), "scas": (1, 0), "ins": (0, 1), "outs": (1, 0)}
PREFIX = re.compile(r"^(?:(?:cs|ds|es|ss|fs|gs|lock|rep|repz|repnz|bnd|notrack|data16|rex\.\w+|rex) )+")


def without_suffix(name, table):
    """A name in a table, with or without the letter for its size."""
    return table.get(name, table.get(name[:-1] if name[-1] in "bwlq" else None))


def operand_accesses(name, operands):
    """By the words of the disassembler: AT&T syntax, the last operand is the one that is changed."""
    places = [number for number, text in enumerate(operands) if "(" in text or re.match(r"\*?(%[a-z]s:)?-?0x", text)]
    if not places or SILENT.match(name):
        return 0, 0
    if READS.match(name) or name in ("push", "pushq", "call", "callq"):
        return 1, 0
    if places[0] != len(operands) - 1:
        return (1, 1) if name in ("xchg", "xadd") else (1, 0)
    return (0, 1) if WRITES.match(name) or name in ("pop", "popq") else (1, 1)


def accesses_of_text(text):
    text = re.sub(r"\s*<[^>]*>", "", PREFIX.sub("", re.sub(r"\s+", " ", text)))
    name, _, rest = text.partition(" ")
    string = without_suffix(name, STRINGS)
    if string and re.search(r"%[de]s:\(%r[sd]i\)", rest):
        return string
    implied = without_suffix(name, STACK) or (0, 0)
    if re.match(r"(j\w+|callq?)$", name) and "*" not in rest:
        return implied
    named = operand_accesses(name, re.findall(r"(?:\([^)]*\)|[^,(])+", rest))
    return implied[0] + named[0], implied[1] + named[1]


class Accesses(unittest.TestCase):
    def test_examples(self):
        self.assertEqual(len(EXAMPLES), 7)
        for counts, source in EXAMPLES:
            for code, text in assembly.assemble(ASSEMBLER, source):
                self.assertEqual(access.of(code), counts, f"{text}: {code.hex()}")

    def test_what_follows_does_not_matter(self):
        for counts, source in EXAMPLES:
            for code, text in assembly.assemble(ASSEMBLER, source):
                for tail in (b"\xff" * 8, b"\x00" * 8, b"\x0f\x05\xc3"):
                    self.assertEqual(access.of(code + tail), counts, text)

    def test_prefixes(self):
        """Segments and REX do not matter; a REX that is not last is void."""
        for prefix in (b"\x64", b"\x65", b"\x2e", b"\x67", b"\xf2", b"\x48", b"\x4f", b"\x48\x66", b"\x64\x48"):
            self.assertEqual(access.of(prefix + b"\x89\x03"), (0, 1), prefix.hex())
            self.assertEqual(access.of(prefix + b"\x8b\x03"), (1, 0), prefix.hex())

    def test_incomplete(self):
        """Whatever it says of a cut instruction, it does not fail; nor of random bytes."""
        chance = random.Random(1)
        for _, source in EXAMPLES:
            for code, text in assembly.assemble(ASSEMBLER, source):
                for length in range(len(code)):
                    access.of(code[:length])
        for _ in range(20000):
            loads, stores = access.of(chance.randbytes(chance.randrange(16)))
            self.assertTrue(0 <= loads <= 5 and 0 <= stores <= 2)

    def test_programs(self):
        """Every instruction of the kernel and of a program that is no kernel."""
        for name, least in (("hypervisor", 5000), ("ipc.elf", 2000)):
            total = 0
            for code, text in assembly.disassemble(f"{BUILD}/{name}"):
                self.assertEqual(access.of(code), accesses_of_text(text), f"{name}: {text}: {code.hex()}")
                total += 1
            self.assertGreater(total, least)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
