#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Guests of bench-guests/vmm. Debian's own kernel for clouds, as its package has it, comes to its first program in a virtual
machine and resets it, or uses virtio devices there, two at the same time with a network between them; a kernel with a
Multiboot header looks at what it was given. Ends with 77, which means skipped, if
Debian's package was never fetched and cannot be.
"""

import argparse
import pathlib
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "boot"))
import collector  # noqa: E402  (found through the line above)
import tools  # noqa: E402

LINUX = "linux-image-cloud-amd64"
# Less to do for an emulator: nothing is said before the end, memory is not cleared, no cipher is tested.
WORDS = "console=ttyS0 quiet panic=-1 tsc=reliable init_on_alloc=0 cryptomgr.notests rdinit=/init"


PROCESSORS = ("processors", "processors wake each other", "timer of another processor")
DRIVERS = ("virtio_pci", "virtio_blk", "virtio_rng", "virtio_console", "virtio_net")
SECTOR, SECTORS = 512, 400


def back(number):
    return ["--want", rf"^vm{number}: \d+ KiB of kernel memory are back"]


def off(number):
    return ["--want", rf"^vm{number}: the guest has switched its machine off", *back(number)]


def reset(number):
    return ["--want", rf"^vm{number}: the guest has reset its machine", *back(number)]


def right(number, checks):
    return [word for check in checks for word in ("--want", rf"^vm{number}\| {check}: right")]


def fetch_linux(folder, init):
    """Debian's kernel, and an initrd with one program."""
    (kernel,) = collector.unpack(collector.fetch(LINUX), lambda name: name.startswith("boot/vmlinuz-")).values()
    (folder / "vmlinuz").write_bytes(kernel)
    (folder / "initrd").write_bytes(collector.cpio([("init", collector.FILE, init.read_bytes())]))


def reached_init(number):
    return ["--want", rf"^vm{number}\| init: hello from user land", "--want", rf"^vm{number}\| init: slept 50 ms",
            "--reject", rf"vm{number}.*(BUG|Oops|WARNING)", *reset(number)]


def linux(folder, init):
    fetch_linux(folder, init)
    return ["--module", "monitor.elf memory=192", "--module", f"vmlinuz {WORDS}", "--module", "initrd", *reached_init(0)]


def three(folder, init, kernel):
    """Two Linux systems and a kernel that ends long before them, on one CPU (docs/caveats.md)."""
    fetch_linux(folder, init)
    (folder / "kernel").write_bytes(kernel.read_bytes())
    linux = ["--module", f"vmlinuz {WORDS}", "--module", "initrd"]
    return ["--memory", "768", "--module", "monitor.elf memory=128 guests=2,1,2", *linux,
            "--module", "kernel", *linux, *reached_init(0), *reset(1), *reached_init(2)]


def fault(folder, kernel):
    """Three VMs, of which the second one's monitor dies: it takes nothing along but its VM, and all of that."""
    (folder / "kernel").write_bytes(kernel.read_bytes())
    kernels = ["--module", "kernel"] * 3
    return ["--judge", "none", "--cpus", "2", "--module", "monitor.elf memory=16 cpus=2 guests=1,1,1 fault=1", *kernels,
            "--want", r"^vm1: its monitor has died: .* at 0x4", *back(1), "--reject", r"^vm1\|", *reset(0), *reset(2)]


def fetch_virtio(folder, init):
    """Debian's kernel, an initrd with its drivers, and the image of a disk: each sector begins with its number."""
    files = collector.unpack(collector.fetch(LINUX), lambda name: name.startswith("boot/vmlinuz-") or name.endswith(".ko"))
    kernels = [data for name, data in files.items() if name.startswith("boot/")]
    modules = {pathlib.PurePath(name).stem.replace("-", "_"): data for name, data in files.items() if name.endswith(".ko")}
    entries = [(name, collector.FOLDER, b"") for name in ("dev", "modules")]
    entries += [(f"modules/{number:02}.ko", collector.FILE, data)
                for number, data in enumerate(collector.needed(modules, DRIVERS).values())]
    (folder / "vmlinuz").write_bytes(kernels[0])
    (folder / "initrd").write_bytes(collector.cpio([*entries, ("init", collector.FILE, init.read_bytes())]))
    (folder / "image").write_bytes(b"".join(struct.pack("<I", n) + bytes(SECTOR - 5) + bytes((~n & 0xFF,))
                                            for n in range(SECTORS)))


def processors(folder, init):
    """A Linux system with two processors on one CPU."""
    fetch_virtio(folder, init)
    return ["--module", "monitor.elf memory=128 cpus=2", "--module", f"vmlinuz {WORDS} -- cpus 2 state off", "--module", "initrd",
            "--reject", r"vm0.*(BUG|Oops|WARNING|WRONG)", *right(0, (*PROCESSORS, "extended state")), *off(0)]


def virtio(folder, init):
    """
    Two Linux systems, each with two processors, a disk, random numbers and a console, ping each other; the second one
    switches itself off. On one CPU (docs/caveats.md).
    """
    fetch_virtio(folder, init)
    words = ["--memory", "768", "--module", "monitor.elf memory=128 cpus=2 guests=3,3"]
    for number, other, last, end in ((0, 1, "", reset), (1, 0, " off", off)):
        checks = f"disk random console net 10.0.0.{number + 1} 10.0.0.{other + 1} apics cpus 2{last}"
        words += ["--module", f"vmlinuz {WORDS} -- {checks}", "--module", "initrd", "--module", "image disk",
                  "--reject", rf"vm{number}.*(BUG|Oops|WARNING|WRONG)"]
        words += right(number, ("drivers", "disk is read", "disk is written", "random", "console", "network is on", "ping",
                                "end", "pins of the IO-APIC", "timer of the local APIC", *PROCESSORS))
        words += ["--want", rf"^vm{number}\| disk: {SECTOR * SECTORS} bytes", "--want", rf"^vm{number}\| by virtio",
                  *end(number)]
    return words


def multiboot(folder, kernel):
    """A kernel with two modules, which looks at everything itself."""
    (folder / "kernel").write_bytes(kernel.read_bytes())
    (folder / "first").write_bytes(b"first module")
    (folder / "second").write_bytes(b"second")
    checks = ("magic", "memory", "words", "modules", "contents", "nowhere", "strings", "timer", "tables", "xAPIC", "x2APIC")
    return ["--module", "monitor.elf memory=16", "--module", "kernel some words", "--module", "first of the first",
            "--module", "second", "--reject", "WRONG", *reset(0),
            *right(0, checks)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, help="build folder with the images")
    parser.add_argument("--via", choices=("kernel", "bochs"), default="bochs",
                        help="QEMU, where the processor is AMD's, or Bochs, where it is Intel's")
    parser.add_argument("guests", choices=("fault", "linux", "multiboot", "processors", "three", "virtio"))
    parser.add_argument("programs", type=pathlib.Path, nargs="+", help="the first program of Linux, the kernel")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hedron-vmm.") as name:
        folder = pathlib.Path(name)
        (folder / "monitor.elf").write_bytes((pathlib.Path(args.build) / "monitor.elf").read_bytes())
        try:
            makers = {"fault": fault, "linux": linux, "multiboot": multiboot, "processors": processors, "three": three,
                      "virtio": virtio}
            words = makers[args.guests](folder, *args.programs)
        except tools.ToolError as error:
            print(f"SKIP: {LINUX} cannot be fetched: {str(error).splitlines()[-1]}")
            return 77
        return subprocess.run([sys.executable, HERE / "boot_test.py", "--build", args.build, "--via", args.via, "--memory", "512",
                               "--modules-from", folder, "--cmdline", "serial nomwait", "--judge", "exit", "--timeout", "300",
                               *words], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
