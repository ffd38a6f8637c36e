#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Boot media on emulated machines. With command lines full of characters that mean something to loaders; with damaged media; menus.
usage: media_test.py BUILD CASE [iso|stick|usb|netboot|http] [bios|efi|bochs]
"""

import pathlib
import subprocess
import sys
import tempfile
import time

import media  # first: it finds the others
import machine

SUCCESS = 33
FAILED = "^FLEET-BOOT-FAIL"
TIMEOUT = 150


class Complaint(Exception):
    """The test failed."""


def want(condition, text, serial):
    if not condition:
        raise Complaint(f"--- serial line ---\n{serial}\n---\n{text}")


class Bench:
    """The build, a folder for what a test makes, and how it is booted."""

    def __init__(self, build, folder, kind="iso", firmware="bios"):
        self.build, self.folder, self.kind = build, folder, kind
        self.box = machine.Machine(memory=512, board="q35" if firmware == "efi" else "pc", http=kind == "http")
        if firmware == "bochs":
            self.box.emulator, self.box.cpu = "bochs", "tigerlake"
        else:
            self.box.firmware = firmware

    def is_net(self):
        return self.kind in ("netboot", "http")

    def make(self, *args):
        """Make the medium with the kernel that fits."""
        kind = {"stick": "iso", "http": "netboot"}.get(self.kind, self.kind)
        self.medium = self.folder / "medium, with a comma"
        kernel = self.build / ("hypervisor.elf32" if self.is_net() else "hypervisor")
        media.mkimage(kind, "-o", self.medium, "--kernel", kernel, *args)
        setattr(self.box, {"stick": "disk", "usb": "disk", "http": "netboot"}.get(self.kind, self.kind), str(self.medium))

    def boot(self, until=None):
        try:
            return machine.run(self.box, until=until, timeout=TIMEOUT)
        except machine.MachineError as error:
            raise Complaint(str(error)) from None

    def hello(self, *words):
        return media.load(self.build / "hello.elf", *words)

    def damage(self, path, old, new):
        data = path.read_bytes()
        if old not in data:
            raise Complaint(f"{path} does not contain {old[:40]!r}")
        path.write_bytes(data.replace(old, new))


def boots(bench, *options):
    """The roottask gets its command line as it was given, and runs to its end; the serial line is the kernel's."""
    words = media.ODD + ([] if bench.is_net() else media.ODD_FOR_GRUB)
    extra = bench.folder / "extra"
    extra.write_bytes(b"data")
    bench.make("--append", "serial " + " ".join(words), *options, "--roottask", bench.hello(*words),
               "--module", media.load(extra, "x"))
    outcome = bench.boot()
    serial = outcome.serial
    want(f"hello.elf {' '.join(words)}\"\n" in serial, "the roottask's command line is not the one that was given", serial)
    want(outcome.why == "exit", "the roottask did not come to its end", serial)
    want(bench.box.emulator == "bochs" or outcome.status == SUCCESS, f"QEMU's exit code is {outcome.status}", serial)
    efi, first = bench.box.firmware == "efi", "mb1" in options or (bench.is_net() and bench.box.firmware != "efi")
    want(("[MB1]" if first else "[MB2]") in serial and ("[EFI]" in serial) == efi, "the kernel was loaded otherwise", serial)
    want(serial.count(" type -2 ") == 2, "not two modules", serial)
    want(efi or bench.is_net() or serial.startswith("Hedron"), "the loader writes to the serial line", serial)
    want("FLEET-BOOT-FAIL" not in serial, "a failure was reported, too", serial)


def first_protocol(bench):
    boots(bench, "--protocol", "mb1")


def fails(bench, pattern=""):
    """The loader says what a supervisor looks for, and on a network boots again by itself."""
    outcome = bench.boot(None if bench.is_net() else FAILED)
    serial = outcome.serial
    want(f"FLEET-BOOT-FAIL {pattern}" in serial, f"no line FLEET-BOOT-FAIL {pattern}", serial)
    want(not bench.is_net() or (outcome.why, outcome.status) == ("exit", 0), "the machine does not restart", serial)
    want("Hello from the roottask" not in serial, "the roottask runs", serial)
    return serial


def damaged(bench):
    """One bit of the roottask changed on its way."""
    bench.make("--roottask", bench.hello())
    place = bench.medium / "job.efi" if bench.is_net() else bench.medium
    bench.damage(place, b"Hello from", b"Hello fro\x6c")
    fails(bench, "grub: a file is damaged or missing")


def lost(bench):
    """GRUB comes up and does not find its configuration: nobody is there to answer its prompt."""
    bench.make("--roottask", bench.hello())
    bench.damage(bench.medium / "job.efi", b"grub.cfg\0", b"grub.cfX\0")  # its name in the archive
    fails(bench, "grub: ")


def too_large(bench):
    """Firmware has memory for job.efi and GRUB none for what it unpacks: nobody is there to answer its prompt."""
    bench.box.memory = 128
    large = bench.folder / "large"
    with open(large, "wb") as file:
        file.truncate(20 << 20)
    bench.make("--roottask", bench.hello(), "--module", media.load(large))
    outcome = bench.boot(FAILED)
    want("FLEET-BOOT-FAIL grub: no configuration: too little memory" in outcome.serial, "it says nothing", outcome.serial)
    want("out of memory" in outcome.serial, "it fails for another reason", outcome.serial)


def unverified(bench):
    """Nobody looks for damage on request."""
    bench.make("--no-verify", "--roottask", bench.hello())
    bench.damage(bench.medium, b"Hello from", b"Jello from")
    want("Jello from the roottask" in bench.boot().serial, "the roottask does not run", "")


def missing(bench):
    """A module is not on the server."""
    bench.make("--roottask", bench.hello())
    (bench.medium / "hello.elf").unlink()
    fails(bench, "ipxe: errno=0x")


def truncated(bench):
    """Half of the kernel. (What iPXE does not know at all it takes for a boot program of the PXE standard, and runs it.)"""
    bench.make("--roottask", bench.hello())
    kernel = bench.medium / "hypervisor.elf32"
    kernel.write_bytes(kernel.read_bytes()[:kernel.stat().st_size // 2])
    fails(bench, "ipxe: errno=0x")


def signed(bench):
    """An iPXE that cannot verify signatures does not boot what is signed."""
    keys = bench.folder / "keys"
    done = media.command("labca", keys)
    want(done.returncode == 0, done.stderr, "")
    bench.make("--roottask", bench.hello(), "--sign", keys)
    serial = fails(bench, "ipxe: errno=0x")
    want("cannot verify signatures" in serial, "the reason is missing", serial)


def job_file(bench):
    path = bench.folder / "second.job"
    (bench.folder / "kernel").write_bytes((bench.build / "hypervisor.elf32").read_bytes())
    (bench.folder / "hello.elf").write_bytes((bench.build / "hello.elf").read_bytes())
    kernel = "hypervisor.elf32" if bench.is_net() else "kernel"
    (bench.folder / kernel).write_bytes((bench.build / "hypervisor.elf32").read_bytes())
    path.write_text(f"# A job.\n\ntitle The second job\nload {kernel} serial novga\n  load hello.elf of a job  \n")
    return path


def menu(bench):
    """A menu boots its first entry after a while."""
    bench.make("--timeout", "2", "--roottask", bench.hello("first"), "--job", job_file(bench))
    outcome = bench.boot()
    want("hello.elf first\"" in outcome.serial, "the first entry was not booted", outcome.serial)
    want("The second job" in outcome.serial, "the menu is not on the serial line", outcome.serial)
    want(outcome.status == SUCCESS, f"QEMU's exit code is {outcome.status}", outcome.serial)


def other_line(bench):
    """A menu, the kernel and the roottask on COM2, which is the only line."""
    bench.box.line = "com2"
    bench.make("--timeout", "1", "--append", "serial=com2", "--roottask", bench.hello("first"), "--roottask", bench.hello("second"))
    outcome = bench.boot()
    for pattern in ("hello second", "port at 0x2f8 (command line), 115200 baud\n", 'hello.elf first"\n'):
        want(pattern in outcome.serial, f"COM2 does not show {pattern!r}", outcome.serial)


def choice(bench):
    """Somebody at the serial line takes the second entry, with `boot/run --interactive`."""
    bench.make("--timeout", "100", "--roottask", bench.hello("first"), "--job", job_file(bench))
    command = [sys.executable, str(media.SOURCE / "boot/run"), "--interactive", str(bench.medium)]
    with open(bench.folder / "said", "w+b") as said:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=said, stderr=said)
        deadline = time.monotonic() + 4 * TIMEOUT  # by the clock: the emulator is not our child
        while process.poll() is None and time.monotonic() < deadline:
            said.seek(0)
            if b"The second job" in said.read():
                try:
                    process.stdin.write(b"\x0e\r")  # the next entry; this one
                    process.stdin.flush()
                except BrokenPipeError:
                    pass
                time.sleep(1)
            time.sleep(0.1)
        ended = process.poll()
        process.kill()
        process.communicate()
        said.seek(0)
        text = said.read().decode("ascii", "replace")
    want('hello.elf of a job"' in text, "the second entry was not booted", text)
    want(ended == 0, f"boot/run ended with {ended}", text)


CASES = {function.__name__: function for function in
         (boots, first_protocol, damaged, lost, too_large, unverified, missing, truncated, signed, menu, other_line, choice)}


def main():
    build, case, *how = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="hedron-media.") as folder:
        try:
            CASES[case](Bench(pathlib.Path(build).resolve(), pathlib.Path(folder), *how))
        except (Complaint, AssertionError) as error:
            sys.exit(f"FAIL: {error}")
    print("PASS")


if __name__ == "__main__":
    main()
