#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Types of memory: a debugger stops guest_memory where it has mapped RAM, the screen, ROM and the local APIC, and then where
another PD has been given them, and looks at the page tables. Entries keep the type that the MTRRs say, for nested tables,
and leave the decision to the MTRRs themselves.
"""

import re

import debugger
import elf

RT_PHYS = 0x400000000000  # bench-guests/rt/rt.h
PRESENT, PS, PWT_PCD, PAT, PAT_LARGE = 1, 1 << 7, 3 << 3, 1 << 7, 1 << 12
ADDRESS = 0x000FFFFFFFFFF000
TYPE_SHIFT = 52  # kernel/mm/ptab.h
UC, WP, WB = 0, 5, 6  # SDM vol. 3, 12.11
# What SeaBIOS says about them, and whether a superpage is expected.
PLACES = {0x8000000: (WB, True), 0xB8000: (UC, False), 0xF0000: (WP, False), 0xFEE00000: (UC, False)}


def entry(session, root, address):
    """The leaf that maps an address, and its level; None if there is none."""
    table = root & ADDRESS
    for level in (3, 2, 1, 0):
        at = table + 8 * (address >> (12 + 9 * level) & 511)
        value = int.from_bytes(session.physical(at, 8), "little")
        if not value & PRESENT:
            return None, level
        if not level or value & PS:
            return value, level
        table = value & ADDRESS
    return None, 0


def judge(session, where):
    root = int(re.search(r"CR3=([0-9a-f]+)", session.registers()[0])[1], 16)
    for address, (kind, large) in PLACES.items():
        value, level = entry(session, root, RT_PHYS + address)
        name = f"{where}: {address:#x}"
        if value is None:
            yield f"{name} is not mapped"
            continue
        if bool(level) != large:
            yield f"{name} has a leaf of level {level}"
        if value & ADDRESS & ~(PAT_LARGE if level else 0) != address:
            yield f"{name} is another page: {value:#x}"
        if value >> TYPE_SHIFT & 7 != kind:
            yield f"{name} has type {value >> TYPE_SHIFT & 7} instead of {kind}"
        if value & (PWT_PCD | (PAT_LARGE if level else PAT)):
            yield f"{name} does not leave the type to the MTRRs: {value:#x}"


def check(args, session):
    mark = elf.Symbols(args.build / "guest_memory.elf").address("memory_mark")
    complaints, roots = [], set()
    for where in ("the roottask", "the other PD"):
        session.debugger.run_to(mark)
        complaints += judge(session, where)
        roots.add(re.search(r"CR3=([0-9a-f]+)", session.registers()[0])[1])
        session.debugger.step()
    if len(roots) != 2:
        complaints.append("it was the same PD twice")
    session.debugger.resume()
    session.wait_for("^TEST-END 1 0 0")
    return complaints


if __name__ == "__main__":
    debugger.judged(debugger.parser(__doc__).parse_args(), check, "guest_memory.elf", "test=types")
