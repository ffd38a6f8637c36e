#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
A CPU that does not start is left off, and the others run: one whose identifier the local APIC cannot name, and one that does
not answer. A debugger changes the identifier on the way.
"""

import debugger
import elf

CPUS = 3
FAR, NOBODY = 300, 77  # APIC identifiers
TRIES = 5  # kernel/arch/x86_64/boot/smp.c
WANTED = {
    "far": ["smp: CPU 1: APIC ID 1 needs x2APIC mode, left off"],
    "absent": ["smp: CPU 1 \\(APIC ID 1\\) does not start, left off"],
}


def redirect(session, symbols, kind):
    """Of CPU 1: the question whether it can be reached, or each attempt to start it, beside those to start another."""
    place, identifier, times = ("lapic_can_reach", FAR, 1) if kind == "far" else ("lapic_send_startup", NOBODY, TRIES)
    while times:
        session.debugger.run_to(symbols.address(place))
        if session.debugger.register(debugger.RDI) == 1:
            session.debugger.set_register(debugger.RDI, identifier)
            times -= 1
        session.debugger.step()


def check(args, session):
    redirect(session, elf.Symbols(args.build / "hypervisor"), args.kind)
    session.debugger.resume()
    for pattern in [*WANTED[args.kind], f"^{CPUS - 1} of {CPUS} CPUs run", f"Hello from the roottask: .* {CPUS - 1} CPU"]:
        session.wait_for(pattern)
    return []


if __name__ == "__main__":
    arguments = debugger.parser(__doc__)
    arguments.add_argument("--kind", choices=WANTED.keys(), required=True)
    debugger.judged(arguments.parse_args(), check, "hello.elf", cpus=CPUS, cmdline="serial nomwait")
