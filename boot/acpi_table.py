# SPDX-License-Identifier: GPL-2.0-or-later
"""
ACPI tables for emulated machines that are to differ from what their makers thought of. Manual: ACPI Specification 6.5, 5.2;
Microsoft, Serial Port Console Redirection Table and Debug Port Table 2.
"""

import struct

HEADER = struct.Struct("<4sIBB6s8sI4sI")
CHECKSUM_AT = 9
PORTS = 1  # address space of a generic address
UART_16550 = 0
BAUD_115200 = 7
DEBUG_SERIAL = 0x8000
CPU_ENABLED = 1
LAPIC = 0xFEE00000


def table(signature, revision, content):
    """The table: header and content, with a checksum that makes the sum of all bytes 0."""
    data = HEADER.pack(signature, HEADER.size + len(content), revision, 0, b"HEDRON", b"MACHINE ", 1, b"HDRN", 1) + content
    return data[:CHECKSUM_AT] + bytes([-sum(data) % 256]) + data[CHECKSUM_AT + 1:]


def xsdt(places):
    """The root: the addresses of all others."""
    return table(b"XSDT", 1, struct.pack(f"<{len(places)}Q", *places))


def madt(identifiers):
    """CPUs with these APIC identifiers, all of them enabled."""
    entries = b"".join(struct.pack("<BBBBI", 0, 8, number, identifier, CPU_ENABLED)
                       for number, identifier in enumerate(identifiers))
    return table(b"APIC", 1, struct.pack("<II", LAPIC, 1) + entries)


def port(base):
    """The generic address (5.2.3.2) of registers of one byte each in I/O ports."""
    return struct.pack("<BBBBQ", PORTS, 8, 0, 1, base)


def spcr(base):
    """Firmware talks on the UART at this port, with 115200 baud, 8n1; it is not on PCI."""
    speed = bytes([BAUD_115200, 0, 1, 0, 0, 0])
    not_pci = struct.pack("<HHBBBIB", 0xFFFF, 0xFFFF, 0, 0, 0, 0, 0)
    return table(b"SPCR", 2, bytes([UART_16550, 0, 0, 0]) + port(base) + bytes(6) + speed + not_pci + bytes(4))


def dbg2(base):
    """A debugger is awaited on the UART at this port."""
    device = struct.pack("<BHBHHHHHHHHH", 0, 22 + 12 + 4 + 2, 1, 2, 38, 0, 0, DEBUG_SERIAL, UART_16550, 0, 22, 34)
    return table(b"DBG2", 0, struct.pack("<II", 44, 1) + device + port(base) + struct.pack("<I", 8) + b".\0")


MAKERS = {"spcr": spcr, "dbg2": dbg2}
