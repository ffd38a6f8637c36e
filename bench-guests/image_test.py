#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Looks at roottask images: what every kernel of API 13 demands of them (nothing is copied or zeroed when they start), no
memory that is writable and executable, no paths of the builder.
"""

import pathlib
import struct
import sys

PT_LOAD, X, W = 1, 1, 2
PAGE = 4096


def segments(data):
    phoff, = struct.unpack_from("<Q", data, 32)
    phentsize, phnum = struct.unpack_from("<HH", data, 54)
    for i in range(phnum):
        kind, flags, offset, vaddr, _, filesz, memsz, _ = struct.unpack_from("<IIQQQQQQ", data, phoff + i * phentsize)
        if kind == PT_LOAD:
            yield flags, offset, vaddr, filesz, memsz


def faults(data, paths):
    """What is wrong with an image, one text each."""
    if data[:6] != b"\x7fELF\x02\x01" or struct.unpack_from("<HH", data, 16) != (2, 62):
        yield "not an ELF64 executable for x86-64"
        return
    entry, = struct.unpack_from("<Q", data, 24)
    loads = list(segments(data))
    for flags, offset, vaddr, filesz, memsz in loads:
        where = f"segment at {vaddr:#x}: "
        if filesz != memsz:
            yield where + f"{filesz:#x} bytes in the file, {memsz:#x} in memory"
        if offset % PAGE or vaddr % PAGE or filesz % PAGE:
            yield where + "not whole pages of the file"
        if offset + filesz > len(data):
            yield where + "reaches beyond the file"
        if flags & W and flags & X:
            yield where + "writable and executable"
    if not any(flags & X and vaddr <= entry < vaddr + memsz for flags, _, vaddr, _, memsz in loads):
        yield f"entry {entry:#x} is not in executable memory"
    for path in paths:
        if path.encode() + b"/" in data:
            yield f"contains the path {path}"


def main():
    folder, *paths = sys.argv[1:]
    images = sorted(pathlib.Path(folder).glob("*.elf"))
    wrong = [f"{image.name}: {text}" for image in images for text in faults(image.read_bytes(), paths)]
    print("\n".join(wrong) or f"{len(images)} images are as they should be")
    return 1 if wrong or not images else 0


if __name__ == "__main__":
    sys.exit(main())
