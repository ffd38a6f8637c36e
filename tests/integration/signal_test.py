#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Signals that no CPU of ours has sent, from QEMU's monitor: NMIs while a roottask is busy on all CPUs, and while they sleep most
of the time, which the kernel mentions and survives; NMIs when nothing else happens, of which it mentions each; and a machine check,
which it reports and stops at.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile
import time

import guest  # first: it finds image and machine
import machine
import ramlog_test
from monitor import Monitor

NMIS = 20
# Roottask, its effort, the line from which on signals are sent (NMIs are to meet CPUs at work), the kernel's command line.
SCENES = {"nmi": ("smp_stress", "effort={}", 20, "TEST ", "serial"),
          "idle": ("smp_sm", "test=ping_pong_asleep effort={}", 3000, "boot CPU is", "serial nomwait"),
          "quiet": ("hello", "", 0, "Hello from the roottask", "log=ram:64K@0x14000000 nomwait novga"),
          "mce": ("smp_stress", "effort={}", 20, "boot CPU is", "serial nomwait")}
LOG_AT, LOG_SIZE = 0x14000000, 64 << 10  # of the scene "quiet"
LONGER = (1, 5, 25, 125)  # times that effort: a guest may have ended before all signals were sent
MENTIONED = "NMI from outside"
# Bank 9, valid, uncorrected, enabled, context corrupt; restart impossible.
MACHINE_CHECK = "mce 0 9 0xb200000000000000 0x4 0 0"


class TooShort(Exception):
    """The guest came to its end before it had met enough."""


def wait_for(text, process, read, timeout):
    patience = machine.Patience(process, timeout)
    while text not in read():
        if process.poll() is not None or patience.over():
            raise machine.MachineError(f"no '{text}' on the serial line")
        time.sleep(0.05)


def log_in_ram(monitor, file):
    """
    Where nothing else is to happen there is no serial line: CPUs wake each other to write to it, and an NMI from outside that comes
    together with such a signal is not mentioned.
    """
    monitor.run("pmemsave", val=LOG_AT, size=LOG_SIZE, filename=str(file))
    try:
        return ramlog_test.read_log(file, 0, LOG_SIZE)
    except ramlog_test.Failure:
        return ""  # it has not begun, or is being written


def nmis(process, monitor, read, timeout):
    """Some, and more until one is mentioned: one that comes together with a CPU's own looks like that."""
    sent = 0
    while sent < NMIS or MENTIONED not in read():
        try:
            monitor.run("inject-nmi")
        except OSError:
            raise TooShort from None
        sent += 1
        time.sleep(0.02)
    patience = machine.Patience(process, timeout)
    while process.poll() is None and not patience.over():
        time.sleep(0.05)
    complaints = guest.judge_tests(read())
    # Each may hit both CPUs. Those that CPUs send each other afterwards are not mentioned.
    if read().count(MENTIONED) > 2 * sent:
        complaints.append("more NMIs are mentioned than were sent")
    if process.returncode != 2 * 0x10 + 1:
        complaints.append(f"QEMU's exit code is {process.returncode}")
    return complaints


def each_nmi(process, monitor, read, timeout):
    """One after the other, on a machine whose program has ended."""
    for sent in range(1, NMIS + 1):
        monitor.run("inject-nmi")
        deadline = time.monotonic() + timeout
        while read().count(MENTIONED) < sent:
            if process.poll() is not None or time.monotonic() > deadline:
                return [f"NMI {sent} is not mentioned"]
            time.sleep(0.02)
    time.sleep(0.2)
    return ["more NMIs are mentioned than were sent"] * (read().count(MENTIONED) > NMIS)


def machine_check(process, monitor, read, timeout):
    monitor.run("human-monitor-command", **{"command-line": MACHINE_CHECK})
    wait_for("machine check on CPU 0", process, read, timeout)
    text = read()
    return [f"the report has no {what}" for what in ("trap 18", "rip ", "rax ") if what not in text]


def scene(args, times):
    """Complaints, and what was on the serial line; TooShort if it ended too early, and did so well."""
    suite, words, effort, begin, cmdline = SCENES[args.kind]
    build = pathlib.Path(args.build).resolve()
    vm = machine.Machine(kernel=str(build / "hypervisor.elf32"), cpus=2, cmdline=cmdline, exit_device=args.kind != "quiet",
                         modules=[(str(build / f"{suite}.elf"), words.format(effort * times))])
    with tempfile.TemporaryDirectory(prefix="hedron-signal.") as name:
        folder = pathlib.Path(name)
        serial = folder / "serial"

        def read():
            return log_in_ram(monitor, folder / "log") if args.kind == "quiet" else machine.text_of(serial)

        command = machine.qemu_command(vm, serial, folder / "qmp", folder)
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd=folder) as process:
            try:
                monitor = Monitor(folder / "qmp", process)
                wait_for(begin, process, read, args.timeout)
                run = {"mce": machine_check, "quiet": each_nmi}.get(args.kind, nmis)
                return run(process, monitor, read, args.timeout), read()
            except TooShort:
                complaints = guest.judge_tests(machine.text_of(serial))
                if not complaints:
                    raise
                return complaints, machine.text_of(serial)
            except (machine.MachineError, OSError, subprocess.TimeoutExpired) as error:
                return [str(error)], machine.text_of(serial)
            finally:
                if process.poll() is None:
                    process.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--kind", choices=SCENES.keys(), required=True)
    parser.add_argument("--timeout", type=float, default=120)
    args = parser.parse_args()
    for times in LONGER:
        try:
            complaints, text = scene(args, times)
            break
        except TooShort:
            print(f"{times} times the effort is too short here")
    else:
        sys.exit("FAIL: the guest always ended before it had met enough NMIs")
    if complaints:
        print(f"--- serial line ---\n{text}\n---")
        sys.exit("\n".join(f"FAIL: {complaint}" for complaint in complaints))
    print("PASS")


if __name__ == "__main__":
    main()
