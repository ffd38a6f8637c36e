#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""profiling/stub.py against a machine of a few instructions behind the remote serial protocol."""

import pathlib
import random
import socket
import sys
import tempfile
import threading
import unittest

import path
import stub

MARK = 0x1000
# Twice from mark to mark, then the end. Code lies at the end of a page, the next is not mapped.
TRAIL = [0xf00, MARK, 0x1003, 0x1ffe, MARK, 0x1003, 0x1800, MARK, 0x1003, 0x1fff, MARK, 0x1003, 0x1801, MARK, 0x1003]
WINDOWS = [[MARK, 0x1003, 0x1ffe], [MARK, 0x1003, 0x1fff]]


class Machine(threading.Thread):
    """Walks along TRAIL. `broken` changes what it answers to some requests."""

    def __init__(self, address, trail, broken=None):
        super().__init__(daemon=True)
        self.trail, self.broken = list(trail), broken or {}
        self.asked = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(address))
        self.listener.listen()

    def run(self):
        link, _ = self.listener.accept()
        with link, link.makefile("rwb", buffering=0) as stream:
            while True:
                text = self.request(stream)
                answer = self.answer(text) if text is not None else None
                if answer is None:
                    return
                data = answer.encode()
                stream.write(b"+$" + data[:1])  # in pieces, as sockets may deliver it
                stream.write(data[1:] + b"#%02x" % (sum(data) % 256))

    def request(self, stream):
        byte = stream.read(1)
        while byte == b"+":
            byte = stream.read(1)
        text = b""
        while byte and byte != b"#":
            text += byte
            byte = stream.read(1)
        stream.read(2)
        self.asked.append(text[1:].decode())
        return text[1:].decode() if text else None

    def answer(self, text):
        if text[0] in self.broken:
            return self.broken[text[0]]
        if text == "k":
            return None
        if text in "cs":
            return self.move(text)
        if text == "p10":
            return self.trail[0].to_bytes(8, "little").hex()
        if text[0] == "m":
            address, size = (int(number, 16) for number in text[1:].split(","))
            return "E14" if address + size > 0x2000 else bytes(n % 256 for n in range(address, address + size)).hex()
        return "OK" if text.startswith("Z") else ""

    def move(self, text):
        del self.trail[0]
        while text == "c" and self.trail and self.trail[0] != MARK:
            del self.trail[0]
        return "T05thread:01;" if self.trail else "W00"


class Stub(unittest.TestCase):
    def record(self, trail=(), broken=None, limit=100):
        with tempfile.TemporaryDirectory() as folder:
            address = pathlib.Path(folder, "gdb")
            self.machine = Machine(address, trail or TRAIL, broken)
            self.machine.start()
            try:
                return stub.record(address, MARK, 5, limit)
            finally:
                self.machine.join(5)
                self.machine.listener.close()

    def test_windows(self):
        windows = self.record()
        self.assertEqual([[step.address for step in window] for window in windows], WINDOWS)

    def test_code(self):
        first, second = self.record()
        self.assertEqual(first[0].code, bytes(range(15)))
        self.assertEqual(first[2].code, b"\xfe\xff")  # up to the end of the page
        self.assertEqual(second[2].code, b"\xff")

    def test_code_is_read_once(self):
        self.record()
        self.assertEqual(sum(text.startswith("m1000,") for text in self.machine.asked), 1)

    def test_description_first(self):
        self.record()
        self.assertTrue(self.machine.asked[1].startswith("qXfer:features:read:target.xml"))

    def test_end_within_a_window(self):
        self.assertEqual(len(self.record(TRAIL[:-5])), 1)

    def test_no_mark(self):
        self.assertEqual(self.record([0xf00, 0xf01]), [])

    def test_refused_breakpoint(self):
        with self.assertRaisesRegex(path.TraceError, "refuses"):
            self.record(broken={"Z": "E22"})

    def test_endless_window(self):
        with self.assertRaisesRegex(path.TraceError, "more than 50"):
            self.record([0xf00, MARK, *[0x1003] * 200], limit=50)
        self.assertEqual(self.machine.asked[-1], "k")

    def test_connection_lost(self):
        self.assertEqual(self.record(broken={"s": None}), [])

    def test_wrong_answers(self):
        for broken, why in (({"p": "E22"}, "where the CPU is"), ({"p": "1234"}, "where the CPU is"),
                            ({"p": ""}, "where the CPU is"), ({"p": "xyz"}, "answers 'xyz'"),
                            ({"s": "E22"}, "does not run on"), ({"c": ""}, "does not run on"),
                            ({"m": "abc"}, "answers 'abc'"), ({"m": "00" * 99}, "answers '0000"), ({"Z": ""}, "refuses")):
            with self.assertRaisesRegex(path.TraceError, why, msg=broken):
                self.record(broken=broken)

    def test_random_answers(self):
        """Whatever comes, it is a complaint or the end of the machine."""
        chance = random.Random(1)
        for _ in range(100):
            answer = "".join(chance.choice("0123456789abcdefETSWX;:OK*}") for _ in range(chance.randrange(20)))
            try:
                self.record(broken={chance.choice("Zcspmq"): answer}, limit=50)
            except path.TraceError:
                pass

    def test_damaged_packet(self):
        """A wrong checksum, and packets that end too early."""
        for data, error in ((b"$T05#00", path.TraceError), (b"$T05#z", stub.Closed), (b"$T05", stub.Closed), (b"+", stub.Closed),
                            (b"", stub.Closed), (b"#b9$", stub.Closed)):
            here, there = socket.socketpair()
            with here, there:
                there.sendall(data)
                there.shutdown(socket.SHUT_WR)
                link = stub.Stub.__new__(stub.Stub)
                link.socket, link.buffer = here, b""
                with self.assertRaises(error, msg=data):
                    link.answer()

    def test_nobody_there(self):
        with self.assertRaisesRegex(path.TraceError, "does not answer"):
            stub.connect("/nonexistent/socket", lambda: False)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
