# SPDX-License-Identifier: GPL-2.0-or-later
"""
Traces from QEMU: through its stub for debuggers the machine runs to a breakpoint on bench_mark() and then instruction by
instruction to the next. Manual: GDB, appendix E (remote serial protocol).
"""

import re
import socket
import time

import path

RIP = 16  # number of the register
REGISTER = 8  # bytes of it
ERROR, BYTES = re.compile("E[0-9a-fA-F]{2}"), re.compile("(?:[0-9a-fA-F]{2})*")
LONGEST = 15  # bytes of an instruction
PAGE = 4096
PATIENCE = 120  # seconds for the socket to appear


class Closed(Exception):
    """The machine is gone."""


class Stub:
    """One connection. Numbers in requests are hexadecimal, as the protocol wants them."""

    def __init__(self, address, timeout, alive):
        self.socket = connect(address, alive)
        self.socket.settimeout(timeout)
        self.buffer = b""
        self.code = {}
        # QEMU answers requests for a single register only after the description of all of them was asked for.
        self.ask("qSupported:xmlRegisters=i386")
        self.ask("qXfer:features:read:target.xml:0,ffb")

    def kill(self):
        """Ends the machine, whatever it is doing; there is no answer."""
        try:
            self.socket.sendall(b"$k#6b")
        except OSError:
            pass

    def close(self):
        self.socket.close()

    def receive(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            data = b""
        except socket.timeout:
            raise path.TraceError("the machine does not reach the next mark") from None
        if not data:
            raise Closed
        self.buffer += data

    def ask(self, text):
        """Send a request; its answer."""
        data = text.encode()
        try:
            self.socket.sendall(b"$%s#%02x" % (data, sum(data) % 256))
        except ConnectionError:
            raise Closed from None
        return self.answer()

    def answer(self):
        """The next packet; acknowledgements are skipped, this one is acknowledged."""
        while True:
            start = self.buffer.find(b"$")
            end = self.buffer.find(b"#", start)
            if start >= 0 and 0 <= end <= len(self.buffer) - 3:
                break
            self.receive()
        text, check, self.buffer = self.buffer[start + 1:end], self.buffer[end + 1:end + 3], self.buffer[end + 3:]
        if check.lower() != b"%02x" % (sum(text) % 256):
            raise path.TraceError("a packet of QEMU is damaged")
        try:
            self.socket.sendall(b"+")
        except ConnectionError:
            raise Closed from None
        if text[:1] in b"WX" and text:
            raise Closed
        return text.decode("ascii", "replace")

    def breakpoint(self, address):
        if self.ask(f"Z0,{address:x},1") != "OK":
            raise path.TraceError("QEMU refuses a breakpoint")

    def move(self, how):
        answer = self.ask(how)
        if answer[:1] not in ("T", "S"):
            raise path.TraceError(f"QEMU does not run on: it answers {answer[:40]!r}")

    def go(self):
        """Run until the breakpoint."""
        self.move("c")

    def step(self):
        self.move("s")

    def bytes_of(self, request, size):
        """Bytes that an answer consists of, at most so many; none if it is an error."""
        answer = self.ask(request)
        if ERROR.fullmatch(answer):
            return b""
        if not BYTES.fullmatch(answer) or len(answer) > 2 * size:
            raise path.TraceError(f"QEMU answers {answer[:40]!r} to {request}")
        return bytes.fromhex(answer)

    def address(self):
        answer = self.bytes_of(f"p{RIP:x}", REGISTER)
        if len(answer) != REGISTER:
            raise path.TraceError("QEMU does not tell where the CPU is")
        return int.from_bytes(answer, "little")

    def read(self, address, size):
        """Memory as the CPU sees it now; shorter or empty if it is not mapped."""
        return self.bytes_of(f"m{address:x},{size:x}", size)

    def instruction(self, address):
        """The bytes at an address, up to the longest an instruction can have. Code does not change on a path."""
        if address not in self.code:
            inside = min(LONGEST, PAGE - address % PAGE)
            self.code[address] = self.read(address, LONGEST) or self.read(address, inside)
        return self.code[address]

    def window(self, mark, limit):
        """All steps from here, a mark, to the next mark."""
        steps = []
        for _ in range(limit):
            address = self.address()
            if steps and address == mark:
                return steps
            steps.append(path.Step(address, self.instruction(address)))
            self.step()
        raise path.TraceError(f"a window executes more than {limit} instructions")


def connect(address, alive):
    """QEMU makes the socket when it is ready for us, unless it has ended already."""
    deadline = time.monotonic() + PATIENCE
    while True:
        link = socket.socket(socket.AF_UNIX)
        try:
            link.connect(str(address))
            return link
        except OSError as error:
            link.close()
            if time.monotonic() > deadline or not alive():
                raise path.TraceError(f"QEMU does not answer: {error}") from None
            time.sleep(0.05)


def record(address, mark, timeout, limit, alive=lambda: True):
    """[[Step, ...] of each window] until the machine ends."""
    windows = []
    stub = Stub(address, timeout, alive)
    try:
        stub.breakpoint(mark)
        while True:
            stub.go()
            windows.append(stub.window(mark, limit))
            stub.step()
    except Closed:
        return windows
    except path.TraceError:
        stub.kill()
        raise
    finally:
        stub.close()
