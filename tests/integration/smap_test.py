#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
SMAP guards the kernel only while RFLAGS.AC is clear, and gates leave AC as user land had it. A debugger sets AC in a user program
right before an exception, a single step and an NMI, and looks at it where C begins; afterwards user land has it back.
"""

import re

import debugger
import elf

EFLAGS = 17  # number of the register in the protocol
TF, AC = 1 << 8, 1 << 18
CR4_SMAP = 1 << 21
# Where the program is stopped, the function that gets what comes then, and how it is provoked: a fault of the program's own, an
# NMI, a single step.
FAULTS, FOLLOWING = "regs_ud2_at", "regs_ud2_next"
WAYS = {
    "exception": (FAULTS, "exception_raise", lambda session: None),
    "nmi": (FOLLOWING, "nmi_handle", lambda session: session.monitor.run("inject-nmi")),
    "step": (FOLLOWING, "trap_own_stack", lambda session: add_flags(session, TF)),
}


def flags(session):
    return session.debugger.register(EFLAGS)


def add_flags(session, more):
    session.debugger.set_register(EFLAGS, flags(session) | more)


def judge_cpu(session):
    """Without SMAP the test would prove nothing."""
    cr4 = int(re.search(r"CR4=([0-9a-f]+)", session.registers()[0])[1], 16)
    return [] if cr4 & CR4_SMAP else ["SMAP is not on"]


def judge_way(session, kernel, program, name):
    at, place, provoke = WAYS[name]
    session.debugger.run_to(program.address(at))
    add_flags(session, AC)
    provoke(session)
    session.debugger.run_to(kernel.address(place))
    return [f"{name}: AC is set in {place}()"] if flags(session) & AC else []


def check(args, session):
    kernel, program = (elf.Symbols(args.build / name) for name in ("hypervisor", "guest_registers.elf"))
    complaints = judge_way(session, kernel, program, "exception")
    session.debugger.run_to(program.address(FOLLOWING))
    if not flags(session) & AC:
        complaints.append("after the exception user land has lost AC")
    complaints += judge_cpu(session)
    for name in ("nmi", "step"):
        session.debugger.run_to(program.address(FAULTS))
        complaints += judge_way(session, kernel, program, name)
    return complaints


if __name__ == "__main__":
    debugger.judged(debugger.parser(__doc__).parse_args(), check, "guest_registers.elf", "test=exceptions",
                    cmdline="serial nomwait")
