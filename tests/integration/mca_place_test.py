#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
A machine check that asks for no action, at the most delicate places: CPUs are stopped there by QEMU's stub for debuggers, and go on
with a machine check and an NMI pending. The program must not notice, and both are reported. And a fatal one while the console is in
use.
"""

import re

import debugger
import elf
import guest
import mca_test

SYSRET, IRET = 3, 2  # lengths
# Where: a symbol, and how far from it. At the ends of restart ranges the stack pointer is the user's, or what IRET takes is there.
# Each is sure to be passed, in this order, while the program is silent: CPU 1 sleeps until the program uses it; the report of what
# hits user code makes it go on by IRET.
PLACES = {"sleep": (None, 0),
          "the first instruction of a system call": ("entry_syscall_stubs", 0),
          "the handler of NMIs": ("nmi_handle", 0),
          "a hypercall": ("syscall_dispatch", 0),
          "the return from one": ("restart_syscall_end", -SYSRET),
          "the return from a call": ("restart_call_end", -SYSRET),
          "the return from a reply": ("restart_reply_end", -SYSRET),
          "the return from a fastcall": ("restart_fastcall_end", -SYSRET),
          "user code": ("revoke", 0),
          "the return from an interruption": ("restart_trap_end", -IRET)}
SLEEPER = 1
PROGRAM, SILENT = "smp_stress.elf", "stress_portals"
VICTIM = "mca_victim.elf"
CS = 8  # of what IRET takes


def address_of(build, symbol):
    """In the program or the kernel."""
    try:
        return elf.Symbols(build / PROGRAM).address(symbol)
    except elf.ElfError:
        return elf.Symbols(build / "hypervisor").address(symbol)


def hit(session, cpu, number, nmi=True):
    """The report to come. The machine stays stopped: the program must not get past the next place before a breakpoint is there."""
    command = mca_test.mce(cpu, 8, mca_test.OPTIONAL, addr=number << 12)
    session.monitor.run("human-monitor-command", **{"command-line": command})
    if nmi:
        session.monitor.run("inject-nmi")
    return mca_test.line(cpu, 8, "uncorrected, action optional", mca_test.OPTIONAL, f"{number << 12:#x}")


def stop_in_console(session, build):
    """The report comes out although the CPU holds the lock of the console."""
    session.debugger.run_to(address_of(build, "roottask_create"))  # all CPUs are up
    cpu = session.debugger.run_to(address_of(build, "uart_write"))
    command = mca_test.mce(cpu, 8, mca_test.CORRUPT)
    session.monitor.run("human-monitor-command", **{"command-line": command})
    session.debugger.resume()
    session.wait_for(f"{re.escape(mca_test.line(cpu, 8, 'uncorrected, context corrupt', mca_test.CORRUPT, '0', '0'))}"
                     f"(.*\n)*.*PANIC: machine check on CPU {cpu}")
    return []


def hit_end_of_nmi(session, build):
    """The handler of an NMI that sets no hazard is left; the user code that it goes back to makes no hypercall."""
    program, kernel = elf.Symbols(build / VICTIM), elf.Symbols(build / "hypervisor")
    session.debugger.run_to(program.address("unmap_now"))
    cpu = session.debugger.run_to(kernel.address("entry_return") - IRET)  # the handler's last instruction is before it
    if session.debugger.read(session.debugger.register(debugger.RSP) + CS, 1)[0] & 3 != 3:
        return ["the NMI has not hit the victim"]
    report = hit(session, cpu, 1, nmi=False)
    session.debugger.resume()
    session.wait_for(re.escape(report))
    return []


def check(args, session):
    if args.kind == "console":
        return stop_in_console(session, args.build)
    if args.kind == "end_of_nmi":
        return hit_end_of_nmi(session, args.build)
    session.debugger.run_to(address_of(args.build, SILENT))
    reports = []
    for number, (place, (symbol, offset)) in enumerate(PLACES.items(), 1):
        try:
            cpu = session.debugger.run_to(address_of(args.build, symbol) + offset) if symbol else SLEEPER
            reports.append(hit(session, cpu, number))
        except debugger.ERRORS as error:
            return [f"{place}: {error}"]
    session.debugger.resume()
    for report in reports:
        session.wait_for(re.escape(report))
    session.wait_for("^TEST-END")
    complaints = guest.judge_tests(session.serial())
    seen = session.serial().count("machine check: CPU")
    if seen != len(PLACES):
        complaints.append(f"{seen} reports of {len(PLACES)}")
    if "NMI from outside" not in session.serial():
        complaints.append("no NMI is mentioned")
    return complaints


def main():
    parser = debugger.parser(__doc__)
    parser.add_argument("--kind", choices=("survived", "console", "end_of_nmi"), required=True)
    args = parser.parse_args()
    program, words = PROGRAM, f"effort=200 test=prepare,{SILENT}"
    if args.kind == "end_of_nmi":
        program, words = VICTIM, "test=flushed"
    debugger.judged(args, check, program, words=words, cpus=2, cmdline="serial nomwait heap=8M")


if __name__ == "__main__":
    main()
