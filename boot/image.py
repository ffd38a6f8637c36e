# SPDX-License-Identifier: GPL-2.0-or-later
"""Images with GRUB for BIOS and UEFI: a CD that also works as a memory stick, and a disk with a GPT."""

import hashlib
import os
import pathlib
import tempfile

import disk
import grub
import job
import tools

LABEL = "HEDRON"
EFI_PROGRAM = "/EFI/BOOT/BOOTX64.EFI"
ISO_BIOS, ISO_EFI = "/boot/grub/bios.img", "/boot/grub/efi.img"


def identity(paths):
    """16 bytes that two media share only if they are equal; they name the medium and become its identifiers."""
    total = hashlib.sha256()
    for path, data in sorted(paths.items()):
        total.update(hashlib.sha256(path.encode()).digest() + hashlib.sha256(data).digest())
    return total.digest()[:16]


def contents(jobs, protocol, timeout, verify, first=(), mode=""):
    """(files of the medium without GRUB itself, its identity, the file GRUB finds it by)."""
    files = job.collect(jobs, reserved=(pathlib.PurePath(grub.SUMS).name,))
    paths = grub.tree(files, grub.config(jobs, timeout, protocol, verify=verify, first=first, mode=mode))
    ident = identity(paths)
    mark = f"{grub.FOLDER}/{ident.hex()}"
    return {**paths, mark: b"GRUB finds this medium by this file.\n"}, ident, mark


def write_tree(folder, paths):
    """Files of a medium, all with the same date."""
    for path, data in paths.items():
        place = folder / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    for place in [folder, *folder.rglob("*")]:
        os.utime(place, (tools.epoch(), tools.epoch()))


def put(output, make):
    """Let `make(path)` write a file and put it in place of `output`, which is never a device or half written."""
    output = pathlib.Path(output)
    if output.exists() and not output.is_file():
        raise tools.ToolError(f"{output}: not a regular file; write the image to a file, then copy it to a device")
    if not output.parent.is_dir():
        raise tools.ToolError(f"{output.parent}: no such folder")
    part = output.with_name(f".{output.name}.part")
    try:
        make(part)
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)


def make_iso(output, jobs, protocol="mb2", timeout=10, efi=True, verify=True, first=(), mode=""):
    """A hybrid image: CD and memory stick, BIOS and, with `efi`, UEFI. `first` and `mode` are for GRUB (grub.config)."""
    paths, ident, mark = contents(jobs, protocol, timeout, verify, first, mode)
    with tempfile.TemporaryDirectory(prefix="hedron-iso.") as name:
        folder = pathlib.Path(name)
        if efi:
            paths[ISO_EFI] = disk.fat({EFI_PROGRAM: grub.disk_image("x86_64-efi", mark, folder, first)}, ident, LABEL, folder)
        paths[ISO_BIOS] = grub.disk_image("i386-pc-eltorito", mark, folder, first)
        write_tree(folder / "tree", paths)
        put(output, lambda part: tools.run(iso_command(part, ident, folder / "tree", efi)))


def iso_command(output, ident, tree, efi):
    """The command line of xorriso that makes a hybrid image of the files in the folder `tree`."""
    hybrid = grub.modules_folder("bios") / "boot_hybrid.img"
    command = ["xorriso", "-as", "mkisofs", "-quiet", "-o", output, "-r", "-V", LABEL,
               "--gpt_disk_guid", disk.part_of(ident, "disk"),
               "--protective-msdos-label", "-b", ISO_BIOS, "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table",
               "--grub2-boot-info", "--grub2-mbr", hybrid]
    return command + (["--efi-boot", ISO_EFI, "-efi-boot-part", "--efi-boot-image"] if efi else []) + [tree]


def make_usb(output, jobs, protocol="mb2", timeout=10, verify=True, mode=""):
    """A disk with GRUB in a BIOS boot partition, and everything else on a FAT file system that UEFI reads."""
    paths, ident, mark = contents(jobs, protocol, timeout, verify, mode=mode)
    with tempfile.TemporaryDirectory(prefix="hedron-usb.") as name:
        folder = pathlib.Path(name)
        core = grub.disk_image("i386-pc", mark, folder)
        paths[EFI_PROGRAM] = grub.disk_image("x86_64-efi", mark, folder)
        system = disk.fat(paths, ident, LABEL, folder, fat32=True)
        boot = (grub.modules_folder("bios") / "boot.img").read_bytes()
        put(output, lambda part: disk.write(part, boot, core, system, ident))
