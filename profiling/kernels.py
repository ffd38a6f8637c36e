# SPDX-License-Identifier: GPL-2.0-or-later
"""
The files that a kernel consists of: what a boot loader takes, what QEMU takes by itself, and where the symbols are. Manuals:
Multiboot Specification 0.6.96, Multiboot2 Specification 2.0.
"""

import dataclasses
import pathlib
import struct

SUFFIX = ".elf32"  # of an image for QEMU's own loader, beside the one with symbols
ELF_32, ELF_64 = b"\x7fELF\x01", b"\x7fELF\x02"
# protocol of boot/image.py: (magic number, alignment, where the header has to be, its 32-bit words whose sum is 0)
HEADERS = {"mb2": (0xE85250D6, 8, 32768, 4), "mb1": (0x1BADB002, 4, 8192, 3)}


class KernelError(Exception):
    """The kernel cannot be booted or has no symbols; the text says why."""


@dataclasses.dataclass
class Kernel:
    """One kernel. Paths are absolute: emulators run in a folder of their own."""

    image: pathlib.Path  # for GRUB
    protocol: str  # that GRUB is to use
    symbols: pathlib.Path  # an ELF file of 64 bits
    direct: object  # for QEMU's own loader: an ELF file of 32 bits with a Multiboot 1 header; or None


def read(file):
    try:
        return file.read_bytes()
    except OSError as error:
        raise KernelError(f"{file}: {error.strerror}") from None


def has_header(data, protocol):
    """Whether this is an image for a protocol."""
    magic, alignment, limit, words = HEADERS[protocol]
    at = data.find(struct.pack("<I", magic))
    while 0 <= at <= min(limit, len(data)) - 4 * words:
        if at % alignment == 0 and sum(struct.unpack_from(f"<{words}I", data, at)) % (1 << 32) == 0:
            return True
        at = data.find(struct.pack("<I", magic), at + 1)
    return False


def protocol_of(file, data):
    for protocol in HEADERS:
        if has_header(data, protocol):
            return protocol
    raise KernelError(f"{file} has no Multiboot header: no kernel that GRUB or QEMU can boot")


def find_symbols(file, data):
    """The file itself, or the one it was made from."""
    if data.startswith(ELF_64):
        return file
    full = file.with_name(file.name.removesuffix(SUFFIX))
    if full != file and full.is_file():
        return full
    raise KernelError(f"{file} is an image of 32 bits, whose symbols are not of use: name the one of 64 bits that it was "
                      "made from, or say where the symbols are (--symbol-file)")


def find_direct(file, data):
    if data.startswith(ELF_32):
        return file if has_header(data, "mb1") else None
    beside = file.with_name(file.name + SUFFIX)
    return beside if beside.is_file() and has_header(read(beside), "mb1") else None


def find(file, symbols=None):
    """The Kernel that a file belongs to."""
    file = pathlib.Path(file).resolve()
    data = read(file)
    if not data.startswith((ELF_32, ELF_64)):
        raise KernelError(f"{file} is no ELF file")
    where = pathlib.Path(symbols).resolve() if symbols else find_symbols(file, data)
    return Kernel(file, protocol_of(file, data), where, find_direct(file, data))
