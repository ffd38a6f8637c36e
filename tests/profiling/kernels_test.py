#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""profiling/kernels.py: the files of a kernel, and what is none. usage: kernels_test.py BUILD"""

import pathlib
import random
import struct
import sys
import tempfile
import unittest

import kernels

BUILD = pathlib.Path(sys.argv[1]).resolve()
MB1 = struct.pack("<3I", 0x1BADB002, 3, -(0x1BADB002 + 3) % (1 << 32))
MB2 = struct.pack("<4I", 0xE85250D6, 0, 16, -(0xE85250D6 + 16) % (1 << 32))


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name).resolve()

    def write(self, name, *parts):
        file = self.folder / name
        file.write_bytes(b"".join(parts))
        return file

    def refused(self, file, why):
        with self.assertRaisesRegex(kernels.KernelError, why):
            kernels.find(file)

    def test_own(self):
        """The same kernel by both of its files."""
        want = kernels.Kernel(BUILD / "hypervisor", "mb2", BUILD / "hypervisor", BUILD / "hypervisor.elf32")
        self.assertEqual(kernels.find(BUILD / "hypervisor"), want)
        other = kernels.find(BUILD / "hypervisor.elf32")
        self.assertEqual((other.symbols, other.direct), (want.symbols, want.direct))

    def test_alone(self):
        """Without a file for QEMU's loader; with symbols elsewhere."""
        file = self.write("k", kernels.ELF_64, bytes(27), MB1)
        self.assertEqual(kernels.find(file), kernels.Kernel(file, "mb1", file, None))
        self.assertEqual(kernels.find(file, BUILD / "hypervisor").symbols, BUILD / "hypervisor")

    def test_protocols(self):
        """Version 2 is preferred. A magic number alone is no header, nor is one that is out of place or out of reach."""
        for parts, want in (((bytes(3), MB1, bytes(4), MB2), "mb2"), ((bytes(3), MB1), "mb1"), ((bytes(3), MB2), "mb2")):
            self.assertEqual(kernels.find(self.write("k", kernels.ELF_64, *parts)).protocol, want)
        for parts in ((), (MB1,), (bytes(3), MB1[:8], bytes(4)), (bytes(4), MB2), (bytes(8187), MB1), (bytes(3), MB2[:12]),
                      (bytes(3), MB1[:4])):
            self.refused(self.write("k", kernels.ELF_64, *parts), "no Multiboot header")

    def test_refused(self):
        self.refused(self.folder / "nothing", "No such file")
        self.refused(self.folder, "Is a directory")
        self.refused(self.write("text", b"#!/bin/sh\n"), "no ELF file")
        self.refused(self.write("k.elf32", kernels.ELF_32, bytes(3), MB1), "image of 32 bits.*--symbol-file")

    def test_mangled(self):
        """Nothing but KernelError comes out of a damaged file."""
        chance, whole = random.Random(1), (BUILD / "hypervisor").read_bytes()[:40000]
        for _ in range(50):
            data = bytearray(whole[:chance.randrange(len(whole))])
            for _ in range(chance.randrange(20)):
                if data:
                    data[chance.randrange(len(data))] = chance.randrange(256)
            try:
                kernels.find(self.write("k", bytes(data)))
            except kernels.KernelError:
                pass


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
