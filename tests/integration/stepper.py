# SPDX-License-Identifier: GPL-2.0-or-later
"""
A machine with two CPUs of which one runs at a time, so nothing depends on speed. The boot CPU is led along paths through the kernel
(tests/guest/step); the other CPU wakes threads of the boot CPU while that one is stopped between two instructions.
"""

import re
import time

import debugger
import elf
import restart_ranges

BOOT, OTHER = 1, 2  # the stub's numbers of the CPUs
RAX, RIP = 0, 16  # numbers of registers
FIRST, SECOND = 0, 1  # sleepers of step.c; the second is the most important
CPU_AREA, KERNEL_HALF = 0xFFFFFFFFC0000000, 1 << 63  # kernel/mm/layout.h
STUB_SIZE, VECTOR_NMI = 16, 2  # kernel/arch/x86_64/entry/frame.h
STEP_TRIES = 1000  # as long as a repeated string instruction takes
HLT, MWAIT, RET = b"\xf4", b"\x0f\x01\xc9", b"\xc3"

# In the order of step.c. Whoever has been ready since the start gets out of the way when the victim sleeps.
WAYS = ("user", "sleep", "null", "semaphore", "identifier", "wake", "yield", "call", "call_far", "exception", "page_fault", "port",
        "single_step", "object")


class Stepper:
    """Both CPUs begin and end each round where step.c waits for orders."""

    def __init__(self, args, session):
        self.session, self.stub = session, session.debugger
        self.image = args.build / "hypervisor"
        self.kernel, self.program = elf.Symbols(self.image), elf.Symbols(args.build / "step.elf")
        self.labels = restart_ranges.labels(self.image)
        self.offsets = (args.build / "kernel" / "asm_offsets.h").read_text()
        self.nmi = self.labels["entry_trap_stubs"] + VECTOR_NMI * STUB_SIZE
        self.chosen, self.waker, *self.sleepers = map(
            self.program.address, ("step_chosen", "step_waker_at", "step_first_at", "step_second_at"))
        self.halt = next(filter(self.halts_at, restart_ranges.instructions(self.image, "restart_idle")))
        self.stub.breakpoint(self.waker)
        self.stub.go()
        self.stub.write(f"z0,{self.waker:x},1")
        self.select(BOOT)
        self.run(self.chosen)

    # --- one CPU at a time ---

    def select(self, cpu):
        """Whose registers and memory."""
        self.stub.write(f"Hg{cpu}")

    def where(self):
        return self.stub.address()

    def where_is(self, cpu, *requests):
        """It is the selected one then. The requests come first."""
        return int.from_bytes(bytes.fromhex(self.stub.ask_all(*requests, f"Hg{cpu}", f"p{RIP:x}")[-1]), "little")

    def step(self, cpu=BOOT):
        """One instruction, without interrupts; where it has led. Rarely QEMU stops before it has executed one."""
        start = self.where_is(cpu)
        for _ in range(STEP_TRIES):
            self.stub.move(f"vCont;s:{cpu}")
            if (at := self.where_is(cpu)) != start:
                return at
        raise debugger.machine.MachineError(f"CPU {cpu} does not leave {self.name(start)}")

    def run(self, *stops, cpu=BOOT):
        """Until the CPU is at one of these addresses; at which."""
        refused = set(self.stub.ask_all(*(f"Z0,{address:x},1" for address in stops))) - {"OK"}
        if refused:
            raise debugger.machine.MachineError(f"QEMU refuses a breakpoint: {refused}")
        self.stub.move(f"vCont;c:{cpu}")
        return self.where_is(cpu, *(f"z0,{address:x},1" for address in stops))

    def fall_asleep(self, patience=60):
        """The boot CPU runs until it halts."""
        self.stub.resume(f"vCont;c:{BOOT}")
        patience = debugger.machine.Patience(self.session.process, patience)
        while "HLT=1" not in self.session.registers()[0]:
            if patience.over():
                raise debugger.machine.MachineError("the boot CPU does not halt")
            time.sleep(0.05)
        self.stub.interrupt()
        self.select(BOOT)

    # --- what happens ---

    def wake(self, sleeper):
        """The other CPU wakes somebody of the boot CPU, which stands still."""
        self.select(OTHER)
        self.stub.set_register(RAX, sleeper)
        self.step(OTHER)
        self.run(self.waker, cpu=OTHER)
        self.select(BOOT)

    def inject(self):
        """An NMI that no CPU has sent, for both."""
        self.session.monitor.run("inject-nmi")

    def choose(self, way):
        """
        The first step on a way. A port is refused while the kernel believes that TR is short, as it is after a VM exit, so it tries
        again.
        """
        self.stub.set_register(RAX, WAYS.index(way))
        if way == "port":
            self.stub.fill(self.of_cpu("CPU_TR_SHORT"), b"\1")
        self.step()

    def blunt(self, on):
        """Disables the kernel's redirection of interrupted exits (the test must then fail), or restores it."""
        at = self.labels["redirect_frame"]
        self.stub.fill(at, RET if on else self.kernel.code(at, 1))

    # --- what is there ---

    def of_cpu(self, field):
        """Where a field of the boot CPU's struct cpu is."""
        return CPU_AREA + int(re.search(rf"#define {field} (\d+)", self.offsets)[1])

    def interrupted(self):
        """At the first instruction of the NMI handler: what it has interrupted."""
        return int.from_bytes(self.stub.read(self.stub.register(debugger.RSP), 8), "little")

    def hazard(self):
        return int.from_bytes(self.stub.read(self.of_cpu("CPU_HAZARD"), 4), "little")

    def halts_at(self, address):
        return address >= KERNEL_HALF and self.kernel.code(address, len(HLT)) == HLT

    def sleeps_at(self, address):
        return self.halts_at(address) or address >= KERNEL_HALF and self.kernel.code(address, len(MWAIT)) == MWAIT

    def name(self, address):
        """For people."""
        symbols = self.kernel if address >= KERNEL_HALF else self.program
        found = symbols.at(address)
        return f"{found}+{address - symbols.address(found):#x}" if found else f"{address:#x}"
