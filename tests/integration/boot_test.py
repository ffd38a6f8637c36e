#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Boots one configuration and judges what comes of it. tests/integration/CMakeLists.txt has the configurations."""

import argparse
import pathlib
import re
import sys
import tempfile

import guest  # first: it finds image and machine
import image
import job
import machine
import tools

FIXED_LOAD = 0x6600000  # the Multiboot 1 link address
LOAD_LINE = r"^image at (0x[0-9a-f]+)"
WINDOW = range(0x200000, 0x40000000)  # where the relocatable tag of the Multiboot 2 header allows the image
# Lines after which waiting is pointless. Conformance roottasks have ECs killed on purpose.
PANIC = r"PANIC: .*$"
DOOM = {"none": None, "tests": PANIC, "exit": PANIC + "|killed EC.*$", "bench": PANIC + "|killed EC.*$"}
SUCCESS_STATUS = 2 * 0x10 + 1  # QEMU's exit code after the roottask wrote 0x10 to port 0xf4


def number_pair(text):
    number, value = text.split("=")
    return int(number, 0), int(value, 0)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, help="build folder with the images")
    parser.add_argument("--via", choices=("kernel", "mb1", "mb2", "efi", "bochs"), default="kernel",
                        help="QEMU's -kernel, a BIOS image with either protocol, an EFI image, or Bochs with an image")
    parser.add_argument("--cpu", help="CPU model")
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--sockets", type=int, default=1, help="that the CPUs are in")
    parser.add_argument("--threads", type=int, default=1, help="of each core")
    parser.add_argument("--other", action="append", default=[], help="features in which one more CPU differs, as QEMU names them")
    parser.add_argument("--msr", type=number_pair, action="append", default=[], metavar="NUMBER=VALUE",
                        help="a register that Bochs's model lacks")
    parser.add_argument("--absent", type=int, default=0, help="CPUs that firmware lists and that are not there")
    parser.add_argument("--absent-first", action="store_true", help="they are listed before the others")
    parser.add_argument("--tables-at", type=lambda text: int(text, 0), default=0, help="physical address of the ACPI tables")
    parser.add_argument("--quantum", type=int, default=16, help="instructions until Bochs goes on to the next CPU")
    parser.add_argument("--memory", type=int, default=256, help="MiB")
    parser.add_argument("--low", type=int, default=0, help="MiB of it that may be below 4 GiB")
    parser.add_argument("--board", default="pc")
    parser.add_argument("--without", action="append", default=[], help="part that the board lacks: pit, hpet, acpi")
    parser.add_argument("--line", default="com1", help="where the serial line is: com1 to com4, pci, none")
    parser.add_argument("--idle-com1", action="store_true", help="there is a COM1, too, to which nobody listens")
    parser.add_argument("--table", action="append", default=[], help="ACPI table that names the line: spcr, dbg2")
    parser.add_argument("--icount", action="store_true")
    parser.add_argument("--cmdline", default="serial")
    parser.add_argument("--first", action="append", default=[], help="command for GRUB before it loads the kernel")
    parser.add_argument("--module", action="append", default=[], help="file in the build folder, then its command line")
    parser.add_argument("--modules-from", metavar="FOLDER", help="where modules are, if not in the build folder")
    parser.add_argument("--timeout", type=float, default=110)
    parser.add_argument("--judge", choices=("tests", "bench", "exit", "none"), default="tests",
                        help="what counts: TEST lines, benchmark lines, only the exit code, or only the patterns")
    parser.add_argument("--until", help="regular expression on the serial line that ends the run (then the screen is read)")
    parser.add_argument("--hold", action="store_true", help="no exit device: the guest cannot end QEMU")
    parser.add_argument("--want", action="append", default=[], help="regular expression the serial line has to show")
    parser.add_argument("--reject", action="append", default=[], help="regular expression it must not show")
    parser.add_argument("--screen", action="append", default=[], help="regular expression the VGA screen has to show")
    parser.add_argument("--no-screen", action="append", default=[], help="regular expression it must not show")
    parser.add_argument("--relocated", action="store_true", help="the kernel has to run somewhere else than linked")
    return parser.parse_args()


def build_machine(args, folder):
    """The machine to boot, its image in `folder` if it needs one."""
    build = pathlib.Path(args.build).resolve()
    folder_of_modules = pathlib.Path(args.modules_from or build).resolve()
    modules = [(str(folder_of_modules / path), text) for path, _, text in (module.partition(" ") for module in args.module)]
    is_bochs = args.via == "bochs"
    result = machine.Machine(cpu=args.cpu or ("tigerlake" if is_bochs else "max"), cpus=args.cpus, memory=args.memory, low=args.low,
                             board=args.board, without=args.without, icount=args.icount, exit_device=not args.hold,
                             sockets=args.sockets, threads=args.threads, quantum=args.quantum, others=args.other,
                             msrs=dict(args.msr), line=args.line, idle_com1=args.idle_com1, tables=args.table,
                             absent=args.absent, absent_first=args.absent_first, tables_at=args.tables_at)
    if args.via == "kernel":
        result.kernel, result.modules, result.cmdline = str(build / "hypervisor.elf32"), modules, args.cmdline
        return result
    if is_bochs:
        result.emulator = "bochs"
    if args.via == "efi":
        result.firmware, result.board = "efi", "q35"
    result.iso = str(folder / "image.iso")
    image.make_iso(result.iso, [job.make(build / "hypervisor", args.cmdline, modules)], "mb1" if args.via == "mb1" else "mb2",
                   efi=args.via == "efi", verify=False, first=args.first)
    return result


def shows(args, screen):
    return all(re.search(pattern, screen, re.MULTILINE) for pattern in args.screen)


def judge_patterns(args, outcome):
    checks = ((args.want, outcome.serial, True, "serial line"), (args.reject, outcome.serial, False, "serial line"),
              (args.screen, outcome.screen, True, "screen"), (args.no_screen, outcome.screen, False, "screen"))
    for patterns, text, wanted, place in checks:
        for pattern in patterns:
            if bool(re.search(pattern, text, re.MULTILINE)) != wanted:
                yield f"the {place} {'lacks' if wanted else 'shows'} /{pattern}/"


def judge_load(serial):
    """The kernel names its load address; a relocated one is aligned, in the window and not where it was linked."""
    found = re.search(LOAD_LINE, serial, re.MULTILINE)
    if not found:
        return [f"no line matches /{LOAD_LINE}/"]
    address = int(found[1], 16)
    if address == FIXED_LOAD or address not in WINDOW or address % 0x200000:
        return [f"load address {address:#x} is not a relocated one"]
    return []


def judge(args, outcome):
    complaints = list(judge_patterns(args, outcome))
    if args.relocated:
        complaints += judge_load(outcome.serial)
    if args.judge == "tests":
        complaints += guest.judge_tests(outcome.serial)
    elif args.judge == "bench":
        complaints += guest.judge_bench(outcome.serial)
    if args.until and outcome.why != "matched":
        complaints.append(f"/{args.until}/ did not appear within {args.timeout:g} s")
    elif outcome.why == "doomed":
        complaints.append(f"the kernel reports: {re.search(DOOM[args.judge], outcome.serial, re.MULTILINE)[0]}")
    elif not args.until and outcome.why != "exit":
        complaints.append(f"still running after {args.timeout:g} s")
    elif outcome.why == "exit" and args.judge != "none" and args.via != "bochs" and outcome.status != SUCCESS_STATUS:
        complaints.append(f"QEMU's exit code is {outcome.status} instead of {SUCCESS_STATUS}")
    return complaints


def main():
    args = arguments()
    with tempfile.TemporaryDirectory(prefix="hedron-boot.") as name:
        try:
            outcome = machine.run(build_machine(args, pathlib.Path(name)), args.until, args.timeout, DOOM[args.judge],
                                  shows=lambda screen: shows(args, screen))
        except (job.JobError, tools.ToolError, machine.MachineError, OSError) as error:
            sys.exit(f"FAIL: {error}")
    complaints = judge(args, outcome)
    if complaints:
        print(f"--- serial line ---\n{outcome.serial}\n--- screen ---\n{outcome.screen}---")
        sys.exit("\n".join(f"FAIL: {text}" for text in complaints))
    print(f"PASS in {outcome.seconds:.1f} s")


if __name__ == "__main__":
    main()
