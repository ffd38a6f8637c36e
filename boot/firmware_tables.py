# SPDX-License-Identifier: GPL-2.0-or-later
"""
How QEMU's firmware is given ACPI tables (acpi_table.py) in place of the board's own: for machines that no board describes.

QEMU hands files to firmware, among them a script that says where each is to lie, which pointers to other files are to be
completed, and which checksums are to be put right after that. Manual: QEMU, docs/specs/fw_cfg.
"""

import struct

import acpi_table

RSDP, TABLES, SCRIPT = "etc/acpi/rsdp", "etc/acpi/tables", "etc/table-loader"
ENTRY_SIZE = 128
ALLOCATE, ADD_POINTER, ADD_CHECKSUM = 1, 2, 3
HIGH, BIOS_AREA = 1, 2


def script_line(command, layout, *values):
    """An entry of the script; `layout` is how struct packs the command's arguments."""
    line = struct.pack("<I" + layout, command, *(value.encode() if isinstance(value, str) else value for value in values))
    return line.ljust(ENTRY_SIZE, b"\0")


def root_of(address, tables):
    """An XSDT at this address and, directly behind it, these tables; and where they lie."""
    start = address + acpi_table.HEADER.size + 8 * len(tables)
    places = [start + sum(map(len, tables[:number])) for number in range(len(tables))]
    return acpi_table.xsdt(places), places


def rsdp(root):
    """The root pointer to an XSDT; its two checksums are still to be computed."""
    return struct.pack("<8sB6sBIIQB3x", b"RSD PTR ", 0, b"HEDRON", 2, 0, 36, root, 0)


RSDP_SCRIPT = [script_line(ADD_CHECKSUM, "56sIII", RSDP, 8, 0, 20), script_line(ADD_CHECKSUM, "56sIII", RSDP, 32, 0, 36)]
ALLOCATE_RSDP = script_line(ALLOCATE, "56sIB", RSDP, 16, BIOS_AREA)


def files(*tables):
    """What firmware is to be given, by name: an RSDP, an XSDT and these tables."""
    root, places = root_of(0, tables)
    lines = [script_line(ALLOCATE, "56sIB", TABLES, 64, HIGH), ALLOCATE_RSDP]
    lines += [script_line(ADD_POINTER, "56s56sIB", TABLES, TABLES, acpi_table.HEADER.size + 8 * number, 8)
              for number in range(len(tables))]
    lines += [script_line(ADD_CHECKSUM, "56sIII", TABLES, place + acpi_table.CHECKSUM_AT, place, len(text))
              for place, text in zip([0, *places], [root, *tables])]
    lines += [script_line(ADD_POINTER, "56s56sIB", RSDP, TABLES, 24, 8), *RSDP_SCRIPT]
    return {TABLES: root + b"".join(tables), RSDP: rsdp(0), SCRIPT: b"".join(lines)}


def files_at(address, *tables):
    """(what firmware is to be given, what is to be in memory at `address`) if the XSDT and these tables are there already."""
    root, _ = root_of(address, tables)
    return {RSDP: rsdp(address), SCRIPT: ALLOCATE_RSDP + b"".join(RSDP_SCRIPT)}, b"".join([root, *tables])
