#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds a bootable CD image: GRUB, the hypervisor and its modules. Needs grub-mkrescue, xorriso and, for EFI, mtools."""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

PLATFORMS = {"bios": "i386-pc", "efi": "x86_64-efi"}
# The EFI loader looks for a module per kind of partition table it knows.
PARTITIONS = "part_acorn part_amiga part_apple part_bsd part_dfly part_dvh part_gpt part_msdos part_plan part_sun part_sunpc"
GRUB_MODULES = f"normal iso9660 all_video multiboot multiboot2 {PARTITIONS}"
COMMANDS = {"mb1": ("multiboot", "module"), "mb2": ("multiboot2", "module2")}


class ImageError(Exception):
    """The image could not be built; the text says why."""


def grub_config(protocol, cmdline, modules):
    """The menu: one entry, booted at once. GRUB's own output stays on the screen, the serial line belongs to the kernel."""
    kernel, module = COMMANDS[protocol]
    lines = ["set timeout=0", "set default=0", "menuentry hedron {", f"\t{kernel} /boot/hypervisor {cmdline}"]
    lines += [f"\t{module} /boot/module{n} {text}" for n, (_, text) in enumerate(modules)]
    return "\n".join(line.rstrip() for line in lines + ["}"]) + "\n"


def grub_folder(firmware):
    folder = pathlib.Path("/usr/lib/grub") / PLATFORMS[firmware]
    if not folder.is_dir():
        raise ImageError(f"{folder} is missing: install grub-pc-bin and grub-efi-amd64-bin")
    return folder


def make_iso(output, kernel, modules, protocol="mb2", firmware="bios", cmdline="serial"):
    """Write an ISO image. `modules` is a list of (path, command line)."""
    with tempfile.TemporaryDirectory(prefix="hedron-iso.") as tree:
        boot = pathlib.Path(tree) / "boot"
        (boot / "grub").mkdir(parents=True)
        shutil.copy(kernel, boot / "hypervisor")
        for number, (path, _) in enumerate(modules):
            shutil.copy(path, boot / f"module{number}")
        (boot / "grub" / "grub.cfg").write_text(grub_config(protocol, cmdline, modules))
        command = ["grub-mkrescue", "-d", str(grub_folder(firmware)), "--fonts=", "--locales=", "--themes=",
                   f"--install-modules={GRUB_MODULES}",
                   "-o", str(output), tree]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            raise ImageError("grub-mkrescue is missing: install grub-common, xorriso and mtools") from None
    if done.returncode != 0 or not pathlib.Path(output).is_file():
        raise ImageError(f"grub-mkrescue failed:\n{done.stderr}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", required=True, help="image to write")
    parser.add_argument("-p", "--protocol", choices=COMMANDS, default="mb2", help="Multiboot version (default: %(default)s)")
    parser.add_argument("-f", "--firmware", choices=PLATFORMS, default="bios", help="(default: %(default)s)")
    parser.add_argument("-c", "--cmdline", default="serial", help="the kernel's command line (default: %(default)s)")
    parser.add_argument("kernel", help="the 64-bit image, `hypervisor`")
    parser.add_argument("module", nargs="+", help="roottask and further modules: a path, or \"path its command line\"")
    args = parser.parse_args()
    modules = [(path, text) for path, _, text in (module.partition(" ") for module in args.module)]
    try:
        make_iso(args.output, args.kernel, modules, args.protocol, args.firmware, args.cmdline)
    except (ImageError, OSError) as error:
        sys.exit(f"image.py: {error}")


if __name__ == "__main__":
    main()
