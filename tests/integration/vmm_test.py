#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Guests of bench-guests/vmm: Debian's own kernel for clouds, as its package has it, comes to its first program in a virtual
machine and resets it. Ends with 77, which means skipped, if the package was never fetched and cannot be.
"""

import argparse
import pathlib
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


def linux():
    """The kernel in Debian's package."""
    (kernel,) = collector.unpack(collector.fetch(LINUX), lambda name: name.startswith("boot/vmlinuz-")).values()
    return kernel


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, help="build folder with the images")
    parser.add_argument("--init", required=True, help="the guest's first program")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hedron-vmm.") as name:
        folder = pathlib.Path(name)
        try:
            (folder / "vmlinuz").write_bytes(linux())
        except tools.ToolError as error:
            print(f"SKIP: {LINUX} cannot be fetched: {str(error).splitlines()[-1]}")
            return 77
        (folder / "initrd").write_bytes(collector.cpio([("init", collector.FILE, pathlib.Path(args.init).read_bytes())]))
        (folder / "monitor.elf").write_bytes((pathlib.Path(args.build) / "monitor.elf").read_bytes())
        return subprocess.run([sys.executable, HERE / "boot_test.py", "--build", args.build, "--via", "bochs", "--memory", "512",
                               "--modules-from", folder, "--cmdline", "serial nomwait", "--judge", "exit", "--timeout", "300",
                               "--module", "monitor.elf memory=192", "--module", f"vmlinuz {WORDS}", "--module", "initrd",
                               "--want", r"^vm0\| init: hello from user land", "--want", r"^vm0\| init: slept 50 ms",
                               "--want", r"^vm0: the guest has reset its machine", "--reject", "vm0.*(BUG|Oops|WARNING)"],
                              check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
