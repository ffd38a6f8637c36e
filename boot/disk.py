# SPDX-License-Identifier: GPL-2.0-or-later
"""
Disk images without root or loop devices: FAT file systems by mtools, and a GPT with GRUB's boot sectors, written here.
Manual: UEFI specification, chapter 5.
"""

import hashlib
import struct
import uuid
import zlib

import tools

SECTOR = 512
ALIGN = 2048  # sectors: 1 MiB
TABLE_ENTRIES, ENTRY_SIZE = 128, 128
TABLE_SECTORS = TABLE_ENTRIES * ENTRY_SIZE // SECTOR
HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
ENTRY = struct.Struct("<16s16sQQQ72s")
MBR_ENTRY = struct.Struct("<B3sB3sII")
BIOS_BOOT = uuid.UUID("21686148-6449-6e6f-744e-656564454649")
EFI_SYSTEM = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
CHS_MAX = b"\xfe\xff\xff"
TABLE_AT, TABLE_SIZE = 446, 64  # the partition table of a first sector
# GRUB's boot.img: where it reads core.img from, and two bytes that, as NOPs, make it trust the BIOS's drive number less.
BOOT_CODE_SIZE, BOOT_SECTOR_AT, BOOT_DRIVE_CHECK_AT, NOPS = 440, 0x5C, 0x66, b"\x90\x90"
# The first sector of core.img: where the rest lies, in one piece.
CORE_LIST_AT = 0x1F4
FAT32_BACKUP = 6  # the sector with a copy of the first
FAT32_CLUSTERS_MIN = 65525 + 100  # a system with fewer clusters than the first number is FAT16; keeps away from the border
SLACK = 64  # sectors, and clusters, for what is not computed exactly: boot sectors, folders


def fat_sectors(paths, fat32):
    """
    How many sectors a file system for these files needs, and how large its clusters are. FAT32 has a least number of clusters,
    so only larger systems can have larger ones.
    """
    cluster = 8 if sum(map(len, paths.values())) > 8 * FAT32_CLUSTERS_MIN * SECTOR else 1
    folders = {path.rpartition("/")[0] for path in paths}
    used = sum(-(-len(data) // (SECTOR * cluster)) * cluster for data in paths.values()) + 8 * cluster * len(folders)
    clusters = max(used // cluster + SLACK, FAT32_CLUSTERS_MIN if fat32 else 0)
    tables = 2 * -(-clusters * (4 if fat32 else 2) // SECTOR)
    return -(-(clusters * cluster + tables + SLACK) // ALIGN) * ALIGN, cluster


def fat(paths, ident, label, folder, fat32=False):
    """A file system with {path: content}. `ident` becomes its serial number."""
    sectors, cluster = fat_sectors(paths, fat32)
    file, content = folder / "fat", folder / "content"
    with open(file, "wb") as out:
        out.truncate(sectors * SECTOR)
    kind = ["-F"] if fat32 else []
    tools.run(["mformat", "-i", file, "-T", sectors, "-h", 64, "-s", 32, "-c", cluster, "-N", ident[:4].hex(), "-v", label,
               *kind, "::"])
    for path in parents(paths):
        tools.run(["mmd", "-i", file, f"::{path}"])
    for path, data in sorted(paths.items()):
        content.write_bytes(data)
        tools.run(["mcopy", "-i", file, content, f"::{path}"])
    return without_table(file.read_bytes(), (0, FAT32_BACKUP) if fat32 else (0,))


def without_table(system, boot_sectors):
    """mformat writes a partition table into the boot sector, after which some firmware does not look for a file system."""
    system = bytearray(system)
    for sector in boot_sectors:
        at = sector * SECTOR + TABLE_AT
        system[at:at + TABLE_SIZE] = bytes(TABLE_SIZE)
    return bytes(system)


def parents(paths):
    """The folders of all paths, outer ones first."""
    found = set()
    for path in paths:
        parts = path.strip("/").split("/")[:-1]
        found |= {"/" + "/".join(parts[:depth + 1]) for depth in range(len(parts))}
    return sorted(found)


def part_of(ident, what):
    """Another identifier for a part of the medium."""
    return uuid.UUID(bytes=hashlib.sha256(ident + what.encode()).digest()[:16], version=4)


def master_boot_record(boot, core_at, sectors):
    """
    GRUB's first sector and a protective partition table. Its second entry is empty and marked active: some BIOSes start
    nothing from a disk without an active partition, and marking the first would make UEFI doubt the GPT.
    """
    mbr = bytearray(boot[:BOOT_CODE_SIZE].ljust(SECTOR, b"\0"))
    struct.pack_into("<Q", mbr, BOOT_SECTOR_AT, core_at)
    mbr[BOOT_DRIVE_CHECK_AT:BOOT_DRIVE_CHECK_AT + 2] = NOPS
    MBR_ENTRY.pack_into(mbr, TABLE_AT, 0, b"\0\2\0", 0xEE, CHS_MAX, 1, min(sectors - 1, 0xFFFFFFFF))
    MBR_ENTRY.pack_into(mbr, TABLE_AT + MBR_ENTRY.size, 0x80, b"\0\0\0", 0, b"\0\0\0", 0, 1)
    mbr[510:] = b"\x55\xaa"
    return bytes(mbr)


def located(core, core_at):
    """core.img that knows where on the disk its second sector and the following ones are."""
    core = bytearray(core.ljust(-(-len(core) // SECTOR) * SECTOR, b"\0"))
    struct.pack_into("<QH", core, CORE_LIST_AT, core_at + 1, len(core) // SECTOR - 1)
    return bytes(core)


def header(ident, table, sectors, own, other, table_at):
    """One of the two GPT headers. It is in the sector `own`, the other one in `other`, and its copy of the table at `table_at`."""
    def pack(checksum):
        return HEADER.pack(b"EFI PART", 0x10000, HEADER.size, checksum, 0, own, other, 2 + TABLE_SECTORS,
                           sectors - 2 - TABLE_SECTORS, part_of(ident, "disk").bytes_le, table_at, TABLE_ENTRIES, ENTRY_SIZE,
                           zlib.crc32(table))

    return pack(zlib.crc32(pack(0))).ljust(SECTOR, b"\0")


def write(output, boot, core, system, ident):
    """The disk image: MBR, GPT, GRUB's core.img, the file system, GPT again."""
    core_at = ALIGN
    core = located(core, core_at)
    system_at = core_at + -(-len(core) // (ALIGN * SECTOR)) * ALIGN
    sectors = system_at + len(system) // SECTOR + ALIGN
    parts = [(BIOS_BOOT, "GRUB", core_at, system_at - core_at), (EFI_SYSTEM, "Hedron", system_at, len(system) // SECTOR)]
    table = b"".join(ENTRY.pack(kind.bytes_le, part_of(ident, name).bytes_le, start, start + size - 1, 0,
                                name.encode("utf-16-le")) for kind, name, start, size in parts)
    table = table.ljust(TABLE_ENTRIES * ENTRY_SIZE, b"\0")
    last = sectors - 1
    with open(output, "wb") as out:
        out.truncate(sectors * SECTOR)
        for place, data in ((0, master_boot_record(boot, core_at, sectors)), (1, header(ident, table, sectors, 1, last, 2)),
                            (2, table), (core_at, core), (system_at, system), (last - TABLE_SECTORS, table),
                            (last, header(ident, table, sectors, last, 1, last - TABLE_SECTORS))):
            out.seek(place * SECTOR)
            out.write(data)
