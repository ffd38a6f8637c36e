#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Suspend to RAM: boots the roottask that puts the machine to sleep, and wakes the machine up each time it sleeps. Other
machines have no S3, or ignore the request to sleep. The kernel comes from an image: what QEMU's own loader has loaded
it loads again at each reset, and waking up is one.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile
import time

import guest  # first: it finds image and machine
import acpi_table
import image
import job
import machine
import tools
from monitor import Monitor

S3 = 1  # QEMU's sleep type; 0 switches off, 2 is S4, others do nothing
IGNORED = 3
NAP = 0.4  # seconds at least: the roottask looks whether somebody has to pay for them
END = 30  # seconds for QEMU to go away, once its monitor has
LEFT_OVER = "7 0x9000000000000000"  # a corrected error, and the bank
NO_S3 = {"q35": "ICH9-LPC.disable_s3=1", "pc": "PIIX4_PM.disable_s3=1"}


def ssdt(kind):
    r"""A table that defines \_S3_ with another sleep type, in words of different widths."""
    package = bytes([0x12, 9, 4, 0x0A, kind, 0x0B, kind, 0, 0, 0])
    code = b"\x08\\_S3_" + package
    return acpi_table.table(b"SSDT", 1, code)


def command_line(args, folder):
    words = {"normal": f"s3={S3} nap={NAP * 1000:.0f}", "absent": "s3=none", "ignored": f"s3={IGNORED} awake=1"}[args.kind]
    build = pathlib.Path(args.build).resolve()
    vm = machine.Machine(iso=str(folder / "image.iso"), firmware=args.firmware, board=args.board, cpu=args.cpu, cpus=args.cpus,
                         memory=args.memory, low=args.low, line=args.line)
    work = job.make(build / "hypervisor", args.cmdline, [(build / "guest_suspend.elf", words)])
    image.make_iso(vm.iso, [work], args.protocol, verify=False)
    command = machine.qemu_command(vm, folder / "serial", folder / "qmp", folder)
    if args.kind != "normal":
        command += ["-global", NO_S3[args.board]]
    if args.kind == "ignored":
        (folder / "ssdt").write_bytes(ssdt(IGNORED))
        command += ["-acpitable", f"file={folder}/ssdt"]
    return command


def attend(process, monitor, cpus, timeout):
    """
    Wakes the machine until it has ended, with an error in a bank of the last CPU; returns how often, and whether it came to its
    end.
    """
    patience, naps = machine.Patience(process, timeout), 0
    while process.poll() is None and not patience.over():
        try:
            if monitor.run("query-status")["status"] == "suspended":
                time.sleep(NAP)
                monitor.run("human-monitor-command", **{"command-line": f"mce {cpus - 1} {LEFT_OVER} 0 0 0"})
                naps += 1  # QEMU may be gone before it answers
                monitor.run("system_wakeup")
            time.sleep(0.02)
        except (ConnectionError, OSError):
            break
    try:
        process.wait(END)
    except subprocess.TimeoutExpired:
        return naps, False
    return naps, True


def judge(args, serial, naps, ended, status):
    complaints = guest.judge_tests(serial)
    if not ended:
        complaints.append(f"still running after {args.timeout:g} s")
    elif status != 2 * 0x10 + 1:
        complaints.append(f"QEMU's exit code is {status}")
    slept = serial.count("suspend: back from S3 with")
    if naps != slept:
        complaints.append(f"woken {naps} times, but the kernel came back {slept} times")
    if serial.count(f"machine check before the start: CPU {args.cpus - 1}, bank 7: corrected") != slept:
        complaints.append("not each error that was there after sleep is reported once")
    if (args.kind == "normal") != (naps > 0):
        complaints.append(f"woken {naps} times")
    if (args.kind == "ignored") != ("/stay_awake: PASS" in serial):
        complaints.append("a machine that stays awake is another matter")
    if args.kind == "normal" and serial.count(f"with {args.cpus} of {args.cpus} CPUs") != slept:
        complaints.append("not all CPUs came back")
    return complaints


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--kind", choices=("normal", "absent", "ignored"), default="normal", help="what the machine does")
    parser.add_argument("--protocol", choices=("mb1", "mb2"), default="mb2")
    parser.add_argument("--firmware", choices=("bios", "efi"), default="bios")
    parser.add_argument("--board", choices=NO_S3.keys(), default="q35")
    parser.add_argument("--cpu", default="max")
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--memory", type=int, default=512, help="MiB")
    parser.add_argument("--low", type=int, default=0, help="MiB of it that may be below 4 GiB")
    parser.add_argument("--cmdline", default="serial")
    parser.add_argument("--line", default="com1", help="where the serial line is: com1 to com4, pci")
    parser.add_argument("--timeout", type=float, default=120)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hedron-suspend.") as name:
        folder = pathlib.Path(name)
        try:
            command = command_line(args, folder)
        except (job.JobError, tools.ToolError, machine.MachineError, OSError) as error:
            sys.exit(f"FAIL: {error}")
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd=folder) as process:
            try:
                naps, ended = attend(process, Monitor(folder / "qmp", process), args.cpus, args.timeout)
            except machine.MachineError as error:
                sys.exit(f"FAIL: {error}")
            finally:
                if process.poll() is None:
                    process.kill()
        serial = machine.text_of(folder / "serial")
        complaints = judge(args, serial, naps, ended, process.returncode)
    if complaints:
        print(f"--- serial line ---\n{serial}\n---")
        sys.exit("\n".join(f"FAIL: {text}" for text in complaints))
    print(f"PASS: slept {naps} times")


if __name__ == "__main__":
    main()
