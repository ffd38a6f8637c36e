#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
What firmware or an earlier kernel leaves in registers is gone once a CPU is set up: breakpoints, TSC_AUX, protection keys of
supervisor pages (PKRS). A debugger has each CPU write these registers when it reaches C code and read them when it is set up, by
replacing the next instruction for a moment.
"""

import re

import debugger
import elf

CPUS = 2
RAX, RCX, RDX, RIP = 0, 2, 3, 16  # numbers of registers in the protocol
WRITE_DR7, WRMSR, RDMSR = b"\x0f\x23\xf8", b"\x0f\x30", b"\x0f\x32"
DR7_LEFT, DR7_RESET = 0x455, 0x400  # breakpoints 0, 1, 2 and 3 in programs
MSRS = {0xC0000103: ("TSC_AUX", 0x1234567), 0x6E1: ("PKRS", 0x55555554)}
# Of each CPU: where it begins with C, and where it is ready.
PLACES = {0: ("boot_main", "smp_start"), 1: ("ap_main", "suspend_wake")}


def execute(session, code, registers):
    """One instruction; memory and registers are as before. What RDX:RAX was then."""
    stub = session.debugger
    at = stub.register(RIP)
    before = {number: stub.register(number) for number in (RAX, RCX, RDX, RIP)}
    memory = bytes(stub.read(at, len(code)))
    stub.fill(at, code)
    for number, value in registers.items():
        stub.set_register(number, value)
    stub.step()
    result = stub.register(RDX) << 32 | stub.register(RAX) & 0xFFFFFFFF
    stub.fill(at, memory)
    for number, value in before.items():
        stub.set_register(number, value)
    return result


def dr7(session, cpu):
    return int(re.search(r"DR7=([0-9a-f]+)", session.registers()[cpu])[1], 16)


def leave(session, cpu):
    """Complaints if the emulator does not keep what is written: the test would prove nothing."""
    execute(session, WRITE_DR7, {RAX: DR7_LEFT})
    kept = dr7(session, cpu) == DR7_LEFT
    for msr, (_, value) in MSRS.items():
        execute(session, WRMSR, {RCX: msr, RAX: value, RDX: 0})
        kept &= execute(session, RDMSR, {RCX: msr}) == value
    return [] if kept else [f"CPU {cpu} does not keep what is left in its registers"]


def judge(session, cpu):
    if dr7(session, cpu) != DR7_RESET:
        yield f"CPU {cpu} has {dr7(session, cpu):#x} in DR7"
    for msr, (name, _) in MSRS.items():
        value = execute(session, RDMSR, {RCX: msr})
        if value:
            yield f"CPU {cpu} has {value:#x} in {name}"


def check(args, session):
    symbols = elf.Symbols(args.build / "hypervisor")
    complaints = []
    for cpu, (begin, ready) in PLACES.items():
        if session.debugger.run_to(symbols.address(begin)) != cpu:
            return [f"another CPU than {cpu} is in {begin}()"]
        complaints += leave(session, cpu)
        session.debugger.run_to(symbols.address(ready))
        complaints += judge(session, cpu)
    session.debugger.resume()
    session.wait_for(f"^{CPUS} of {CPUS} CPUs run(.*\n)*Hello from the roottask")
    return complaints


if __name__ == "__main__":
    debugger.judged(debugger.parser(__doc__).parse_args(), check, "hello.elf", cpus=CPUS, cmdline="serial nomwait")
