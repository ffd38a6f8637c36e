#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
The page below 1 MiB in which other CPUs begin belongs to user land: a pattern that a debugger writes there before they are
started is there again afterwards. In between the kernel's code was there, and the CPUs run.
"""

import debugger
import elf

CPUS = 4
PATTERN = bytes((13 * n + n // 256) % 256 for n in range(debugger.PAGE))


def check(args, session):
    symbols = elf.Symbols(args.build / "hypervisor")
    session.debugger.run_to(symbols.address("trampoline_put"))
    page = session.debugger.register(debugger.RDI)
    session.debugger.fill(page, PATTERN)
    session.debugger.run_to(symbols.address("trampoline_remove"))
    between = session.physical(page, debugger.PAGE)
    session.debugger.resume()
    session.wait_for("Hello from the roottask")
    complaints = []
    if not 0 < page < 0xA0000 or page % debugger.PAGE:
        complaints.append(f"the page at {page:#x} is not one of low memory")
    if between == PATTERN:
        complaints.append("the pattern was never overwritten: that is not where CPUs began")
    if session.physical(page, debugger.PAGE) != PATTERN:
        complaints.append("the page has not become what it was")
    if f"{CPUS} of {CPUS} CPUs run" not in session.serial():
        complaints.append("not all CPUs run")
    return complaints


if __name__ == "__main__":
    debugger.judged(debugger.parser(__doc__).parse_args(), check, "hello.elf", cpus=CPUS)
