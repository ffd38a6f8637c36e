#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
The page tables of the start map all low memory, for writing and executing. When the kernel looks at the first program, which
anybody may have made, they are no longer in use: not while its file is read, and not while its pages are copied.
"""

import debugger
import elf

LOW = 0x100000  # RAM of a PC, which none of the kernel's own tables map
PLACES = ("roottask_create", "elf_parse", "phys_read")


def check(args, session):
    symbols = elf.Symbols(args.build / "hypervisor")
    for place in PLACES:
        session.debugger.run_to(symbols.address(place))
        if not session.debugger.ask(f"m{LOW:x},8").startswith("E"):
            return [f"{place}: {LOW:#x} is mapped, so the tables of the start are in use"]
    session.debugger.resume()
    session.wait_for("^Hello from the roottask")
    return []


if __name__ == "__main__":
    debugger.judged(debugger.parser(__doc__).parse_args(), check, "hello.elf", cmdline="serial nomwait")
