#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
The collector of logs in RAM: what boot/mkimage refuses; and its CD on a machine that has a log in its RAM, written by this test
in the format of Linux's struct persistent_ram_buffer. Over the network it is tried by fleet.ram. usage: collector_test.py
"""

import pathlib
import struct
import subprocess
import sys
import tempfile
import time
import unittest

import media  # first: it finds the modules of boot/
import collector
import tools

SIZE, PLACE = 64 << 10, 0x28000000
HEADER = struct.Struct("<4sII")  # signature; where the next byte goes; bytes of text
PATIENCE = 900  # seconds; this host may be busy


def zone(text):
    """The region with the end of this text, in the way of a ring."""
    room = SIZE - HEADER.size
    data = bytearray(room)
    for at in range(len(text) - room, len(text)):
        data[at % room] = text[at]
    return HEADER.pack(b"DBGC", len(text) % room, room) + data


class Refusals(unittest.TestCase):
    def test_words(self):
        for words, why in ((["--size", "3000"], "--size: a power of two from 4K to 64M"),
                           (["--size", "128M"], "--size: a power of two"),
                           (["--size", "1G"], "--size: '1G' is no number, such as 64K or 1M"),
                           (["--place", "0x123"], "--place: the address of a page below 4 GiB"),
                           (["--place", "0x100000000"], "--place: the address of a page"),
                           (["--place", "1M"], "--place: '1M' is no number"),
                           (["--home", "ftp://10.77.0.1/log"], "--home: not a URL"),
                           (["--home", "http://10.77.0.1/log panic=0"], "--home: not a URL"),
                           (["--url", "http://10.77.0.1/collector"], "--url and --sign are for netboot"),
                           (["--sign", "/nonexistent"], "--url and --sign are for netboot"),
                           (["--linux", "/nonexistent/linux.deb"], "dpkg-deb failed")):
            with self.subTest(words), tempfile.TemporaryDirectory() as folder:
                done = media.command("mkimage", "collector", "iso", "-o", f"{folder}/cd", *words)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(why, done.stderr)
                self.assertEqual(list(pathlib.Path(folder).iterdir()), [])


class Boots(unittest.TestCase):
    def setUp(self):
        try:
            collector.fetch_all()
        except tools.ToolError as error:
            self.skipTest(f"the collector's packages cannot be fetched: {str(error).splitlines()[-1]}")
        holder = tempfile.TemporaryDirectory(prefix="collector.")
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)

    def serial_line(self, *more):
        """What the machine has said when it has nothing more to say."""
        line = self.folder / "serial"
        command = ["qemu-system-x86_64", "-cpu", "max", "-m", "1024", "-display", "none", "-vga", "none", "-monitor", "none",
                   "-net", "none", "-no-reboot", "-cdrom", self.folder / "cd", "-boot", "d", "-serial", f"file:{line}", *more]
        with subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL) as machine:
            until = time.monotonic() + PATIENCE
            while machine.poll() is None and time.monotonic() < until:
                text = line.read_bytes().replace(b"\r", b"") if line.exists() else b""
                if b"collector: the log ends" in text:
                    break
                time.sleep(0.1)
            machine.kill()
        return text

    def test_cd(self):
        """Twice the same CD; the log, which is not at the first place, for there is no RAM, comes whole and in its order."""
        for name in ("cd", "again"):
            media.mkimage("collector", "iso", "-o", self.folder / name, "--size", "64K", timeout=PATIENCE)
        self.assertEqual((self.folder / "cd").read_bytes(), (self.folder / "again").read_bytes())
        text = b"".join(b"line %d of the log\n" % number for number in range(5000))
        (self.folder / "zone").write_bytes(zone(text))
        said = self.serial_line("-device", f"loader,file={self.folder}/zone,addr={PLACE:#x},force-raw=on")
        self.assertIn(b"collector: a log of %d bytes at %#x\n" % (SIZE - HEADER.size, PLACE), said)
        _, _, rest = said.partition(b"collector: the log follows\n")
        self.assertEqual(rest.partition(b"collector: the log ends")[0], text[HEADER.size - SIZE:])


if __name__ == "__main__":
    outcome = unittest.main(exit=False).result
    for _, why in outcome.skipped:
        print(f"SKIP: {why}")
    sys.exit(1 if not outcome.wasSuccessful() else 77 if outcome.skipped else 0)
