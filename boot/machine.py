#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Boots an image in QEMU or Bochs, shows the serial line, and ends by itself when the guest does."""

import argparse
import dataclasses
import json
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

VGA_TEXT, VGA_SIZE = 0xB8000, 80 * 25 * 2
POLL = 0.05
GRACE = 0.5  # for the lines that follow a fatal one
OVMF = pathlib.Path("/usr/share/OVMF")
BOCHS_ROMS = {"romimage": "/usr/share/bochs/BIOS-bochs-latest", "vgaromimage": "/usr/share/bochs/VGABIOS-lgpl-latest"}


class MachineError(Exception):
    """The emulator could not be started; the text says why."""


@dataclasses.dataclass
class Machine:
    """What to boot on what. Either `kernel` (QEMU's own Multiboot 1 loader) or `iso`."""

    kernel: str = ""
    modules: list = dataclasses.field(default_factory=list)  # (path, command line)
    cmdline: str = "serial"
    iso: str = ""
    emulator: str = "qemu"
    firmware: str = "bios"
    board: str = "pc"
    cpu: str = "max"
    cpus: int = 1
    sockets: int = 1
    threads: int = 1  # of each core
    memory: int = 512  # MiB
    quantum: int = 16  # Bochs: instructions of one CPU before it is another one's turn
    icount: bool = False  # count instructions: repeatable, and the TSC is their number
    exit_device: bool = True  # let the guest end the emulator with a write to port 0xf4
    gdb: str = ""  # QEMU: a socket where a debugger is awaited before the first instruction
    debugger: str = ""  # Bochs: what its debugger is told; it then stops at XCHG BX, BX, too


@dataclasses.dataclass
class Outcome:
    """What came of it."""

    serial: str
    screen: str  # VGA text memory; only filled for a QEMU machine that was still running at the end
    status: object  # the emulator's exit code, or None if it had to be stopped
    seconds: float
    why: str  # "exit", "matched", "doomed" or "timeout"
    said: str = ""  # what the emulator itself wrote


def topology(machine):
    """Sockets, cores of each, threads of each core."""
    cores, rest = divmod(machine.cpus, machine.sockets * machine.threads)
    if rest:
        raise MachineError(f"{machine.cpus} CPUs are not {machine.sockets} sockets with {machine.threads} threads per core")
    return machine.sockets, cores, machine.threads


def qemu_command(machine, serial, monitor, folder):
    """QEMU's command line. `serial` and `monitor` are a file and a socket to create."""
    sockets, cores, threads = topology(machine)
    smp = f"{machine.cpus},sockets={sockets},cores={cores},threads={threads}"
    command = ["qemu-system-x86_64", "-machine", f"{machine.board},accel=tcg,memory-backend=ram", "-cpu", machine.cpu,
               # Memory of the guest that it never touches costs the host nothing, not even a promise.
               "-object", f"memory-backend-ram,id=ram,size={machine.memory}M,reserve=off", "-m", str(machine.memory),
               "-smp", smp, "-display", "none", "-vga", "std", "-net", "none",
               "-no-reboot", "-serial", f"file:{serial}", "-monitor", "none", "-qmp", f"unix:{monitor},server=on,wait=off"]
    if machine.exit_device:
        command += ["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
    if machine.gdb:
        command += ["-S", "-gdb", f"unix:{machine.gdb},server=on,wait=off"]
    if machine.icount:
        command += ["-icount", "shift=0,sleep=off"]
    if machine.firmware == "efi":
        variables = folder / "vars.fd"
        try:
            shutil.copy(OVMF / "OVMF_VARS_4M.fd", variables)
        except OSError as error:
            raise MachineError(f"{error}: install the package ovmf") from None
        flash = "if=pflash,format=raw,unit="
        command += ["-drive", f"{flash}0,readonly=on,file={OVMF}/OVMF_CODE_4M.fd", "-drive", f"{flash}1,file={variables}"]
    if machine.iso:
        return command + ["-cdrom", machine.iso, "-boot", "d"]
    command += ["-kernel", machine.kernel, "-append", machine.cmdline]
    if machine.modules:
        # A comma ends a module, so a comma inside one is written twice.
        text = ",".join(f"{path} {words}".strip().replace(",", ",,") for path, words in machine.modules)
        command += ["-initrd", text]
    return command


def bochs_command(machine, serial, folder):
    """Write Bochs's configuration and return its command line. Debian's build starts in its debugger: `c` continues."""
    if not machine.iso:
        raise MachineError("Bochs boots ISO images only")
    for rom in BOCHS_ROMS.values():
        if not pathlib.Path(rom).exists():
            raise MachineError(f"{rom} is missing: install bochsbios and vgabios")
    count = ":".join(map(str, topology(machine)))
    # With several CPUs MWAIT must not sleep: Bochs 2.7 does not see a store to the monitored line by a CPU that has the page in
    # its TLB, because its MONITOR drops TLB entries at the physical address instead of the linear one.
    # And it runs through every instruction of each CPU's time, so a second that firmware waits had better be short.
    ips = 100000000 if machine.cpus == 1 else 5000000
    config = [f"cpu: model={machine.cpu}, count={count}, ips={ips}, quantum={machine.quantum}, "
              f"mwait_is_nop={int(machine.cpus > 1)}, reset_on_triple_fault=0, ignore_bad_msrs=1",
              f"memory: guest={machine.memory}, host={min(machine.memory, 1024)}",
              f"ata0-master: type=cdrom, path={machine.iso}, status=inserted", "boot: cdrom",
              f"com1: enabled=1, mode=file, dev={serial}", f"log: {folder}/bochs.log",
              "display_library: rfb, options=\"timeout=0\"", "clock: sync=none", "panic: action=fatal",
              "error: action=report", "info: action=ignore",
              "sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy"]
    config += [f"{name}: file={rom}" for name, rom in BOCHS_ROMS.items()]
    config += ["magic_break: enabled=1"] if machine.debugger else []
    (folder / "bochsrc").write_text("\n".join(config) + "\n")
    (folder / "commands").write_text(machine.debugger or "c\n")
    return ["bochs", "-q", "-f", str(folder / "bochsrc"), "-rc", str(folder / "commands")]


def qmp(path, command, arguments):
    """Run one command over QEMU's machine protocol; True if it succeeded."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(path))
        stream = connection.makefile("rw")
        stream.readline()  # the greeting
        for request in ({"execute": "qmp_capabilities"}, {"execute": command, "arguments": arguments}):
            stream.write(json.dumps(request) + "\n")
            stream.flush()
            answer = json.loads(stream.readline())
            while "event" in answer:
                answer = json.loads(stream.readline())
    return "return" in answer


def read_screen(monitor, folder):
    """The text on the VGA screen of a running QEMU, one line per row; "" if it cannot be had."""
    dump = folder / "vga"
    try:
        if not qmp(monitor, "pmemsave", {"val": VGA_TEXT, "size": VGA_SIZE, "filename": str(dump)}):
            return ""
        cells = dump.read_bytes()[::2].decode("cp437")
    except (OSError, ValueError):
        return ""
    rows = [cells[start:start + 80].replace("\0", " ").rstrip() for start in range(0, len(cells), 80)]
    return "\n".join(rows).rstrip() + "\n"


def watch(process, serial, until, doom, timeout):
    """Wait for the end: of the process, of patience, or until the serial line shows what `until` wants or `doom` fears."""
    deadline = time.monotonic() + timeout
    while process.poll() is None:
        if until and re.search(until, text_of(serial), re.MULTILINE):
            return "matched"
        if doom and re.search(doom, text_of(serial), re.MULTILINE):
            time.sleep(GRACE)
            return "doomed"
        if time.monotonic() > deadline:
            return "timeout"
        time.sleep(POLL)
    return "exit"


def text_of(path):
    try:
        return path.read_bytes().decode("ascii", "replace").replace("\r", "")
    except FileNotFoundError:
        return ""


def run(machine, until=None, timeout=60.0, doom=None):
    """Boot the machine and return its Outcome. `until` and `doom` are regular expressions that end the run early."""
    with tempfile.TemporaryDirectory(prefix="hedron-vm.") as name:
        folder = pathlib.Path(name)
        serial, monitor = folder / "serial", folder / "qmp"
        if machine.emulator == "qemu":
            command = qemu_command(machine, serial, monitor, folder)
        else:
            command = bochs_command(machine, serial, folder)
        start = time.monotonic()
        with open(folder / "messages", "w+", encoding="utf-8", errors="replace") as messages:
            try:
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=messages, stderr=messages, cwd=folder)
            except FileNotFoundError:
                raise MachineError(f"{command[0]} is missing: install qemu-system-x86 and bochs") from None
            try:
                why = watch(process, serial, until, doom, timeout)
                alive = why != "exit" and machine.emulator == "qemu"
                screen = read_screen(monitor, folder) if alive else ""
            finally:
                if process.poll() is None:
                    process.kill()
                process.wait()
            messages.seek(0)
            said = messages.read()
        if why == "exit" and not text_of(serial):
            raise MachineError(f"{command[0]} ended without a word on the serial line:\n{said[-2000:]}")
        status = process.returncode if why == "exit" else None
        return Outcome(text_of(serial), screen, status, time.monotonic() - start, why, said)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--emulator", choices=("qemu", "bochs"), default="qemu")
    parser.add_argument("--firmware", choices=("bios", "efi"), default="bios", help="of QEMU (default: %(default)s)")
    parser.add_argument("--board", choices=("pc", "q35"), default="pc", help="of QEMU (default: %(default)s)")
    parser.add_argument("--cpu", help="CPU model (default: max in QEMU, tigerlake in Bochs)")
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--memory", type=int, default=512, help="MiB (default: %(default)s)")
    parser.add_argument("--icount", action="store_true", help="make QEMU repeatable; its TSC then counts instructions")
    parser.add_argument("--timeout", type=float, default=60, help="seconds (default: %(default)s)")
    parser.add_argument("--cmdline", default="serial", help="the kernel's, without an image (default: %(default)s)")
    parser.add_argument("image", help="an ISO image, or hypervisor.elf32")
    parser.add_argument("module", nargs="*", help="with hypervisor.elf32: modules, each a path or \"path its command line\"")
    args = parser.parse_args()
    is_iso = args.image.endswith(".iso")
    machine = Machine(emulator=args.emulator, firmware=args.firmware, board=args.board, cpus=args.cpus, icount=args.icount,
                      memory=args.memory, cpu=args.cpu or {"qemu": "max", "bochs": "tigerlake"}[args.emulator])
    if is_iso:
        machine.iso = str(pathlib.Path(args.image).resolve())
    else:
        machine.kernel = str(pathlib.Path(args.image).resolve())
        machine.cmdline = args.cmdline
        words = (module.partition(" ") for module in args.module)
        machine.modules = [(str(pathlib.Path(path).resolve()), text) for path, _, text in words]
    try:
        outcome = run(machine, timeout=args.timeout)
    except MachineError as error:
        sys.exit(f"machine.py: {error}")
    sys.stdout.write(outcome.serial)
    if outcome.why == "timeout":
        sys.stderr.write(f"machine.py: stopped after {args.timeout:g} s; its screen:\n{outcome.screen}")
        sys.exit(124)
    sys.exit(0 if outcome.status in (0, 33) or args.emulator == "bochs" else 1)


if __name__ == "__main__":
    main()
