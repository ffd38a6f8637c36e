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
from monitor import Monitor

NMIS = 20
# Roottask, the line from which on signals are sent (NMIs are to meet CPUs at work), the kernel's command line.
SCENES = {"nmi": ("smp_stress", "effort=20", "TEST ", "serial"),
          "idle": ("smp_sm", "test=ping_pong_asleep effort=3000", "boot CPU is", "serial nomwait"),
          "quiet": ("hello", "", "Hello from the roottask", "serial nomwait"),
          "mce": ("smp_stress", "effort=20", "boot CPU is", "serial nomwait")}
MENTIONED = "NMI from outside"
# Bank 9, valid, uncorrected, enabled, context corrupt; restart impossible.
MACHINE_CHECK = "mce 0 9 0xb200000000000000 0x4 0 0"


def wait_for(text, process, path, timeout):
    deadline = time.monotonic() + timeout
    while text not in machine.text_of(path):
        if process.poll() is not None or time.monotonic() > deadline:
            raise machine.MachineError(f"no '{text}' on the serial line")
        time.sleep(0.05)


def nmis(process, monitor, serial, timeout):
    """Some, and more until one is mentioned: one that comes together with a CPU's own looks like that."""
    sent = 0
    while sent < NMIS or MENTIONED not in machine.text_of(serial):
        monitor.run("inject-nmi")
        sent += 1
        time.sleep(0.02)
    process.wait(timeout)
    complaints = guest.judge_tests(machine.text_of(serial))
    # Each may hit both CPUs. Those that CPUs send each other afterwards are not mentioned.
    if machine.text_of(serial).count(MENTIONED) > 2 * sent:
        complaints.append("more NMIs are mentioned than were sent")
    if process.returncode != 2 * 0x10 + 1:
        complaints.append(f"QEMU's exit code is {process.returncode}")
    return complaints


def each_nmi(process, monitor, serial, timeout):
    """One after the other, on a machine whose program has ended."""
    for sent in range(1, NMIS + 1):
        monitor.run("inject-nmi")
        deadline = time.monotonic() + timeout
        while machine.text_of(serial).count(MENTIONED) < sent:
            if process.poll() is not None or time.monotonic() > deadline:
                return [f"NMI {sent} is not mentioned"]
            time.sleep(0.02)
    time.sleep(0.2)
    return ["more NMIs are mentioned than were sent"] * (machine.text_of(serial).count(MENTIONED) > NMIS)


def machine_check(process, monitor, serial, timeout):
    monitor.run("human-monitor-command", **{"command-line": MACHINE_CHECK})
    wait_for("machine check on CPU 0", process, serial, timeout)
    text = machine.text_of(serial)
    return [f"the report has no {what}" for what in ("trap 18", "rip ", "rax ") if what not in text]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--kind", choices=SCENES.keys(), required=True)
    parser.add_argument("--timeout", type=float, default=120)
    args = parser.parse_args()
    build = pathlib.Path(args.build).resolve()
    suite, words, begin, cmdline = SCENES[args.kind]
    vm = machine.Machine(kernel=str(build / "hypervisor.elf32"), modules=[(str(build / f"{suite}.elf"), words)], cpus=2,
                         cmdline=cmdline, exit_device=args.kind != "quiet")
    with tempfile.TemporaryDirectory(prefix="hedron-signal.") as name:
        folder = pathlib.Path(name)
        serial = folder / "serial"
        with subprocess.Popen(machine.qemu_command(vm, serial, folder / "qmp", folder), stdin=subprocess.DEVNULL) as process:
            try:
                monitor = Monitor(folder / "qmp", process)
                wait_for(begin, process, serial, args.timeout)
                run = {"mce": machine_check, "quiet": each_nmi}.get(args.kind, nmis)
                complaints = run(process, monitor, serial, args.timeout)
            except (machine.MachineError, OSError, subprocess.TimeoutExpired) as error:
                complaints = [str(error)]
            finally:
                if process.poll() is None:
                    process.kill()
        text = machine.text_of(serial)
    if complaints:
        print(f"--- serial line ---\n{text}\n---")
        sys.exit("\n".join(f"FAIL: {complaint}" for complaint in complaints))
    print("PASS")


if __name__ == "__main__":
    main()
