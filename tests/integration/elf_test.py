#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Boots malformed roottask images. The kernel has to name what is wrong, in the words of kernel/start/elf.h, and stop there:
no crash, no silence.
"""

import argparse
import concurrent.futures
import pathlib
import re
import struct
import sys
import tempfile

import guest  # first: it finds machine
import machine

EHDR, PHDR = struct.Struct("<16sHHIQQQIHHHHHH"), struct.Struct("<IIQQQQQQ")
PT_LOAD, R, RX, RW = 1, 4, 5, 6
USER_END = 0x7FFFFFFFF000
CODE = b"\xf4"  # not reached
UNREADABLE = "UNREADABLE"  # no boot loader puts a module where nothing is: tests/unit/start/elf_test.c
REFUSED = r"^.*(roottask refused|cannot create the roottask).*\n"  # a whole line: its end may come later


def segment(vaddr=0x400000, offset=0x1000, filesz=16, memsz=None, flags=RX, kind=PT_LOAD):
    return PHDR.pack(kind, flags, offset, vaddr, vaddr, filesz, filesz if memsz is None else memsz, 0x1000)


def elf(*segments, ident=None, kind=2, arch=62, version=1, entry=0x400000, phoff=64, ehsize=64, phentsize=56, phnum=None,
        size=0x3000):
    """An ELF file of `size` bytes; the arguments spoil one thing or another."""
    ident = ident or b"\x7fELF\x02\x01\x01"
    segments = segments or (segment(),)
    head = EHDR.pack(ident.ljust(16, b"\0"), kind, arch, version, entry, phoff, 0, 0, ehsize, phentsize,
                     len(segments) if phnum is None else phnum, 64, 0, 0)
    return (head + b"".join(segments)).ljust(0x1000, b"\0").ljust(size, CODE)[:size]


def second(**changes):
    return elf(segment(), segment(**{"vaddr": 0x800000, "offset": 0x2000, "flags": RW, **changes}))


# name: (the file, the name of the error in ELF_ERROR_LIST, or the message itself)
CASES = {
    "one byte": (b"\x7f", "TOO_SMALL"),
    "header cut": (elf()[:63], "TOO_SMALL"),
    "text": (b"#!/bin/sh\n" * 50, "NOT_ELF"),
    "zeroes": (bytes(4096), "NOT_ELF"),
    "32-bit": (elf(ident=b"\x7fELF\x01\x01\x01"), "CLASS"),
    "big endian": (elf(ident=b"\x7fELF\x02\x02\x01"), "BYTE_ORDER"),
    "version of the identification": (elf(ident=b"\x7fELF\x02\x01\x02"), "VERSION"),
    "version": (elf(version=2), "VERSION"),
    "object file": (elf(kind=1), "TYPE"),
    "position independent": (elf(kind=3), "TYPE"),
    "other machine": (elf(arch=183), "MACHINE"),
    "size of program headers": (elf(phentsize=32), "HEADER_SIZE"),
    "program headers behind the end": (elf(phoff=0x10000), "HEADERS_OUTSIDE"),
    "program headers wrap": (elf(phoff=2**64 - 8), "HEADERS_OUTSIDE"),
    "many program headers": (elf(phnum=0xFFFE), "HEADERS_OUTSIDE"),
    "33 segments": (elf(*(segment(vaddr=0x400000 + n * 0x2000) for n in range(33))), "SEGMENTS_TOO_MANY"),
    "segment behind the end": (second(offset=0x100000), "SEGMENT_OUTSIDE"),
    "segment across the end": (second(filesz=0x1001), "SEGMENT_OUTSIDE"),
    "segment offset wraps": (second(offset=2**64 - 0x1000, filesz=0x2000), "SEGMENT_OUTSIDE"),
    "more in the file than in memory": (second(filesz=32, memsz=16), "SEGMENT_FILE_SIZE"),
    "address and offset disagree": (second(vaddr=0x800010), "SEGMENT_ALIGN"),
    "kernel address": (second(vaddr=0xFFFFFFFF80000000), "SEGMENT_USER_SPACE"),
    "beyond user space": (second(vaddr=USER_END), "SEGMENT_USER_SPACE"),
    "over the HIP": (second(vaddr=0x7FFFFFFFE000), "SEGMENT_USER_SPACE"),
    "memory size wraps": (second(memsz=2**64 - 0x1000), "SEGMENT_USER_SPACE"),
    "overlap": (second(vaddr=0x400000), "SEGMENT_OVERLAP"),
    "shared page": (elf(segment(), segment(vaddr=0x400800, offset=0x1800)), "SEGMENT_OVERLAP"),
    "no segments": (elf(segment(kind=0)), "NO_SEGMENTS"),
    "no program headers": (elf(phnum=0), "NO_SEGMENTS"),
    "entry outside": (elf(entry=0x500000), "ENTRY"),
    "entry in data": (elf(segment(flags=R)), "ENTRY"),
    "more memory than there is": (second(memsz=2**40), "out of memory"),
}


def error_texts(source):
    """ELF_ERROR_LIST as a dictionary."""
    text = (source / "kernel/start/elf.h").read_text()
    return dict(re.findall(r'X\((\w+), "([^"]*)"\)', text))


def boot(kernel, path, timeout):
    vm = machine.Machine(kernel=str(kernel), modules=[(str(path), "")], memory=128)
    return machine.run(vm, until=REFUSED, timeout=timeout)


def check(kernel, folder, number, name, text):
    """A complaint about one case, or None."""
    path = folder / f"case{number}"
    path.write_bytes(CASES[name][0])
    try:
        outcome = boot(kernel, path, 30)
    except machine.MachineError as error:
        return f"{name}: {error}"
    found = re.search(REFUSED, outcome.serial, re.MULTILINE)
    if not found or text not in found[0]:
        return f"{name}: instead of \"{text}\" the kernel said:\n{outcome.serial}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--source", required=True)
    args = parser.parse_args()
    texts = error_texts(pathlib.Path(args.source))
    complaints = [f"no case for {name}" for name in texts.keys() - {"OK", UNREADABLE} - {error for _, error in CASES.values()}]
    kernel = pathlib.Path(args.build).resolve() / "hypervisor.elf32"
    with tempfile.TemporaryDirectory(prefix="hedron-elf.") as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        tasks = [pool.submit(check, kernel, pathlib.Path(folder), number, name, texts.get(error, error))
                 for number, (name, (_, error)) in enumerate(CASES.items())]
        complaints += [text for text in (task.result() for task in tasks) if text]
    if complaints:
        sys.exit("\n".join(f"FAIL: {text}" for text in complaints))
    print(f"PASS: {len(CASES)} malformed images, each refused with its reason")


if __name__ == "__main__":
    main()
