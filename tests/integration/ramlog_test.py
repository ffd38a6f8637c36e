#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
The log in RAM: a machine is booted with log=ram, ends with a warm reset, and its memory, a file that outlives the emulator,
is read by a reader of Linux's format that was written from its documentation. The serial line, where there is one, has to
say the same, byte for byte. Then something else is booted on the same memory, and the log has to be there still.
"""

import argparse
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import time

import guest  # first: it finds image and machine
import image
import job
import machine

MIB = 1 << 20
SIGNATURE, HEADER = b"DBGC", struct.Struct("<4sII")  # signature; where the next byte goes; bytes of text
FIRST = re.compile(r"RAM log: boot ([0-9a-f]{16}), (\d+) KiB at 0x([0-9a-f]+)\n")


class Failure(Exception):
    """What is wrong with the log."""


def read_log(ram, at, size):
    """The text of the console that struct persistent_ram_buffer describes."""
    with ram.open("rb") as memory:
        memory.seek(at)
        zone = memory.read(size)
    signature, start, used = HEADER.unpack_from(zone)
    room, data = size - HEADER.size, zone[HEADER.size:]
    if signature != SIGNATURE:
        raise Failure(f"no log at {at:#x}: {zone[:16].hex()}")
    if used > room or start > used or (used < room and start != used) or start == room:
        raise Failure(f"{used} of {room} bytes are used, the next goes to {start}")
    return (data[start:used] + data[:start] if used == room else data[:used]).decode("ascii")


def place(memory, size):
    """The rule of platform/memmap.h, for a machine whose RAM ends at `memory`, less what firmware keeps of it."""
    at = 0x50000000
    while at + size > memory - MIB:
        at //= 2
    return at


def command_line(vm, folder, more=()):
    """QEMU with its RAM in a file; a reset ends it, and QEMU says what has done it if that was a triple fault."""
    words = machine.qemu_command(vm, folder / "serial", folder / "qmp", folder)
    ram = next(i for i, word in enumerate(words) if word.startswith("memory-backend-ram"))
    words[ram] = f"memory-backend-file,id=ram,size={vm.memory}M,share=on,mem-path={folder / 'ram'}"
    return words + ["-d", "cpu_reset", "-D", str(folder / "resets"), *more]


def run(vm, folder, timeout, more=()):
    """Boots and waits for the end of the emulator, which has no other end than a reset; returns the serial line."""
    (folder / "serial").unlink(missing_ok=True)
    process = subprocess.Popen(command_line(vm, folder, more), stdin=subprocess.DEVNULL, cwd=folder)
    try:
        patience = machine.Patience(process, timeout)
        while process.poll() is None and not patience.over():
            time.sleep(machine.POLL)
        if process.poll() is None:
            raise Failure("the machine was not reset:\n" + machine.text_of(folder / "serial")[-2000:])
    finally:
        process.kill()
        process.wait()
    if "Triple fault" in machine.text_of(folder / "resets"):
        raise Failure("a triple fault has reset the machine: none of its registers did")
    return machine.text_of(folder / "serial")


def boot(args, folder, cmdline, module, cpus=1, more=()):
    build = pathlib.Path(args.build).resolve()
    name, _, words = module.partition(" ")
    modules = [(str(build / name), words)] if module else []
    vm = machine.Machine(kernel=str(build / "hypervisor.elf32"), modules=modules, cmdline=cmdline, cpus=cpus, memory=args.memory,
                         exit_device=False, board=args.board)
    return run(vm, folder, args.timeout, more)


def expect(text, *patterns):
    for pattern in patterns:
        if not re.search(pattern, text, re.MULTILINE):
            raise Failure(f"the log lacks /{pattern}/:\n{text}")


def first_line(text, at, size):
    found = FIRST.match(text)
    if not found or int(found[2]) * 1024 != size or int(found[3], 16) != at:
        raise Failure(f"the log does not begin with what it is:\n{text[:300]}")
    return found[1]


def whole(args, folder):
    """Without a serial line; twice; then with one, which says the same."""
    size, at = MIB, place(args.memory * MIB, MIB)
    ids = []
    for cmdline in ("log=ram", "log=ram", "serial log=ram"):
        said = boot(args, folder, cmdline, "hello.elf one two end=reboot")
        text = read_log(folder / "ram", at, size)
        ids.append(first_line(text, at, size))
        expect(text, "^Hedron Hypervisor 13", "^Hello from the roottask", "command line .*one two end=reboot", " type -1 .*\n$")
    if len(set(ids)) != 3 or text.count("Hello from") != 1:
        raise Failure(f"an old log goes on: {ids}")
    same = text[FIRST.match(text).end():]
    if not said.endswith(same):
        raise Failure(f"the serial line says something else:\n{said}\n--- than the log\n{same}")
    # With the roottask's own eyes: the region is nobody's.
    expect(text, f"memory {at:012x} \\+ {size:012x} type -1 ")


def wrapped(args, folder):
    """A small one, many lines from several CPUs: the newest are there, whole and in the order of the serial line."""
    size, at = 4096, 0x3000000
    said = boot(args, folder, f"serial nomwait log=ram:4k@{at:#x}", "smp_console.elf end=reboot", cpus=3)
    text = read_log(folder / "ram", at, size)
    if len(text) != size - HEADER.size or len(said) < 2 * size:
        raise Failure(f"{len(text)} bytes of {len(said)}")
    lines = text.split("\n")
    for line in lines[1:]:
        if line.startswith("LINE") and not re.fullmatch("LINE \\d+ abcdefghijklmnopqrstuvwxyz0123456789 end", line):
            raise Failure(f"a line is broken: {line}")
    # Where the kernel's messages are among user land's lines is for each device to say.
    users = [line for line in lines[1:] if not line.startswith("warning")]
    if [line for line in said.split("\n") if line in users][-len(users):] != users:
        raise Failure(f"the serial line says something else:\n{said[-size:]}\n--- than the log\n{text}")


def panic(args, folder):
    """A panic resets at once if it is told to: an instruction takes 8 ns here, so that ten seconds would never be over."""
    size, at = 65536, place(args.memory * MIB, 65536)
    boot(args, folder, "log=ram:64K panic=reboot", "", more=("-icount", "shift=3,sleep=off"))
    expect(read_log(folder / "ram", at, size), "^error: PANIC: .*passed no module.*\n$")


def read_first(args, folder):
    """Else when somebody had time to read the screen."""
    size, at = 65536, place(args.memory * MIB, 65536)
    # An instruction takes a microsecond, so that ten seconds are soon over.
    boot(args, folder, "log=ram:64K", "", more=("-icount", "shift=10,sleep=off"))
    expect(read_log(folder / "ram", at, size), "^error: PANIC: .*passed no module.*\n$")


def refused(args, folder):
    """Places that are no RAM, or taken: the kernel says so and goes on without."""
    for where in (f"{args.memory * MIB:#x}", "0xfee00000", "0x6600000", "0x100000000", "0x9f000"):
        said = boot(args, folder, f"serial log=ram:1M@{where}", "hello.elf end=reboot")
        expect(said, "warning: no log in RAM: ", "^Hello from the roottask")
    said = boot(args, folder, "serial log=ram:3M log=rom log=ram:1M@0x123 log=ram@ panic=halt", "hello.elf end=reboot")
    expect(said, "warning: command line: 'log=ram:3M'", "'log=rom'", "'log=ram:1M@0x123'", "'log=ram@'", "^Hello from")
    if "log in RAM at" in said:
        raise Failure(f"there is a log that nobody asked for:\n{said}")


def kept(args, folder):
    """Firmware and boot loader of the next boot leave it alone."""
    size, at = MIB, place(args.memory * MIB, MIB)
    build = pathlib.Path(args.build).resolve()
    boot(args, folder, "log=ram", "hello.elf end=reboot")
    before = read_log(folder / "ram", at, size)
    for firmware in ("bios", "efi"):
        vm = machine.Machine(iso=str(folder / "image.iso"), firmware=firmware, memory=args.memory, exit_device=False,
                             board=args.board)
        work = job.make(build / "hypervisor", "serial", [(build / "hello.elf", "end=reboot")])
        image.make_iso(vm.iso, [work], "mb2", verify=False)
        expect(run(vm, folder, args.timeout), "^Hello from the roottask")
        if read_log(folder / "ram", at, size) != before:
            raise Failure(f"{firmware} has changed it")
        for path in ("medium", "vars.fd"):
            (folder / path).unlink(missing_ok=True)


KINDS = {fn.__name__: fn for fn in (whole, wrapped, panic, read_first, refused, kept)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, help="build folder with the images")
    parser.add_argument("--kind", choices=sorted(KINDS), required=True)
    parser.add_argument("--board", default="pc")
    parser.add_argument("--memory", type=int, default=256, help="MiB")
    parser.add_argument("--timeout", type=float, default=60)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hedron-ramlog.") as name:
        try:
            KINDS[args.kind](args, pathlib.Path(name))
        except (Failure, machine.MachineError) as error:
            print(f"FAIL: {error}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
