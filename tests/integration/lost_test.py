#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
A CPU that does not come back from suspend to RAM: a debugger redirects its start-up IPIs to an APIC that is not there. The others
go on without it, and the machine can sleep again. The kernel comes from an image, as in suspend_test.py.
"""

import pathlib
import tempfile
import time

import guest  # first: it finds image and machine
import debugger
import elf
import image
import job
import machine
import suspend_test

CPUS = 3
LOST = 1  # also its APIC identifier
NOBODY = 77  # an APIC identifier that no CPU has
TRIES = 5  # kernel/arch/x86_64/boot/smp.c


def asleep(session):
    return session.monitor.run("query-status")["status"] == "suspended"


def wait_and_wake(session):
    """The machine falls asleep, and is woken up."""
    patience = machine.Patience(session.process, session.timeout)
    while not asleep(session):
        if session.process.poll() is not None or patience.over():
            raise machine.MachineError("the machine does not fall asleep")
        time.sleep(0.02)
    session.monitor.run("system_wakeup")


def start_up_to_nobody(session, symbols):
    start = symbols.address("smp_start_invited")
    session.debugger.run_to(start)  # boot
    session.debugger.step()
    session.debugger.breakpoint(start)
    session.debugger.resume()
    wait_and_wake(session)
    session.debugger.answer()
    session.debugger.write(f"z0,{start:x},1")
    tries = TRIES
    while tries:
        session.debugger.run_to(symbols.address("lapic_send_startup"))
        if session.debugger.register(debugger.RDI) == LOST:
            session.debugger.set_register(debugger.RDI, NOBODY)
            tries -= 1
        session.debugger.step()
    session.debugger.resume()


def check(args, session):
    start_up_to_nobody(session, elf.Symbols(args.build / "hypervisor"))
    session.wait_for(f"suspend: CPU {LOST} does not wake up, its threads are lost\n")
    session.wait_for(f"suspend: back from S3 with {CPUS - 1} of {CPUS} CPUs")
    wait_and_wake(session)
    session.wait_for(f"suspend: back from S3 with {CPUS - 1} of {CPUS - 1} CPUs")
    session.wait_for("^TEST-END")
    return guest.judge_tests(session.serial())


def main():
    args = debugger.parser(__doc__).parse_args()
    with tempfile.TemporaryDirectory(prefix="hedron-lost.") as name:
        iso = pathlib.Path(name) / "image.iso"
        words = f"s3={suspend_test.S3} test=lost_cpu lost={LOST}"
        work = job.make(args.build / "hypervisor", "serial nomwait", [(args.build / "guest_suspend.elf", words)])
        image.make_iso(str(iso), [work], "mb2", verify=False)
        debugger.judged(args, check, iso=str(iso), cpus=CPUS)


if __name__ == "__main__":
    main()
