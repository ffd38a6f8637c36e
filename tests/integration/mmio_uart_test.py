#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
A serial line whose registers are in memory, which QEMU has on no PC: a piece of the screen's memory that nobody shows stands in for
the UART, and a debugger for what the chip does when it is written to. Kernel and roottask have to find it, and the kernel's
mappings of it have to be uncached.
"""

import re

import debugger
import elf
import machine
import memtype_test

BASE, STRIDE = 0xFD800000, 4  # in the upper half of the 16 MiB that a PC of QEMU has from 0xfd000000 on
DEVICE_AREA = 0xFFFFFFFFE0000000  # kernel/mm/layout.h; the line is the first device there
# Who sees the registers where: the kernel in the boot loader's tables, the kernel in its own, the runtime.
BOOT, KERNEL, PROGRAM = BASE, DEVICE_AREA, memtype_test.RT_PHYS + BASE
DATA, FIFO_CONTROL, LINE_CONTROL, LINE_STATUS = 0, 2, 3, 5
HAS_FIFO, EMPTY, LATCH = 0xC1, 0x60, 0x80
STOPS_MAX = 20000
LAST = "memory .* type -1"  # of the lines of hello: the kernel's own memory


def watch(session, view):
    """Stops after each write to the two registers of which writing is more than keeping."""
    for reg in (DATA, FIFO_CONTROL):
        session.debugger.write(f"Z2,{view + reg * STRIDE:x},{STRIDE}")


def put(session, view, reg, value):
    session.debugger.fill(view + reg * STRIDE, value.to_bytes(STRIDE, "little"))


def get(session, view, reg):
    return int.from_bytes(session.debugger.read(view + reg * STRIDE, STRIDE), "little")


def uncached(session, view):
    """Whether the CPU, which is using this view, has it as uncached."""
    root = int(re.search(r"CR3=([0-9a-f]+)", session.registers()[0])[1], 16)
    leaf, _ = memtype_test.entry(session, root, view)
    return leaf is not None and leaf & memtype_test.PWT_PCD == memtype_test.PWT_PCD


class Uart:
    """What came out of it, by view."""

    MARK = 0x100  # in the data register: what was written has been taken

    def __init__(self, session):
        self.session, self.said, self.complaints = session, {BOOT: "", KERNEL: "", PROGRAM: ""}, []

    def text(self):
        return "".join(self.said.values()).replace("\r", "")

    def write(self, view):
        """The CPU has stopped behind a write of one of the two registers, seen from there."""
        value = get(self.session, view, DATA)
        put(self.session, view, FIFO_CONTROL, HAS_FIFO)
        if value == self.MARK or get(self.session, view, LINE_CONTROL) & LATCH:
            return
        if not self.said[view] and view != PROGRAM and not uncached(self.session, view):
            self.complaints.append(f"the mapping at {view:#x} is cached")
        self.said[view] += chr(value & 0x7F)
        put(self.session, view, DATA, self.MARK)


def check(args, session):
    session.debugger.run_to(elf.Symbols(args.build / "hypervisor").address("boot_main"))
    put(session, BOOT, LINE_STATUS, EMPTY)
    put(session, BOOT, DATA, Uart.MARK)
    for view in (BOOT, KERNEL, PROGRAM):
        watch(session, view)
    uart = Uart(session)
    for _ in range(STOPS_MAX):
        stop = re.search(r"watch:([0-9a-f]+);", session.debugger.ask("c"))
        if not stop:
            raise machine.MachineError("the machine has stopped for another reason")
        address = int(stop[1], 16)
        uart.write(next(view for view in uart.said if 0 <= address - view < 8 * STRIDE))
        if re.search(LAST, uart.said[PROGRAM]):
            break
    wanted = {BOOT: "^Hedron Hypervisor .*", KERNEL: "^boot CPU is 0", PROGRAM: "^Hello from the roottask"}
    complaints = uart.complaints + [f"/{pattern}/ did not come over {view:#x}" for view, pattern in wanted.items()
                                    if not re.search(pattern, uart.said[view], re.MULTILINE)]
    if f"serial: registers at {BASE:#x} (command line), 115200 baud" not in uart.text():
        complaints.append("the kernel does not say where its line is")
    return complaints + ([f"all that came:\n{uart.text()}"] if complaints else [])


if __name__ == "__main__":
    debugger.judged(debugger.parser(__doc__).parse_args(), check, "hello.elf", line="none",
                    cmdline=f"novga serial=mmio:{BASE:#x},115200,stride={STRIDE},clock=48000000")
