# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine in QEMU that is stopped and looked into from outside, by its monitor and by its stub for debuggers."""

import argparse
import contextlib
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import guest  # noqa: F401 (first: it finds machine)
import elf
import machine
import stub
from monitor import Monitor

RSP, RDI = 7, 5  # numbers of registers in the protocol
PAGE = 4096
STEP_TRIES = 20
ERRORS = (machine.MachineError, OSError, stub.Closed, stub.path.TraceError, elf.ElfError, subprocess.TimeoutExpired)


class Debugger(stub.Stub):
    """What measuring does not need: writing, and letting the machine run."""

    def write(self, request):
        if self.ask(request) != "OK":
            raise machine.MachineError(f"QEMU refuses {request[:20]}")

    def register(self, number):
        return int.from_bytes(bytes.fromhex(self.ask(f"p{number:x}")), "little")

    def set_register(self, number, value):
        self.write(f"P{number:x}={value.to_bytes(8, 'little').hex()}")

    def fill(self, address, data):
        for at in range(0, len(data), 1024):
            part = data[at:at + 1024]
            self.write(f"M{address + at:x},{len(part):x}:{part.hex()}")

    def ask_all(self, *requests):
        """Several requests in one go, of which none lets the machine run; their answers. Waiting for each would take its time."""
        packets = (request.encode() for request in requests)
        self.socket.sendall(b"".join(b"$%s#%02x" % (packet, sum(packet) % 256) for packet in packets))
        return [self.answer() for _ in requests]

    def run_to(self, address):
        """Until any CPU is there; which one, from 0."""
        self.breakpoint(address)
        where = self.ask("c")
        self.write(f"z0,{address:x},1")
        return int(re.search(r"thread:([0-9a-f]+)", where)[1], 16) - 1

    def step(self):
        """One instruction. Rarely QEMU stops before it has executed it."""
        start = self.address()
        for _ in range(STEP_TRIES):
            super().step()
            if self.address() != start:
                return
        raise machine.MachineError(f"the CPU does not leave {start:#x}")

    def resume(self, how="c"):
        """There is no answer until the machine stops."""
        self.socket.sendall(b"$%s#%02x" % (how.encode(), sum(how.encode()) % 256))

    def interrupt(self):
        self.socket.sendall(b"\3")
        self.answer()


class Session:
    """A running machine, stopped before its first instruction."""

    def __init__(self, process, folder, timeout):
        self.process, self.folder, self.timeout = process, folder, timeout
        self.debugger = Debugger(folder / "gdb", timeout, lambda: process.poll() is None)
        self.monitor = Monitor(folder / "qmp", process)

    def serial(self):
        return machine.text_of(self.folder / "serial")

    def wait_for(self, pattern):
        patience = machine.Patience(self.process, self.timeout)
        while not re.search(pattern, self.serial(), re.MULTILINE):
            if self.process.poll() is not None or patience.over():
                raise machine.MachineError(f"nothing on the serial line matches /{pattern}/")
            time.sleep(0.05)

    def registers(self):
        """Of each CPU, as text."""
        text = self.monitor.run("human-monitor-command", **{"command-line": "info registers -a"})
        return re.split(r"^\s*CPU#\d+", text, flags=re.MULTILINE)[1:]

    def physical(self, address, size):
        """Bytes of memory by physical address."""
        name = self.folder / "dump"
        self.monitor.run("pmemsave", val=address, size=size, filename=str(name))
        return name.read_bytes()


@contextlib.contextmanager
def session(folder, timeout, **what):
    """Starts the machine that `what` describes (machine.Machine); it ends with the block."""
    vm = machine.Machine(gdb=str(folder / "gdb"), exit_device=False, **what)
    command = machine.qemu_command(vm, folder / "serial", folder / "qmp", folder)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd=folder) as process:
        try:
            yield Session(process, folder, timeout)
        finally:
            process.kill()


def parser(text):
    """For what all tests are told: where the build is, how long to wait."""
    result = argparse.ArgumentParser(description=text)
    result.add_argument("--build", type=lambda path: pathlib.Path(path).resolve(), required=True)
    result.add_argument("--timeout", type=float, default=120)
    return result


def judged(args, check, program=None, words="", **what):
    """
    Boots a roottask, or what the machine that `what` describes has, and runs check(args, session), which returns complaints; shows
    them and exits, or says that all is well.
    """
    if program:
        what.update(kernel=str(args.build / "hypervisor.elf32"), modules=[(str(args.build / program), words)])
    with tempfile.TemporaryDirectory(prefix="hedron-debug.") as name:
        folder = pathlib.Path(name)
        try:
            with session(folder, args.timeout, **what) as running:
                complaints = check(args, running)
        except ERRORS as error:
            complaints = [f"{type(error).__name__}: {error}"]
        serial = machine.text_of(folder / "serial")
    if complaints:
        print(f"--- serial line ---\n{serial}\n---")
        sys.exit("\n".join(f"FAIL: {complaint}" for complaint in complaints))
    print("PASS")
