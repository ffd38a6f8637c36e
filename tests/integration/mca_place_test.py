#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
A machine check of no importance at the most delicate places: CPUs are stopped there by QEMU's stub for debuggers, and go on with a
machine check and an NMI pending. Nobody may notice, and both are reported. And one of importance while the console is in use.
"""

import os
import signal
import subprocess
import sys
import re

import debugger
import elf
import guest
import mca_test

SYSRET, IRET = 3, 2  # lengths
# Where: a symbol, and how far from it. At the ends of windows the stack pointer is the user's, or what IRET takes is there.
# Sleep comes first, while the other CPU has nothing to do yet.
PLACES = {"sleep": ("window_idle", 0),
          "the first instruction of a system call": ("entry_syscall_stubs", 0),
          "the handler of NMIs": ("nmi_handle", 0),
          "a hypercall": ("syscall_dispatch", 0),
          "the return from one": ("window_syscall_end", -SYSRET),
          "the return from a call": ("window_call_end", -SYSRET),
          "the return from a reply": ("window_ipc_end", -SYSRET),
          "the return from a short hypercall": ("short_window_end", -SYSRET),
          "the return from an interruption": ("window_trap_end", -IRET)}

def hit(session, address, number):
    cpu = session.debugger.run_to(address)
    command = mca_test.mce(cpu, 8, mca_test.OPTIONAL, addr=number << 12)
    session.monitor.run("human-monitor-command", **{"command-line": command})
    session.monitor.run("inject-nmi")
    session.debugger.resume()
    session.wait_for(re.escape(mca_test.line(cpu, 8, "uncorrected, action optional", mca_test.OPTIONAL, f"{number << 12:#x}")))
    session.debugger.interrupt()


def stop_in_console(session, symbols):
    """The report comes out although the CPU holds the lock of the console."""
    cpu = session.debugger.run_to(symbols.address("uart_write"))
    command = mca_test.mce(cpu, 8, mca_test.CORRUPT)
    session.monitor.run("human-monitor-command", **{"command-line": command})
    session.debugger.resume()
    session.wait_for(f"{re.escape(mca_test.line(cpu, 8, 'uncorrected, context corrupt', mca_test.CORRUPT, '0', '0'))}"
                     f"(.*\n)*.*PANIC: machine check on CPU {cpu}")
    return []


def check(args, session):
    symbols = elf.Symbols(args.build / "hypervisor")
    session.debugger.run_to(symbols.address("roottask_create"))  # all CPUs are up
    if args.kind == "console":
        return stop_in_console(session, symbols)
    for number, (place, (symbol, offset)) in enumerate(PLACES.items(), 1):
        try:
            hit(session, symbols.address(symbol) + offset, number)
        except debugger.ERRORS as error:
            return [f"{place}: {error}"]
    session.debugger.resume()
    session.wait_for("^TEST-END")
    complaints = guest.judge_tests(session.serial())
    reports = session.serial().count("machine check: CPU")
    if reports != len(PLACES):
        complaints.append(f"{reports} reports of {len(PLACES)}")
    if "NMI from outside" not in session.serial():
        complaints.append("no NMI is mentioned")
    return complaints


ATTEMPTS, PATIENCE = 4, 60


def attempt(words):
    """The exit code of one run in a process group of its own; None if it did not end (docs/caveats.md)."""
    with subprocess.Popen([sys.executable, __file__, *words, "--once"], start_new_session=True) as process:
        try:
            return process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return None


def main():
    parser = debugger.parser(__doc__)
    parser.add_argument("--kind", choices=("survived", "console"), required=True)
    parser.add_argument("--once", action="store_true", help="one run, however long it takes")
    args = parser.parse_args()
    if args.once:
        debugger.judged(args, check, "smp_stress.elf", words="effort=20", cpus=2, cmdline="serial nomwait heap=8M")
        return
    for number in range(ATTEMPTS):
        code = attempt(sys.argv[1:])
        if code is not None:
            sys.exit(code)
        print(f"attempt {number + 1} did not come to its end", flush=True)
    sys.exit("FAIL: no attempt came to its end")


if __name__ == "__main__":
    main()
