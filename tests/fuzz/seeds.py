#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes inputs for the fuzzers to start from: well-formed ones, which random bytes would not reach."""

import pathlib
import struct
import sys

BASE = 0x10000  # FUZZ_MEMORY_BASE


def pad(data, to):
    return data + bytes(-len(data) % to)


def cmdlines():
    yield b"serial novga nopcid novpid nomwait l1flush heap=64M log=debug serial=com2,9600e7"
    yield b"/boot/hypervisor.elf32 serial heap=18446744073709551615 heap=3G log=error"
    yield b"heap=1KM heap= log=x heap=99999999999999999999K log="


def serial_words():
    yield b"com2,115200n8"
    yield b"mmio:0xfe034000,9600e7,stride=4,clock=48000000"
    yield b"pci:00:16.3,stride=1,19200o"


def elf(segments, entry=0x401010, size=0x3000):
    ident = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    data = ident + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, entry, 64, 0, 0, 64, 56, len(segments), 0, 0, 0)
    for flags, offset, vaddr, filesz, memsz in segments:
        data += struct.pack("<IIQQQQQQ", 1, flags, offset, vaddr, vaddr, filesz, memsz, 4096)
    return data + bytes(size - len(data))


def elfs():
    yield elf([(5, 0, 0x401000, 0x123, 0x123)], size=0x200)
    yield elf([(5, 0x1000, 0x401000, 0x123, 0x123), (6, 0x2008, 0x403008, 0x10, 0x4000), (4, 0, 0x500000, 0, 0)])
    yield elf([(5, 0, 0x401000 + 0x1000 * i, 0x10, 0x1000) for i in range(33)], size=0x1000)


MAP = [(0, 0x9FC00, 1), (0x9FC00, 0x400, 2), (0x100000, 0x1FEE0000, 1), (0x1FFE0000, 0x20000, 3), (0x100000000, 1 << 32, 1)]


LONG_MAP = [(i << 14, 3 << 12, 1 + i % 3 // 2) for i in range(280)]  # more than there is room for


def screen():
    return struct.pack("<QIIIBB", 0xC0000000, 260, 64, 32, 32, 1)


def multiboot1(memory=MAP):
    entries = b"".join(struct.pack("<IQQI", 20, *e) for e in memory)
    modules = struct.pack("<IIII", 0x200000, 0x212345, BASE + 0x300, 0) + struct.pack("<IIII", 0x300000, 0x300000, 0, 0)
    info = struct.pack("<7I4I2I", 0x104D, 639, 523136, 0, BASE + 0x100, 2, BASE + 0x180, 0, 0, 0, 0, len(entries), BASE + 0x400)
    info = pad(info, 88) + screen() + struct.pack("<6B", 16, 8, 8, 8, 0, 8)
    data = pad(info, 0x100) + b"hypervisor serial\0"
    data = pad(data, 0x80) + modules
    data = pad(data, 0x300) + b"root.elf words\0"
    return pad(data, 0x400) + entries


def tag(kind, content):
    return pad(struct.pack("<II", kind, 8 + len(content)) + content, 8)


def multiboot2():
    tags = tag(1, b"serial novga\0") + tag(3, struct.pack("<II", 0x200000, 0x212345) + b"root\0")
    tags += tag(4, struct.pack("<II", 639, 523136)) + tag(12, bytes(8))
    tags += tag(6, struct.pack("<II", 24, 0) + b"".join(struct.pack("<QQII", *e, 0) for e in MAP))
    tags += tag(8, screen() + struct.pack("<8B", 0, 0, 16, 8, 8, 8, 0, 8)) + tag(14, bytes(20)) + tag(15, bytes(36)) + tag(0, b"")
    return struct.pack("<II", 8 + len(tags), 0) + tags


def multiboots():
    yield b"\x01" + multiboot1()
    yield b"\x03" + multiboot1()
    yield b"\x00" + multiboot2()
    yield b"\x42" + multiboot2()
    yield b"\x21" + multiboot1(LONG_MAP)


def table(signature, content):
    head = signature + struct.pack("<IBB6s8sIII", 36 + len(content), 1, 0, b"HEDRON", b"FUZZ", 1, 0, 0)
    return pad(head + content, 1024)


def gas(space, bits, access, address):
    return struct.pack("<BBBBQ", space, bits, 0, access, address)


def serial_tables():
    """SPCR with a line in memory, DBG2 with one at ports."""
    spcr = bytes([0x12, 0, 0, 0]) + gas(0, 32, 3, 0xFE034000) + bytes([0, 0, 0, 0, 0, 0, 7, 0, 1, 0, 0, 0])
    spcr += b"\xff\xff\xff\xff" + bytes(8) + struct.pack("<IIHH", 48000000, 115200, 2, 88) + b".\0"
    port = struct.pack("<BHBHHHHHHHHH", 0, 34, 1, 0, 0, 0, 0, 0x8000, 0, 0, 22, 0) + gas(1, 8, 1, 0x2F8)
    return table(b"SPCR", spcr) + table(b"DBG2", struct.pack("<II", 44, 1) + port)


def acpi(revision, cpus, last=None):
    """`last` are the last two tables."""
    slot = [BASE + 1024 * i for i in range(8)]
    madt = struct.pack("<II", 0xFEE00000, 1)
    madt += b"".join(struct.pack("<BBBBI", 0, 8, i, i, 1) for i in range(cpus))
    madt += b"".join(struct.pack("<BBHIII", 9, 16, 0, 0x100 + i, 1, i) for i in range(cpus))
    fadt = struct.pack("<II", slot[6], slot[7]) + bytes(20) + struct.pack("<IIII", 0x604, 0, 0, 0x608)
    fadt += bytes(9) + b"\x02\0\x04" + bytes(40)
    fadt += struct.pack("<Q", slot[6]) + bytes(32) + struct.pack("<BBBBQ", 1, 16, 0, 2, 0x604) + bytes(60)
    mcfg = bytes(8) + struct.pack("<QHBBI", 0xB0000000, 0, 0, 255, 0)
    rsdp = b"RSD PTR " + b"\0HEDRON" + struct.pack("<BIIQ", revision, slot[0], 36, slot[1]) + bytes(4)
    tables = table(b"RSDT", struct.pack("<4I", *slot[2:6])) + table(b"XSDT", struct.pack("<4Q", *slot[2:6]))
    tables += table(b"APIC", madt) + table(b"FACP", fadt) + (last or table(b"MCFG", mcfg) + table(b"DMAR", bytes(12)))
    return rsdp + tables + pad(b"FACS" + struct.pack("<I", 64), 1024) + table(b"DSDT", b"\x08\\_S3_\x12\x06\x04\x0a\x05\x0a\x05")


def acpis():
    yield acpi(2, 4)
    yield acpi(0, 40)
    yield acpi(2, 1, serial_tables())


def add_up(words):
    """What makes the 32-bit words of a byte string, its own place being zero, add up to 0."""
    return -sum(struct.unpack(f"<{len(words) // 4}I", words)) % 2**32


def microcode(data_size, total_size, signatures):
    head = [1, 0xB4, 0x01022024, 0x906EA, 0, 1, 0x22, data_size, total_size, 0, 0, 0]
    body = bytes(range(256)) * ((data_size or 2000) // 256 + 1)
    body = body[:data_size or 2000]
    total = total_size if data_size else 2048
    head[4] = add_up(struct.pack("<12I", *head) + body)
    entries = b"".join(struct.pack("<3I", s, 0x22, (head[3] + head[4] - s) % 2**32) for s in signatures)
    if entries:
        rest = bytes(12) + entries
        body += struct.pack("<2I", len(signatures), (add_up(rest) - len(signatures)) % 2**32) + rest
    update = struct.pack("<12I", *head) + body
    return update + bytes(total - len(update))


def container(cpus, patches):
    """For one of AMD's processors: (signature, number) of each CPU, (revision, number, size) of each patch."""
    table = b"".join(struct.pack("<3I2H", signature, 0, 0, number, 0) for signature, number in [*cpus, (0, 0)])
    data = struct.pack("<3I", 0x00414D44, 0, len(table)) + table
    for revision, number, size in patches:
        head = struct.pack("<2IHBB3IH6x32x", 0x20240102, revision, 0x8004, 0, 0, 0, 0, 0, number)
        data += struct.pack("<2I", 1, size) + head + bytes(size - len(head))
    return data


def microcodes():
    yield b"\0" + microcode(2000, 2048, [])
    yield b"\0" + microcode(0, 0, [])
    yield b"\1" + microcode(976, 2048, [0x806E9, 0x906EB])
    yield b"\1" + microcode(4, 1024, [0x1000 + n for n in range(79)])
    zen = [(0x00800F12, 0x8012), (0x00A20F10, 0xA210)]
    yield b"\0" + container(zen, [(0x08001227, 0x8012, 64), (0x0A201009, 0xA210, 74), (0x08001230, 0x8012, 66)])
    yield b"\0" + container(zen[:1], [(7, 0x8012, 64)]) + container(zen[1:], [(8, 0xA210, 100)]) + container([], [])


OUT, IN, LATER, APICS, MSR, BASE, DEADLINE = 1, 2, 4, 8, 8 | 16, 8 | 32, 8 | 64


def accesses(*records):
    return b"".join(struct.pack("<BBHI", kind, 2 if kind & 8 else 0, port, value) for kind, port, value in records)


def boards():
    """Interrupt controllers and a timer as an operating system sets them up; a clock with an alarm; a serial port."""
    yield accesses((OUT, 0x20, 0x11), (OUT, 0x21, 0x30), (OUT, 0x21, 4), (OUT, 0x21, 1), (OUT, 0x21, 0), (OUT, 0x43, 0x34),
                   (OUT, 0x40, 0xA9), (OUT, 0x40, 4), (LATER, 0, 5000), (OUT, 0x20, 0x20), (LATER | IN, 0x40, 5000))
    yield accesses((OUT, 0x70, 0xB), (OUT, 0x71, 0x32), (OUT, 0x70, 1), (OUT, 0x71, 0xFF), (LATER | IN, 0x71, 2000000),
                   (OUT, 0x70, 0xB), (OUT, 0x71, 0x82), (OUT, 0x70, 8), (OUT, 0x71, 0x31), (OUT, 0x70, 0xA), (OUT, 0x71, 0x70))
    yield accesses((OUT, 0x3FC, 0xB), (OUT, 0x3F9, 0xF), (OUT, 0x3FA, 0xC1), (0, 0, 65), (IN, 0x3FA, 0), (IN, 0x3F8, 0),
                   (OUT, 0x3F8, 65), (OUT, 0x61, 3), (OUT, 0x43, 0xC2), (IN, 0x42, 0), (OUT, 0x64, 0x60), (OUT, 0x60, 1))
    lapic, ioapic, end = (lambda at: at << 1 | 1), (lambda at: at << 1), (OUT | APICS, 0xB0 << 1 | 1, 0)
    yield accesses((OUT | APICS, ioapic(0), 0x18), (OUT | APICS, ioapic(0x10), 0x8044), (OUT, 0x3FC, 0xB), (OUT, 0x3F9, 0xF), end,
                   (OUT | APICS, lapic(0x320), 0x20055), (OUT | APICS, lapic(0x380), 0x1000), (LATER, 0, 5000), end,
                   (OUT | APICS, lapic(0x300), 0x44066), end, (BASE, 0, 0xC00), (OUT | MSR, 0x32, 0x40077), (DEADLINE, 0, 9000),
                   (LATER, 0, 9000), (OUT | MSR, 0x0B, 0), (IN | MSR, 0x39, 0), (OUT | MSR, 0x3F, 0x88), (BASE, 0, 0))


WRITE, MEMORY, OUTSIDE, NOTIFY = 0, 2, 3, 4


def virtio(which, *records, descriptors=(), heads=(0,)):
    """
    A device, with a queue 0 that has these descriptors (address, size, flags, next) and offers these heads. Memory begins as
    a copy of all that is here, so that the rings are where the records are; the records write them, and notify.
    """
    memory = b"".join(struct.pack("<QIHH", *d) for d in descriptors)
    ring = struct.pack("<HH", 0, len(heads)) + b"".join(struct.pack("<H", head) for head in heads)
    writes = [(at, memory[at:at + 4]) for at in range(0, len(memory), 4)]
    writes += [(0x80 + at, ring[at:at + 4].ljust(4, b"\0")) for at in range(0, len(ring), 4)]
    out = bytes((which,))
    for place, value in writes:
        out += struct.pack("<BBH4s", MEMORY, 0, place, value)
    return out + b"".join(struct.pack("<BBHI", *record) for record in records)


def devices():
    """A sector is read, a console speaks, a frame arrives, random numbers are asked for."""
    notify = (NOTIFY, 0, 0, 0)
    yield virtio(0, (MEMORY, 0, 0x1800, 0), (MEMORY, 0, 0x1808, 1), notify,
                 descriptors=[(0x1800, 16, 1, 1), (0x1000, 512, 3, 2), (0x1900, 1, 2, 0)])
    yield virtio(1, (OUTSIDE, 0, 5, 65), (NOTIFY, 1, 0, 0), descriptors=[(0x1800, 64, 2, 0)])
    yield virtio(2, (OUTSIDE, 0, 60, 1), notify, (WRITE, 0x14, 0, 0), descriptors=[(0x1000, 2048, 2, 0)])
    yield virtio(3, notify, (1, 0x40, 0, 0), descriptors=[(0x1000, 100, 2, 0)])


def main():
    makers = {"cmdline": cmdlines, "elf": elfs, "multiboot": multiboots, "acpi": acpis, "microcode": microcodes,
              "serial_word": serial_words, "vmm": boards, "virtio": devices}
    for name, make in makers.items():
        folder = pathlib.Path(sys.argv[1]) / name
        folder.mkdir(parents=True, exist_ok=True)
        for n, seed in enumerate(make()):
            (folder / f"{n}").write_bytes(seed)


main()
