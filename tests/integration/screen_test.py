#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Screens of pixels, read back from pictures that QEMU takes, and of text, from its memory: what kernel and roottask say can be read
there, with GRUB on BIOS and UEFI, at each depth and enlarged, from before C runs to a panic in the middle of life; the results of
a suite, in a table that fits, page by page if need be. Machines with UEFI have no serial line here, so nothing else than the
screen says that they run.
"""

import argparse
import dataclasses
import pathlib
import re
import sys
import tempfile

import guest  # first: it finds image and machine
import image
import job
import machine
import tools

TIMEOUT = 120
BANNER = r"^Hedron Hypervisor .*\[MB2\]"
HELLO = r"^Hello from the roottask"
LAST = "^  memory .* type -1 aux 0"
BOX = machine.Machine(memory=256, exit_device=False, pixels=True)
TEXT = dataclasses.replace(BOX, pixels=False, line="none")
UEFI = dataclasses.replace(BOX, firmware="efi", board="q35", line="none")
PANIC = "mce 0 4 0xb200000000000000 0x5 0 0"  # bank 4: uncorrected, the processor's context is corrupt


@dataclasses.dataclass
class Case:
    """A machine; the roottask; a pattern to wait for; what the kernel's and what user land's part of the screen have to show."""

    box: machine.Machine
    roottask: str = "hello.elf"
    words: str = ""
    until: str = HELLO
    kernel: tuple = (BANNER,)
    user: tuple = (HELLO, "^  running on CPU 0")
    mode: str = ""  # of GRUB
    command: str = ""  # for QEMU's monitor, when the pattern was seen


def bios(mode, **fields):
    return Case(dataclasses.replace(BOX, **fields), mode=mode)


def uefi(**fields):
    return Case(dataclasses.replace(UEFI, **fields))


CASES = {
    # A panic in the handler of a machine check. The roottask's lines stay.
    "life": dataclasses.replace(uefi(), kernel=("^boot CPU is 0", "PANIC: machine check on CPU 0"), command=PANIC),
    "refused": dataclasses.replace(uefi(cpu="max,-nx"), until="refused, this CPU has no 64-bit long mode",
                                   kernel=("^Hedron Hypervisor: refused",), user=()),
    "bench": dataclasses.replace(uefi(video="bochs"), roottask="ipc.elf", words="case=null windows=16", until="^ipc has ended",
                                 user=("^ipc has ended: 1 measured, 0 failed, 0 skipped; min, p50$", r"^null( +[0-9.]+){2}$")),
    # All of a suite, in columns beside each other.
    "table": dataclasses.replace(uefi(video="bochs"), roottask="ipc.elf", words="windows=16", until="^ipc has ended",
                                 user=("^ipc has ended: [0-9]+ measured, 0 failed, 0 skipped; min, p50",
                                       r"^null( +[0-9.]+){2}(  [a-z_]\S*( +[0-9.]+){2})+$")),
    "progress": dataclasses.replace(uefi(video="bochs"), roottask="ipc.elf", words="windows=4096", until=r"^ +12/[0-9]+ ",
                                    user=(r"^  2/[0-9]+ call_reply_same/words:0( +[0-9.]+){3}$",)),
    # A BIOS and its text mode: 80 columns, of whose 25 rows the kernel has 10.
    "text": Case(TEXT, until=LAST, kernel=(BANNER, "^boot CPU is 0"), user=(HELLO, LAST)),
    "text_life": Case(TEXT, until=LAST, kernel=("^boot CPU is 0", "PANIC: machine check on CPU 0"), user=(), command=PANIC),
    "text_progress": Case(TEXT, roottask="ipc.elf", words="windows=4096", until=r"^ +12/[0-9]+ ",
                          user=(r"^  2/[0-9]+ call_reply_same/words:0( +[0-9.]+){3}$",)),
    "text_pages": Case(TEXT, roottask="ipc.elf", words="windows=16", until="^ipc has ended: [0-9]+ measured.*; page 2 of [3-9]$",
                       user=("^ipc has ended.* page 2", r"^call_chain/depth:3( +[0-9.]+){2}$")),
    "ramfb": dataclasses.replace(uefi(video="ramfb"), until=LAST, user=(LAST,)),  # 800x600: too low for all that hello says
    "16": bios("800x600x16"),
    "24": bios("800x600x24"),
    "32": bios("640x480x32"),
    "enlarged": bios("2560x1600x32", video="large"),
    "refused_16": dataclasses.replace(bios("800x600x16", cpu="qemu32"), until="refused, this CPU has no 64-bit long mode",
                                      kernel=("^Hedron Hypervisor: refused",), user=()),
    # No graphics card at all: the serial line has to do.
    "none": Case(dataclasses.replace(UEFI, line="com1", video="none", pixels=False), kernel=(), user=()),
    "none_bios": Case(dataclasses.replace(BOX, video="none", pixels=False), kernel=(), user=()),
}


def boot(case, build, folder):
    iso = folder / "image.iso"
    image.make_iso(iso, [job.make(build / "hypervisor", "serial", [(str(build / case.roottask), case.words)])],
                   efi=case.box.firmware == "efi", verify=False, mode=case.mode)
    box = dataclasses.replace(case.box, iso=str(iso))

    def then(monitor):
        if case.command:
            machine.qmp(monitor, "human-monitor-command", {"command-line": case.command})

    return machine.run(box, case.until, TIMEOUT, shows=lambda screen: not complaints(case, screen), then=then)


def complaints(case, screen):
    """What is missing, or at the wrong place: the kernel's lines are above user land's."""
    found = [f"the screen lacks /{pattern}/" for pattern in case.kernel + case.user if not re.search(pattern, screen, re.MULTILINE)]
    for above in case.kernel if not found else ():
        found += [f"/{above}/ is below /{below}/" for below in case.user
                  if re.search(above, screen, re.MULTILINE).start() > re.search(below, screen, re.MULTILINE).start()]
    return found


def judge(case, outcome):
    if outcome.why != "matched":
        yield f"/{case.until}/ was not seen: {outcome.why}"
    yield from complaints(case, outcome.screen)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, type=pathlib.Path, help="build folder with the images")
    parser.add_argument("case", choices=CASES)
    args = parser.parse_args()
    case = CASES[args.case]
    with tempfile.TemporaryDirectory(prefix="hedron-screen.") as name:
        try:
            outcome = boot(case, args.build.resolve(), pathlib.Path(name))
        except (job.JobError, tools.ToolError, machine.MachineError, OSError) as error:
            sys.exit(f"FAIL: {error}")
    found = list(judge(case, outcome))
    if found:
        print(f"--- serial line ---\n{outcome.serial}\n--- screen ---\n{outcome.screen}---\n{outcome.registers}")
        sys.exit("\n".join(f"FAIL: {text}" for text in found))
    print(f"PASS in {outcome.seconds:.1f} s")


if __name__ == "__main__":
    main()
