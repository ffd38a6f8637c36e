#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""boot/run: what it takes for what, what it says and how it ends. usage: run_test.py BUILD"""

import contextlib
import io
import pathlib
import runpy
import sys
import tempfile
import unittest

import media  # first: it finds the others
import job
import machine
import vms

BUILD = pathlib.Path(sys.argv.pop()).resolve()
KERNEL, HELLO = BUILD / "hypervisor.elf32", media.load(BUILD / "hello.elf")
RUN = runpy.run_path(str(media.SOURCE / "boot/run"))


@contextlib.contextmanager
def as_called(*words):
    """With these words as the program's."""
    before, sys.argv = sys.argv, ["run", *map(str, words)]
    try:
        yield
    finally:
        sys.argv = before


class Run(unittest.TestCase):
    """The command as a user calls it."""

    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="hedron-run.")
        self.addCleanup(self.scratch.cleanup)
        self.folder = pathlib.Path(self.scratch.name)

    def ends(self, code, pattern, *args):
        done = media.command("run", *args)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertRegex(done.stderr if code else done.stdout, pattern)
        self.assertNotIn("Traceback", done.stderr)

    def test_kernel(self):
        self.ends(0, r'hello\.elf a,,b c"\n', KERNEL, f"{HELLO} a,,b c", HELLO)
        self.ends(3, "give hypervisor.elf32", BUILD / "hypervisor", HELLO)
        self.ends(3, "no Multiboot header", BUILD / "hello.elf", HELLO)
        self.ends(3, "no such file", KERNEL, media.load(self.folder / "absent"))
        self.ends(3, "a file name is missing", KERNEL, "")

    def test_job(self):
        (self.folder / "a.job").write_text(f"load {media.load(KERNEL)} serial\nload {HELLO} of a job\n")
        self.ends(0, r'hello\.elf of a job"\n', "-m", "smp", self.folder / "a.job")
        self.ends(3, "brings its modules along", self.folder / "a.job", HELLO)

    def test_vm(self):
        """The modules of all VMs behind the roottask, in their order, and the words that say whose they are."""
        monitor = media.load(BUILD / "hello.elf", "a")
        for name in ("vmlinuz", "initrd", "disk"):
            (self.folder / name).write_text(name)
        first = f"{self.folder}/vmlinuz,initrd={self.folder}/initrd,disk={self.folder}/disk,cpus=2,memory=64,words=b,c  d"
        both = ("--vm", first, "--vm", f"{self.folder}/initrd", KERNEL, monitor)
        self.ends(0, r'hello\.elf a guests=3,1 cpus=2,1 memory=64,256"', *both)
        with as_called(*both):
            box = RUN["make_machine"](RUN["arguments"]())
        self.assertEqual([(pathlib.Path(path).name, words) for path, words in box.modules[1:]],
                         [("vmlinuz", "b,c d"), ("initrd", ""), ("disk", "disk"), ("initrd", "")])
        self.ends(3, "brings the modules along", "--vm", first, KERNEL, monitor, HELLO)
        self.ends(3, "no such file", "--vm", f"{self.folder}/absent", KERNEL, monitor)
        (self.folder / "a.job").write_text(f"load {media.load(KERNEL)} serial\nload {HELLO}\n")
        self.ends(3, "no hypervisor.elf32", "--vm", first, self.folder / "a.job")

    def test_unknown(self):
        (self.folder / "text").write_text("text\n")
        self.ends(3, "neither an image nor", self.folder / "text")
        self.ends(3, "no folder of", self.folder)
        self.ends(3, "No such file", self.folder / "absent")
        self.ends(2, "invalid choice", "-m", "toaster", KERNEL)
        self.ends(3, "Bochs boots images", "-m", "bochs", KERNEL, HELLO)
        self.ends(3, "are not 3 sockets", "--cpus", "4", "--sockets", "3", KERNEL, HELLO)

    def test_end(self):
        """Time is over; nothing was booted."""
        # A roottask that takes about a minute, because a short one may end between two looks at the clock.
        slow = f"{media.load(BUILD / 'ipc.elf')} windows=4096"
        self.ends(124, "stopped after 0.1 s", "--timeout", "0.1", KERNEL, slow)
        self.ends(3, "nothing to boot", "--machine", "bios", self.nothing())

    def nothing(self):
        """A folder for network boot without anything to boot."""
        folder = self.folder / "net"
        folder.mkdir()
        (folder / "boot.ipxe").write_text("#!ipxe\necho\necho FLEET-BOOT-FAIL test\nreboot\n")
        return folder


class Parts(unittest.TestCase):
    """Its parts."""

    def test_show(self):
        """What a guest writes cannot do anything to a terminal, however it arrives."""
        said = "\x1b[2J\x1b[1;31mred\x1b[0m\x07 \x1b]0;title\x07\ttab\x9b5n\x00\x7f\nnext \x1bc\x08line"
        out, show = io.StringIO(), RUN["Show"]()
        with contextlib.redirect_stdout(out):
            for size in range(len(said)):
                show(said[:size])
            show(said, final=True)
        self.assertEqual(out.getvalue(), "red 0;title\ttab5n\nnext line")

    def test_machines(self):
        """Each named machine can be described to its emulator, but for KVM where there is none."""
        for name, (_, parts) in RUN["PROFILES"].items():
            with self.subTest(name=name), tempfile.TemporaryDirectory(prefix="hedron-run.") as folder:
                box = machine.Machine(iso="image.iso", **{**parts, "kvm": False})
                make = machine.qemu_command if box.emulator == "qemu" else lambda *a: machine.bochs_command(a[0], a[1], a[3])
                try:
                    self.assertTrue(make(box, "serial", "qmp", pathlib.Path(folder)))
                except machine.MachineError as error:
                    self.fail(str(error))

    def test_lines(self):
        """QEMU's arguments for the serial line of a machine; Bochs has COM1 only."""
        for parts, wanted in (({}, "-serial chardev:line"), ({"line": "com3"}, "isa-serial,chardev=line,iobase=0x3e8,irq=4"),
                              ({"line": "pci"}, "pci-serial,chardev=line,addr=1e.0"), ({"line": "none"}, "-serial none"),
                              ({"line": "com2", "idle_com1": True, "tables": ["spcr", "dbg2"]}, "-serial null .*/spcr .*/dbg2 ")):
            with self.subTest(parts=parts), tempfile.TemporaryDirectory(prefix="hedron-run.") as folder:
                words = machine.qemu_command(machine.Machine(iso="image.iso", **parts), "serial", "qmp", pathlib.Path(folder))
                self.assertRegex(" ".join(words), wanted)
                self.assertEqual("file,id=line,path=serial" in words, parts.get("line") != "none")
                for table in pathlib.Path(folder).glob("[sd]*[r2]"):
                    self.assertEqual(sum(table.read_bytes()) % 256, 0)
        with self.assertRaisesRegex(machine.MachineError, "in COM1"):
            machine.bochs_command(machine.Machine(iso="image.iso", line="com2"), "serial", None)

    def test_vms(self):
        """What a text of --vm may be, and how much memory the machine of several has."""
        for text, wanted in (("", "begins with"), ("initrd=x", "begins with"), ("k,disk=a,disk=b", "'disk=b'"),
                             ("k,initrd=", "initrd="), ("k,cpus=0", "from 1 to 8"), ("k,cpus=1,cpus=1", "or has once"),
                             ("k,memory=9999", "from 1 to 3072"), ("k,memory=1k", "'1k'"), ("k,oops", "'oops'")):
            with self.subTest(text=text), self.assertRaisesRegex(job.JobError, wanted):
                vms.parse(text)
        self.assertEqual(vms.parse("k,words=a,words=b").modules[0].text(), "a,words=b")
        with self.assertRaisesRegex(job.JobError, "8 at most"):
            vms.add(job.make("k", "", [("m", "")]), ["k"] * 9)
        with tempfile.NamedTemporaryFile() as file:
            file.truncate(5 << 20)
            self.assertEqual(vms.memory_of([f"{file.name},memory=100", f"{file.name},disk={file.name}"]),
                             vms.SPARE + 100 + vms.MEMORY + 3 * 6 + vms.WRITABLE)

    def test_options(self):
        """Options go before what the named machine has; Bochs gets a CPU that it knows."""
        for words, wanted in ((("-m", "uefi", "--cpus", "3"), {"cpus": 3, "firmware": "efi", "cpu": "max"}),
                              (("--emulator", "bochs"), {"cpu": "tigerlake"}), (("-m", "bochs-amd"), {"cpu": "ryzen"}),
                              (("-m", "bochs", "--cpu", "corei3_cnl"), {"cpu": "corei3_cnl"}),
                              (("-m", "count", "--gdb", "x"), {"icount": True, "gdb": str(pathlib.Path("x").resolve())})):
            with self.subTest(words=words), tempfile.NamedTemporaryFile(suffix=".img") as image:
                image.write(bytes(510) + b"\x55\xaa")
                image.flush()
                with as_called(*words, image.name):
                    box = RUN["make_machine"](RUN["arguments"]())
                self.assertEqual(box.disk, image.name)
                self.assertEqual({name: getattr(box, name) for name in wanted}, wanted)

    def test_kvm(self):
        with self.assertRaisesRegex(machine.MachineError, "does not count"):
            machine.accelerator(machine.Machine(kvm=True, icount=True))


if __name__ == "__main__":
    unittest.main()
