#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Double faults, which no program can cause: through QEMU's stub for debuggers a CPU's kernel stack is moved into the pages
that guard it, or the gates of its exceptions are taken away. The report has to come out, on the stack that #DF has for
itself, and all CPUs have to stop. And an NMI while the kernel starts, which does no harm.
"""

import re
import time

import debugger
import elf

CPUS = 2
VICTIM = 1  # number of the CPU it happens to
CPU_AREA, CPU_AREA_SIZE = 0xFFFFFFFFC0000000, 0x10000  # kernel/mm/layout.h
STACK_BASE = 0x4000
NMI_STACK, DF_STACK = range(0x8000, 0x9000), range(0xA000, 0xB000)
GATE_SIZE, GATES = 16, (10, 11, 12, 13, 14)
PATIENCE = 20  # seconds until all have stopped
SETTLE = 0.3  # seconds in which nothing may happen any more

REPORT = {
    "stack": (f"trap 8 \\(double fault\\) in kernel mode, error 0, cr2 {CPU_AREA + VICTIM * CPU_AREA_SIZE + STACK_BASE - 8:#x}",
              f"the kernel stack of CPU {VICTIM} is full", f"PANIC: double fault on CPU {VICTIM}$"),
    "gates": ("trap 8 \\(double fault\\) in (user|kernel) mode, error 0", "PANIC: double fault on CPU \\d$"),
}


def run_to_start(session, build):
    """The victim has just come up; the boot CPU, on its boot tables, waits for it."""
    if session.debugger.run_to(elf.Symbols(build / "hypervisor").address("suspend_wake")) != VICTIM:
        raise debugger.machine.MachineError("another CPU came up")


def break_stack(session, build):
    """The kernel's next push, and that of the page fault it causes, go where no memory is."""
    run_to_start(session, build)
    session.debugger.set_register(debugger.RSP, CPU_AREA + VICTIM * CPU_AREA_SIZE + STACK_BASE)


def break_gates(session, _):
    """When user code runs: no exception has a handler but #DF, which comes when the one for the first cannot be called."""
    session.debugger.resume()
    session.wait_for("^boot CPU is")
    session.debugger.interrupt()
    idt = int(re.search(r"IDT= *([0-9a-f]+)", session.registers()[0])[1], 16)
    for vector in GATES:
        session.debugger.fill(idt + vector * GATE_SIZE, bytes(GATE_SIZE))


def wait_for_halt(session):
    """All have halted; a busy host may take its time."""
    patience = debugger.machine.Patience(session.process, PATIENCE)
    while not all("HLT=1" in text for text in session.registers()):
        if patience.over():
            raise debugger.machine.MachineError("not all CPUs have stopped")
        time.sleep(0.05)


def judge_cpus(session):
    """The one that reports is on the stack of #DF; the others, too, if it happened to them a moment later, or on that of NMIs."""
    reporter = int(re.search(r"double fault on CPU (\d)", session.serial())[1])
    for number, text in enumerate(session.registers()):
        rsp = int(re.search(r"RSP=([0-9a-f]+)", text)[1], 16) - CPU_AREA - number * CPU_AREA_SIZE
        if rsp not in DF_STACK and (number == reporter or rsp not in NMI_STACK):
            yield f"CPU {number} has its stack pointer at {rsp:#x} of its area"


def judge(kind, session):
    text = session.serial()
    complaints = [f"the report lacks /{part}/" for part in REPORT[kind] if not re.search(part, text, re.MULTILINE)]
    if len(re.findall("error: trap", text)) != 1:
        complaints.append("there is not one report, but more")
    if not complaints:
        complaints += judge_cpus(session)
    time.sleep(SETTLE)
    return complaints + (["something goes on after the report"] if session.serial() != text else [])


def check(args, session):
    kind, build = args.kind, args.build
    if kind == "nmi":
        run_to_start(session, build)
        session.monitor.run("inject-nmi")
        session.debugger.resume()
        session.wait_for("NMI from outside on CPU 0")
        session.wait_for(f"{CPUS} of {CPUS} CPUs run(.*\n)*Hello from the roottask")
        return []
    {"stack": break_stack, "gates": break_gates}[kind](session, build)
    session.debugger.resume()
    session.wait_for("PANIC:.*\n")
    wait_for_halt(session)
    return judge(kind, session)


def main():
    parser = debugger.parser(__doc__)
    parser.add_argument("--kind", choices=(*REPORT, "nmi"), required=True)
    args = parser.parse_args()
    program = "smp_tlb.elf" if args.kind == "gates" else "hello.elf"
    debugger.judged(args, check, program, cpus=CPUS, cmdline="serial nomwait")


if __name__ == "__main__":
    main()
