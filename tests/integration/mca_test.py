#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Machine checks, caused by QEMU's monitor: errors that were there before the kernel started; those that the kernel reports, ends
one thread for, or stops at.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import guest  # first: it finds image and machine
import machine
from monitor import Monitor

# MCi_STATUS; MCG_STATUS: in progress, and the interrupted code can be continued (1), is the one that met the error (2).
VALID, OVER, UC, EN, MISC, ADDR, PCC, S, AR = (1 << bit for bit in range(63, 54, -1))
CORRECTED = VALID | EN | MISC | ADDR | 0xC0
OPTIONAL = VALID | UC | EN | MISC | ADDR | S | 0xC0
CONSUMED = VALID | UC | EN | MISC | ADDR | S | AR | 0x134
CORRUPT = VALID | UC | EN | PCC
BYSTANDER, AFFECTED, HOPELESS = 5, 7, 4
PLACE, PHYSICAL = 0x10000000, 0x8C  # not the kernel's; the address is one of a page of physical memory


def mce(cpu, bank, status, mcg=BYSTANDER, addr=PLACE, flags=""):
    return f"mce {flags} {cpu} {bank} {status:#x} {mcg:#x} {addr:#x} {PHYSICAL:#x}"


def line(cpu, bank, what, status, addr=f"{PLACE:#x}", misc=f"{PHYSICAL:#x}", when=""):
    return f"machine check{when}: CPU {cpu}, bank {bank}: {what}: status {status:#x}, address {addr}, misc {misc}\n"


def killed(cpu):
    return rf"killed EC: it has used memory that lost its contents, at rip 0x[0-9a-f]+ on CPU {cpu}\n"


# What to do when a victim runs, and what the kernel has to say before the next is done.
VICTIM_CPU = {"called": 0, "thread": 1}
STEPS = {
    "called": [
        (mce(0, 3, CORRECTED, 0), []),  # causes no exception
        (mce(0, 9, OPTIONAL), [line(0, 3, "corrected", CORRECTED), line(0, 9, "uncorrected, action optional", OPTIONAL)]),
        (mce(0, 9, OPTIONAL, addr=PLACE + 1), [line(0, 9, "uncorrected, action optional", OPTIONAL, f"{PLACE + 1:#x}")]),
        # A broadcast to all CPUs of an error that asks for no action; the other CPU is idle.
        (mce(1, 8, OPTIONAL, flags="-b"), [line(1, 8, "uncorrected, action optional", OPTIONAL),
                                           line(0, 1, "uncorrected, not signalled", VALID | UC, "0", "0")]),
        (mce(0, 5, CONSUMED, AFFECTED), [line(0, 5, "uncorrected, consumed", CONSUMED), killed(0)]),
    ],
    # MCG_STATUS says that the code cannot be continued; its EC is killed anyway.
    "thread": [(mce(1, 5, CONSUMED, HOPELESS), [line(1, 5, "uncorrected, consumed", CONSUMED), killed(1)])],
}
LEFT_OVER = [(0, 2), (1, 6), (1, 9)]

# The end: what is done, and what else the report says. The victim of the test `called` runs on CPU 0, CPU 1 is idle.
FATAL = {
    "corrupt": (mce(0, 4, CORRUPT), [line(0, 4, "uncorrected, context corrupt", CORRUPT, "0", "0"), "CPU 0: MCG_STATUS 0x5",
                                     "in user mode"]),
    "lost": (mce(0, 4, CONSUMED | OVER, AFFECTED), [line(0, 4, "uncorrected, others lost", CONSUMED | OVER)]),
    "unknown": (mce(0, 4, CONSUMED + 1, AFFECTED), [line(0, 4, "uncorrected, unknown action required", CONSUMED + 1)]),
    "hopeless": (mce(0, 4, OPTIONAL, HOPELESS), [line(0, 4, "uncorrected, action optional", OPTIONAL), "CPU 0: MCG_STATUS 0x4"]),
    "kernel": (mce(1, 4, CONSUMED, AFFECTED), [line(1, 4, "uncorrected, consumed", CONSUMED), "in kernel mode"]),
    "heap": (None, ["uncorrected, consumed", "in user mode"]),
}


def wait_for(patterns, process, path, timeout, start=0):
    """Until all are on the serial line behind `start`."""
    patience = machine.Patience(process, timeout)
    while not all(re.search(pattern, machine.text_of(path)[start:], re.MULTILINE) for pattern in patterns):
        if process.poll() is not None or patience.over():
            raise machine.MachineError(f"not on the serial line: {patterns}")
        time.sleep(0.02)


class Scene:
    """A machine with a victim that can be told what to do."""

    def __init__(self, args, folder, victims):
        build = pathlib.Path(args.build).resolve()
        self.serial, self.timeout = folder / "serial", args.timeout
        vm = machine.Machine(kernel=str(build / "hypervisor.elf32"), cpus=2, cpu=args.cpu, cmdline="serial nomwait",
                             modules=[(str(build / "mca_victim.elf"), f"test={victims}")])
        command = machine.qemu_command(vm, self.serial, folder / "qmp", folder) + ["-S"]
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd=folder)
        try:
            self.monitor = Monitor(folder / "qmp", self.process)
        except BaseException:
            self.end()
            raise

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def say(self, command):
        return self.monitor.run("human-monitor-command", **{"command-line": command})

    def do(self, command):
        said = self.say(command)
        if said.strip():
            raise machine.MachineError(f"{command}: {said}")

    def text(self):
        return machine.text_of(self.serial)

    def wait(self, *patterns, start=0):
        wait_for(patterns, self.process, self.serial, self.timeout, start)

    def begin(self, victim):
        self.monitor.run("cont")
        self.wait(rf"^MCA {victim} \d")

    def back_in_user_mode(self, cpu):
        """A line of the kernel's may be seen before it has returned. The victim does not enter it by itself."""
        patience = machine.Patience(self.process, self.timeout)
        while "CPL=3" not in re.split(r"^\s*CPU#\d+", self.say("info registers -a"), flags=re.MULTILINE)[1 + cpu]:
            if patience.over():
                raise machine.MachineError(f"CPU {cpu} does not leave the kernel")
            time.sleep(0.02)


def survivors(scene):
    """All that the kernel lives through, and the roottask."""
    for cpu, bank in LEFT_OVER:
        scene.do(mce(cpu, bank, CORRECTED, 0))
    for name, steps in STEPS.items():
        scene.begin(name)
        for command, lines in steps:
            start = len(scene.text())
            scene.back_in_user_mode(VICTIM_CPU[name])
            scene.do(command)
            scene.wait(*lines, start=start)
    patience = machine.Patience(scene.process, scene.timeout)
    while scene.process.poll() is None and not patience.over():
        time.sleep(0.02)
    text = scene.text()
    complaints = guest.judge_tests(text)
    for cpu, bank in LEFT_OVER:
        if text.count(line(cpu, bank, "corrected", CORRECTED, when=" before the start")) != 1:
            complaints.append(f"what was left in bank {bank} of CPU {cpu} is not reported once")
    reports = len(LEFT_OVER) + sum(1 for steps in STEPS.values() for step in steps for said in step[1] if said[:7] == "machine")
    if text.count("machine check") != reports:
        complaints.append(f"{text.count('machine check')} reports instead of {reports}")
    return complaints


def fatal(scene, command, expected):
    scene.begin("called")
    if not command:
        heap = int(re.search(r"^heap at (0x[0-9a-f]+),", scene.text(), re.MULTILINE)[1], 16)
        command = mce(0, 4, CONSUMED, AFFECTED, heap + 0x3000)
    scene.back_in_user_mode(VICTIM_CPU["called"])
    scene.do(command)
    scene.wait("PANIC: machine check on CPU [01]")
    text = scene.text()
    return [f"the report has no {what}" for what in [*expected, "trap 18", "rip ", "rax "] if what not in text]


def run(args, kind):
    with tempfile.TemporaryDirectory(prefix="hedron-mca.") as name:
        scene = Scene(args, pathlib.Path(name), "called" if kind in FATAL else "called,thread")
        try:
            complaints = fatal(scene, *FATAL[kind]) if kind in FATAL else survivors(scene)
        except (machine.MachineError, OSError, subprocess.TimeoutExpired) as error:
            complaints = [str(error)]
        finally:
            scene.end()
        if complaints:
            print(f"--- {kind}, serial line ---\n{scene.text()}\n---")
    return [f"{kind}: {complaint}" for complaint in complaints]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--kind", choices=["survivors", *FATAL], nargs="+", required=True)
    parser.add_argument("--cpu", default="max")
    parser.add_argument("--timeout", type=float, default=60)
    args = parser.parse_args()
    complaints = [complaint for kind in args.kind for complaint in run(args, kind)]
    if complaints:
        sys.exit("\n".join(f"FAIL: {complaint}" for complaint in complaints))
    print("PASS")


if __name__ == "__main__":
    main()
