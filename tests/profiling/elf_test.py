#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""profiling/elf.py: small objects, damaged ones, and the kernel against nm. usage: elf_test.py BUILD ASSEMBLER"""

import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

import elf

BUILD, ASSEMBLER = sys.argv[1:3]

SOURCE = """
.text
.global exported
.type exported, @function
local_label: exported: nop
nop
.type inner, @function
inner: nop
label: nop
.set size, label - exported
.set odd, exported - 0x100000
.data
.global variable
variable: .quad 0
"""


class Elf(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def build(self, source, base="0x400000"):
        file = pathlib.Path(self.folder.name, "x")
        file.with_suffix(".s").write_text(source)
        subprocess.run([ASSEMBLER, "-nostdlib", "-static", "-no-pie", f"-Wl,-Ttext={base}", "-Wl,-e,0", "-o", file, f"{file}.s"],
                       check=True)
        return file

    def test_nearest_below(self):
        symbols = elf.Symbols(self.build(SOURCE))
        names = [symbols.at(0x400000 + n) for n in range(4)]
        self.assertEqual(names, ["exported", "exported", "inner", "label"])

    def test_outside(self):
        symbols = elf.Symbols(self.build(SOURCE))
        for address in (0, 3, 0x300000, 0x3fffff, 0x400004, 0x500000, (1 << 64) - 1):
            self.assertIsNone(symbols.at(address))

    def test_address(self):
        symbols = elf.Symbols(self.build(SOURCE))
        self.assertEqual(symbols.address("inner"), 0x400002)
        for name in ("variable", "nothing"):
            with self.assertRaisesRegex(elf.ElfError, f"no symbol {name}"):
                symbols.address(name)

    def test_damaged(self):
        whole = self.build(SOURCE).read_bytes()
        file = pathlib.Path(self.folder.name, "damaged")
        damages = [b"", b"\x7fELF", whole[:64], whole[:len(whole) // 2], b"\x7fELF\x01" + whole[5:], b"MZ" + whole[2:],
                   whole[:40] + b"\xff" * 8 + whole[48:]]
        for data in damages:
            file.write_bytes(data)
            with self.assertRaises(elf.ElfError):
                elf.Symbols(file)

    def test_mangled(self):
        """Symbols or a complaint, and not for ever."""
        chance, whole = random.Random(1), self.build(SOURCE).read_bytes()
        file = pathlib.Path(self.folder.name, "mangled")
        for _ in range(500):
            data = bytearray(whole)
            for _ in range(chance.randrange(1, 6)):
                at = chance.choice((chance.randrange(64), chance.randrange(len(data)), len(data) - 1 - chance.randrange(600)))
                data[at] = chance.choice((0, 1, 0x7f, 0xff, chance.randrange(256)))
            file.write_bytes(data)
            try:
                symbols = elf.Symbols(file)
                symbols.at(chance.randrange(1 << 64))
                symbols.code(0x400000, 4)
            except elf.ElfError:
                pass

    def test_code(self):
        symbols = elf.Symbols(self.build(SOURCE))
        self.assertEqual(symbols.code(0x400001, 2), b"\x90\x90")
        self.assertEqual(symbols.code(0x400003, 9), b"\x90")  # up to the end of the section
        self.assertEqual(symbols.code(0x500000, 4), b"")

    def test_stripped(self):
        file = self.build(SOURCE)
        subprocess.run(["strip", file], check=True)
        with self.assertRaisesRegex(elf.ElfError, "no symbols"):
            elf.Symbols(file)

    def test_missing(self):
        with self.assertRaises(elf.ElfError):
            elf.Symbols(pathlib.Path(self.folder.name, "nothing"))

    def test_kernel(self):
        symbols = elf.Symbols(f"{BUILD}/hypervisor")
        text = subprocess.run(["nm", "--defined-only", f"{BUILD}/hypervisor"], check=True, capture_output=True, text=True).stdout
        known = {}
        for line in text.splitlines():
            address, kind, name = line.split()
            if kind in "Tt":
                known.setdefault(int(address, 16), set()).add(name)
        self.assertGreater(len(known), 200)
        for address, names in known.items():
            if symbols.at(address) is not None:
                self.assertIn(symbols.at(address), names)
        self.assertEqual(symbols.at(symbols.address("ipc_call") + 1), "ipc_call")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
