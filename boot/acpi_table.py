# SPDX-License-Identifier: GPL-2.0-or-later
"""
ACPI tables that name a serial line, for emulated machines: QEMU has none of them. Manual: Microsoft, Serial Port Console
Redirection Table and Debug Port Table 2.
"""

import struct

PORTS = 1  # address space of a generic address
UART_16550 = 0
BAUD_115200 = 7
DEBUG_SERIAL = 0x8000


def table(signature, revision, content):
    """The table: header and content, with a checksum that makes the sum of all bytes 0."""
    data = struct.pack("<4sIBB6s8sIII", signature, 36 + len(content), revision, 0, b"HEDRON", b"TESTS", 1, 0, 0) + content
    return data[:9] + bytes([-sum(data) % 256]) + data[10:]


def port(base):
    """The generic address (ACPI Specification 6.5, 5.2.3.2) of registers of one byte each in I/O ports."""
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
