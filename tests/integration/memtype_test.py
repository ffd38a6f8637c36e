#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Types of memory: a debugger stops guest_memory where it has mapped RAM, the screen, ROM and the local APIC, for itself and for
guests, and where another PD has been given them, and looks at the page tables. Host entries leave the type to the MTRRs and
only remember it; in nested tables it is the type that counts, unless they are AMD's, which have the format of the host's.
"""

import re

import debugger
import elf

RT_PHYS = 0x400000000000  # bench-guests/rt/map.h
COPIES = 0x10000000000  # tests/guest/memory_source.c
HEAP_MAP = 0xFFFFC00000000000  # kernel/mm/layout.h
PRESENT, PS, PWT_PCD, PAT, PAT_LARGE = 1, 1 << 7, 3 << 3, 1 << 7, 1 << 12
ADDRESS = 0x000FFFFFFFFFF000
TYPE_SHIFT = 52  # kernel/mm/ptab.h
NESTED_TYPE_SHIFT, NESTED_IGNORE_PAT = 3, 1 << 6  # SDM vol. 3, 29.3.2
UC, WP, WB = 0, 5, 6  # SDM vol. 3, 12.11
# What SeaBIOS says about them, and whether a superpage is expected.
PLACES = {0x8000000: (WB, True), 0xA0000: (UC, False), 0xF0000: (WP, False), 0xFEE00000: (UC, False)}


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


def judge_leaf(value, level, address, large):
    """What is true of leaves in both kinds of tables."""
    if value is None:
        return ["is not mapped"]
    complaints = [f"has a leaf of level {level}"] if bool(level) != large else []
    return complaints + ([f"is another page: {value:#x}"] if value & ADDRESS & ~(PAT_LARGE if level else 0) != address else [])


def judge_host(value, level, kind):
    if value >> TYPE_SHIFT & 7 != kind:
        yield f"remembers type {value >> TYPE_SHIFT & 7} instead of {kind}"
    if value & (PWT_PCD | (PAT_LARGE if level else PAT)):
        yield f"does not leave the type to the MTRRs: {value:#x}"


def judge_nested(value, _, kind):
    if value >> NESTED_TYPE_SHIFT & 7 != kind or value & NESTED_IGNORE_PAT:
        yield f"has type {value >> NESTED_TYPE_SHIFT & 7} instead of {kind}: {value:#x}"


def judge(session, where, root, base, judge_type):
    for address, (kind, large) in PLACES.items():
        value, level = entry(session, root, base + address)
        found = judge_leaf(value, level, address, large)
        for text in found or judge_type(value, level, kind):
            yield f"{where}: {address:#x} {text}"


def host_root(session):
    return int(re.search(r"CR3=([0-9a-f]+)", session.registers()[0])[1], 16)


def nested_root(session, symbols):
    """The first change of a nested table is about to be made; its root comes with it."""
    session.debugger.step()
    session.debugger.run_to(symbols.address("ptab_map"))
    table = session.debugger.register(debugger.RDI)
    return lambda: int.from_bytes(session.debugger.read(table, 8), "little") - HEAP_MAP


def check(args, session):
    mark = elf.Symbols(args.build / "guest_memory.elf").address("memory_mark")
    session.debugger.run_to(mark)
    root = host_root(session)
    complaints = list(judge(session, "the roottask", root, RT_PHYS, judge_host))
    nested = nested_root(session, elf.Symbols(args.build / "hypervisor"))
    session.debugger.run_to(mark)
    judge_guest = judge_host if args.svm else judge_nested
    complaints += judge(session, "its guests", nested(), 0, judge_guest)
    complaints += judge(session, "its guests, copied", nested(), COPIES, judge_guest)
    session.debugger.step()
    session.debugger.run_to(mark)
    if host_root(session) == root:
        complaints.append("it was the same PD twice")
    complaints += judge(session, "the other PD", host_root(session), RT_PHYS, judge_host)
    session.debugger.resume()
    session.wait_for("^TEST-END 1 0 0")
    return complaints


if __name__ == "__main__":
    parser = debugger.parser(__doc__)
    parser.add_argument("--svm", action="store_true", help="nested tables are AMD's; else they are Intel's")
    arguments = parser.parse_args()
    debugger.judged(arguments, check, "guest_memory.elf", "test=types", cpu="max" if arguments.svm else "max,svm=off")
