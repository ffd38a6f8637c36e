#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
boot/mkimage and boot/labca without booting: what is refused and how, the structure of media as other programs see it, that the
same input gives the same bytes. usage: mkimage_test.py BUILD
"""

import contextlib
import hashlib
import io
import json
import os
import pathlib
import re
import runpy
import subprocess
import sys
import tempfile
import unittest

import media
import grub
import job
import serial_word

BUILD = pathlib.Path(sys.argv.pop()).resolve()
KERNEL, KERNEL32, HELLO = BUILD / "hypervisor", BUILD / "hypervisor.elf32", BUILD / "hello.elf"
QUOTED = media.load(HELLO)
MKIMAGE = runpy.run_path(str(media.SOURCE / "boot/mkimage"))
ESP_AT = 2 << 20  # of the disk image: GRUB's part is smaller than 1 MiB


def tool(*command):
    """What a program says; it has to succeed."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise AssertionError(f"{command}: exit code {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def call_mkimage(*args):
    """
    Run it in this process, which is much faster than starting another one. Returns exit code, output, complaints; what it does
    not expect fails the test.
    """
    out, complaint = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(complaint):
        before, sys.argv = sys.argv, ["mkimage", *map(str, args)]
        try:
            MKIMAGE["main"]()
            code = 0
        except SystemExit as end:
            code = end.code
        finally:
            sys.argv = before
    if isinstance(code, str):
        return 1, out.getvalue(), complaint.getvalue() + code
    return code or 0, out.getvalue(), complaint.getvalue()


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def tree_of(folder):
    """{name: (mode, content)} of a folder."""
    return {path.name: (path.stat().st_mode, path.read_bytes()) for path in folder.iterdir()}


class Case(unittest.TestCase):
    """A folder for each test."""

    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="hedron-media.")
        self.addCleanup(self.scratch.cleanup)
        self.folder = pathlib.Path(self.scratch.name)

    def file(self, name, data=b"x"):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def refused(self, pattern, *args, code=1):
        """mkimage refuses: one message that matches, and nothing is left behind."""
        before = sorted(self.folder.rglob("*"))
        done, said, complaint = call_mkimage(*args)
        self.assertEqual(done, code, complaint)
        self.assertRegex(complaint, pattern)
        self.assertEqual(said, "")
        self.assertEqual(sorted(self.folder.rglob("*")), before)

    def refused_by_all(self, pattern, *args, kernel=KERNEL32):
        """An image for a memory stick has the same contents as one for a CD."""
        for kind in ("iso", "netboot"):
            with self.subTest(kind=kind):
                self.refused(pattern, kind, "-o", self.folder / "out", "--kernel", kernel, *args)


class Refusals(Case):
    """What cannot be booted."""

    def test_usage(self):
        for args in ((), ("floppy",), ("iso",), ("iso", "-o", "x"), ("iso", "-o", "x", "--kernel", KERNEL),
                     ("iso", "-o", "x", "--roottask", QUOTED), ("usb", "-o", "x", "--module", QUOTED),
                     ("iso", "-o", "x", "--kernel", KERNEL, "--roottask", QUOTED, "--timeout", "-1"),
                     ("iso", "-o", "x", "--kernel", KERNEL, "--roottask", QUOTED, "--timeout", "soon"),
                     ("iso", "-o", "x", "--kernel", KERNEL, "--roottask", QUOTED, "--screen", "auto; reboot"),
                     ("netboot", "-o", "x", "--kernel", KERNEL32, "--roottask", QUOTED, "--protocol", "mb1")):
            with self.subTest(args=args):
                self.refused("^usage: mkimage", *args, code=2)

    def test_files(self):
        self.file("empty", b"")
        self.file("text", b"#!/bin/sh\n" * 1000)
        self.file("32bit", b"\x7fELF\1\1\1" + bytes(9) + b"\2\0\3\0" + bytes(9000))
        self.file("object", HELLO.read_bytes()[:16] + b"\1" + HELLO.read_bytes()[17:])
        cases = {"absent": "no such file", "": "not a regular file", "empty": "is empty", "text": "not an ELF file",
                 "32bit": "a roottask is a 64-bit", "object": "of the type EXEC"}
        for name, pattern in cases.items():
            self.refused_by_all(pattern, "--roottask", media.load(self.folder / name))
        for name in ("absent", "", "empty"):
            self.refused_by_all(cases[name], "--roottask", QUOTED, "--module", media.load(self.folder / name))
        self.refused_by_all("not an ELF file", "--roottask", QUOTED, kernel=self.folder / "text")
        self.refused_by_all("no Multiboot header", "--roottask", QUOTED, kernel=HELLO)
        self.refused("iPXE starts 32-bit ones", "netboot", "-o", self.folder / "out", "--kernel", KERNEL, "--roottask", QUOTED)

    def test_large(self):
        """Files with nothing in them, in the file system too."""
        with open(self.file("large"), "wb") as file:
            file.truncate((1 << 30) + 1)
        self.refused_by_all("1024 MiB; at most", "--roottask", QUOTED, "--module", self.folder / "large")

    def test_names(self):
        names = ("a b", "-o", ".hidden", "a'b", "a$b", "a,b", "a;b", "ü", "x" * 65, "%41")
        for name in names:
            self.refused_by_all("a name on a boot medium", "--roottask", QUOTED, "--module", media.load(self.file(f"names/{name}")))
        self.refused_by_all("no such file", "--roottask", QUOTED, "--module", f"{self.folder}/names/a b")
        for text in ("", " ", "''", "'a", "'a'b", '"'):
            self.refused_by_all("a file name is missing", "--roottask", QUOTED, "--module", text)

    def test_collisions(self):
        one, two = self.file("1/data", b"one"), self.file("2/data", b"two")
        upper = self.file("3/DATA", b"one")
        same = self.file("4/data", b"one")
        for other in (two, upper):
            self.refused_by_all("would have the same name", "--roottask", QUOTED, "--module", one, "--module", other)
        for name in ("boot.ipxe", "JOB.efi", "SHA256SUMS", "manifest.json", "undionly.kpxe"):
            self.refused("is taken", "netboot", "-o", self.folder / "out", "--kernel", KERNEL32, "--roottask", QUOTED, "--module",
                         media.load(self.file(f"5/{name}")))
        self.refused("is taken", "iso", "-o", self.folder / "out", "--kernel", KERNEL, "--roottask", QUOTED, "--module",
                     self.folder / "5/SHA256SUMS")
        self.refused("would have the same name", "netboot", "-o", self.folder / "out", "--kernel", KERNEL32, "--roottask", QUOTED,
                     "--module", media.load(self.file("6/hypervisor.elf32")))
        media.mkimage("iso", "-o", self.folder / "out", "--kernel", KERNEL, "--roottask", QUOTED, "--module", one, "--module", same)

    def test_words(self):
        for word in ("a'b", 'a"b', "a\\b", "a\x01b", "a\x1b[31mb", "ü", "\x7f"):
            self.refused_by_all("boot loaders pass printable ASCII", "--roottask", f"{QUOTED} {word}")
            self.refused_by_all("boot loaders pass printable ASCII", "--append", word, "--roottask", QUOTED)
        for word in media.ODD_FOR_GRUB:
            self.refused("means something to iPXE", "netboot", "-o", self.folder / "out", "--kernel", KERNEL32, "--roottask",
                         f"{QUOTED} a {word} b")
        self.refused_by_all("longer than", "--roottask", f"{QUOTED} {'x' * 5000}")

    def test_ipxe_limits(self):
        net = ("netboot", "-o", self.folder / "out", "--kernel", KERNEL32, "--roottask")
        self.refused("iPXE passes at most 8", *net, QUOTED, *(("--module", QUOTED) * 8))
        self.refused("and iPXE passes 512", *net, f"{QUOTED} {'x' * 450}")
        self.refused("and iPXE passes 512", *net, QUOTED, "--url", "http://a/" + 250 * "x")
        for url in ("a b", "ftp://a", "http://a/${x}", "http://a/b?c", "/x", "http://a b", "http://a#b"):
            self.refused("not a URL", *net, QUOTED, "--url", url)

    def test_jobs(self):
        load = f"load {media.load(KERNEL32)}\n"
        cases = {"": "at least two", "load a\n": "at least two", f"{load}lod {HELLO}\n": "job:2: .load FILE",
                 f"{load}load\n": "job:2: .load FILE", f"{load}load absent\n": "no such file",
                 f"{load}load {QUOTED}\ntitle a'b\n": "the title", f"{load}load {QUOTED}\ntitle --class x\n": "does not start"}
        for text, pattern in cases.items():
            self.refused(pattern, "iso", "-o", self.folder / "out", "--job", self.file("job", text.encode()))
        self.refused("not a text file", "iso", "-o", self.folder / "out", "--job", HELLO)
        self.refused("No such file", "iso", "-o", self.folder / "out", "--job", self.folder / "absent")

    def test_output(self):
        rest = ("--kernel", KERNEL32, "--roottask", QUOTED)
        (self.folder / "pipe").mkdir()
        for kind in ("iso", "usb"):
            self.refused("not a regular file", kind, "-o", self.folder / "pipe", *rest)
            self.refused("not a regular file", kind, "-o", "/dev/null", *rest)
            self.refused("no such folder", kind, "-o", self.folder / "absent" / "out", *rest)
        self.file("tree/hello.elf", b"somebody else's")
        self.refused("was not made by an earlier run", "netboot", "-o", self.folder / "tree", *rest)
        self.refused("exists", "netboot", "-o", self.file("plain"), *rest)

    def test_signing(self):
        rest = ("--kernel", KERNEL32, "--roottask", QUOTED, "--sign", self.folder)
        self.refused("ca.crt is missing", "netboot", "-o", self.folder / "out", *rest)

    def test_date(self):
        for text in ("yesterday", "-1", "1e9", ""):
            done = media.command("mkimage", "usb", "-o", self.folder / "out", "--kernel", KERNEL, "--roottask", QUOTED,
                                 env={**os.environ, "SOURCE_DATE_EPOCH": text})
            self.assertEqual(done.returncode, 1)
            self.assertIn("SOURCE_DATE_EPOCH", done.stderr)


class SerialLine(Case):
    """The word that names the kernel's serial line."""

    def test_as_in_the_kernel(self):
        """The tests of all who read the word share what is good and what is not."""
        text = (media.SOURCE / "tests/unit/platform/serial_words.h").read_text()
        good = re.findall(r'{"([^"]*)", "\w+", (\w+), (\w+), (\w+),', text)
        bad = re.findall(r'"([^"]*)"', text[text.index("bad[] = {"):])
        self.assertGreater(len(good), 20)
        self.assertGreater(len(bad), 50)
        for word, at, baud, clock in good:
            with self.subTest(word=word):
                line = serial_word.parse(word)
                self.assertEqual(line.baud or 0, int(baud))
                self.assertEqual(line.clock, int(clock) or serial_word.CLOCK)
                self.assertIn(line.port, (None, int(at, 0)))
        for word in bad:
            with self.subTest(word=word), self.assertRaises(serial_word.LineError):
                serial_word.parse(word)

    def test_refused(self):
        for words, pattern in (("serial=com5", "'com5' is not auto, com1"), ("novga serial=com1,fast", "'fast' is no rate"),
                               ("serial=com1,230400", "cannot be made"), ("serial=mmio:0xfe000008,stride=4", "multiple of 32")):
            self.refused_by_all(pattern, "--append", words, "--roottask", QUOTED)

    def test_grub(self):
        """It uses the kernel's port, if all kernels have the same."""
        def command(*lines):
            return grub.serial_command([job.make(KERNEL, line, [(HELLO, "")]) for line in lines])

        com1 = "serial --unit=0 --speed=115200"
        self.assertEqual(command("serial"), com1)
        self.assertEqual(command("novga"), com1)
        self.assertEqual(command("serial=pci:00:16.3"), com1)
        self.assertEqual(command("serial=com2", "serial"), com1)
        self.assertEqual(command("serial", "serial=com2"), com1)
        self.assertEqual(command("serial=com2", "serial serial=com2"), "serial --port=0x2f8 --speed=115200 --word=8 --parity=no")
        self.assertEqual(command("serial=0xe0a0,9600e7"), "serial --port=0xe0a0 --speed=9600 --word=7 --parity=even")
        self.assertIn(command("serial=com2"), grub.config([job.make(KERNEL, "serial=com2", [(HELLO, "")])], 0))


class Structure(Case):
    """Media as other programs see them."""

    def check_payload(self, folder):
        """The files that a medium was made from, and their checksums."""
        self.assertEqual(digest(folder / "hypervisor"), digest(KERNEL))
        self.assertEqual(digest(folder / "hello.elf"), digest(HELLO))
        tool("env", "-C", folder, "sha256sum", "--strict", "-c", "SHA256SUMS")

    def test_usb(self):
        image, system = self.folder / "out.img", self.folder / "fat"
        media.mkimage("usb", "-o", image, "--kernel", KERNEL, "--roottask", QUOTED)
        self.assertIn("No problems found", tool("/sbin/sgdisk", "-v", image))
        self.assertRegex(tool("/sbin/sgdisk", "-p", image), r"(?s)1 +2048 .*EF02.*2 +4096 .*EF00")
        data = image.read_bytes()
        self.assertEqual(data[446:462:15], b"\0\0")  # the protective entry is not active, an empty one is
        self.assertEqual(data[462], 0x80)
        size = int(re.search(r"2 +4096 +(\d+)", tool("/sbin/sgdisk", "-p", image))[1]) * 512 + 512 - ESP_AT
        system.write_bytes(data[ESP_AT:ESP_AT + size])
        self.assertNotRegex(tool("/sbin/fsck.fat", "-n", "-v", system), "(?i)differences|error|wrong|bad|lost")
        self.assertIn("32 bit entries", tool("/sbin/fsck.fat", "-n", "-v", system))
        tool("mcopy", "-i", system, "-s", "::boot", "::EFI", self.folder)
        self.check_payload(self.folder / "boot/hedron")
        self.assertEqual((self.folder / "EFI/BOOT/BOOTX64.EFI").read_bytes()[:2], b"MZ")

    def test_usb_large(self):
        """More than the least that FAT32 needs anyway."""
        image, system = self.folder / "out.img", self.folder / "fat"
        media.mkimage("usb", "-o", image, "--kernel", KERNEL, "--roottask", QUOTED, "--module", self.file("ram", bytes(40 << 20)))
        self.assertIn("No problems found", tool("/sbin/sgdisk", "-v", image))
        with open(image, "rb") as file:
            file.seek(ESP_AT)
            system.write_bytes(file.read()[:-(1 << 20)])
        tool("/sbin/fsck.fat", "-n", system)
        tool("mcopy", "-i", system, "-s", "::boot", self.folder)
        self.check_payload(self.folder / "boot/hedron")

    def test_iso(self):
        image, system = self.folder / "out.iso", self.folder / "fat"
        media.mkimage("iso", "-o", image, "--kernel", KERNEL, "--roottask", QUOTED)
        report = tool("xorriso", "-indev", image, "-report_el_torito", "plain", "-report_system_area", "plain")
        for pattern in ("img : +1  BIOS  y", "img : +2  UEFI  y", "protective-msdos-label grub2-mbr", "EFI boot partition"):
            self.assertRegex(report, pattern)
        tool("xorriso", "-osirrox", "on", "-indev", image, "-extract", "/", self.folder / "tree")
        self.check_payload(self.folder / "tree/boot/hedron")
        system.write_bytes((self.folder / "tree/boot/grub/efi.img").read_bytes())
        tool("/sbin/fsck.fat", "-n", system)
        self.assertIn("BOOTX64", tool("mdir", "-i", system, "::EFI/BOOT"))
        self.assertNotIn("Problem", tool("/sbin/sgdisk", "-v", image))

    def test_netboot(self):
        tree, extra = self.folder / "tree", self.file("extra", b"data")
        args = ("netboot", "-o", tree, "--kernel", KERNEL32, "--append", "serial novga", "--roottask", f"{QUOTED} a b")
        media.mkimage(*args, "--module", f"{extra} c")
        tool("env", "-C", tree, "sha256sum", "--strict", "-c", "SHA256SUMS")
        told = json.loads((tree / "manifest.json").read_text())
        self.assertEqual(told["jobs"], [{"title": "hello a b", "kernel": {"file": "hypervisor.elf32", "words": ["serial", "novga"]},
                                         "modules": [{"file": "hello.elf", "words": ["a", "b"]},
                                                     {"file": "extra", "words": ["c"]}]}])
        names = {path.name for path in tree.iterdir()}
        self.assertEqual(set(told["files"]) | {"manifest.json", "SHA256SUMS"}, names)
        self.assertLessEqual({"boot.ipxe", "job.efi", "hypervisor.elf32", "hello.elf", "extra"}, names)
        for name, entry in told["files"].items():
            self.assertEqual((entry["size"], entry["sha256"]), ((tree / name).stat().st_size, digest(tree / name)))
            self.assertEqual((tree / name).stat().st_mode & 0o777, extra.stat().st_mode & 0o777)
        self.assertEqual(digest(tree / "hypervisor.elf32"), digest(KERNEL32))

        mine = self.file("tree/node.ipxe", b"mine")
        media.mkimage(*args)
        self.assertEqual({path.name for path in tree.iterdir()}, names - {"extra"} | {"node.ipxe"})
        self.assertEqual(mine.read_bytes(), b"mine")

    def test_netboot_url(self):
        media.mkimage("netboot", "-o", self.folder / "tree", "--kernel", KERNEL32, "--roottask", QUOTED,
                      "--url", "http://a:8080/b/")
        text = (self.folder / "tree/boot.ipxe").read_text()
        for name in ("hypervisor.elf32", "hello.elf", "job.efi"):
            self.assertIn(f" http://a:8080/b/{name} ", text)

    def test_old_manifest(self):
        """A manifest cannot make us remove what is elsewhere, and a damaged one means that nothing is ours."""
        victim, tree = self.file("victim"), self.folder / "tree"
        names = ("../victim", str(victim), "..", "", ".")
        self.file("tree/manifest.json", json.dumps({"format": 1, "files": dict.fromkeys(names, {})}).encode())
        media.mkimage("netboot", "-o", tree, "--kernel", KERNEL32, "--roottask", QUOTED)
        self.assertTrue(victim.exists())
        for text in ("[1]", "{", '{"files": 1}', '{"files": [1]}', ""):
            (tree / "manifest.json").write_text(text)
            self.refused("was not made by an earlier run", "netboot", "-o", tree, "--kernel", KERNEL32, "--roottask", QUOTED)

    def test_signatures(self):
        keys, tree = self.folder / "keys", self.folder / "tree"
        done = media.command("labca", "--name", "Test", keys)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.refused("name of a signature", "netboot", "-o", self.folder / "out", "--kernel", KERNEL32, "--roottask", QUOTED,
                     "--module", media.load(self.file("hello.elf.sig")), "--sign", keys)
        before = tree_of(keys)
        done = media.command("labca", keys)
        self.assertEqual((done.returncode, tree_of(keys)), (1, before))
        self.assertIn("never overwritten", done.stderr)
        for name in ("ca.key", "codesign.key"):
            self.assertEqual((keys / name).stat().st_mode & 0o777, 0o600)
        media.mkimage("netboot", "-o", tree, "--kernel", KERNEL32, "--roottask", QUOTED, "--sign", keys)
        script = (tree / "boot.ipxe").read_text()
        self.assertIn("imgtrust --permanent || goto", script.splitlines()[1])
        for name in ("hypervisor.elf32", "hello.elf", "job.efi"):
            self.assertRegex(script, rf"imgverify \S+ {name}.sig \|\| goto fail")
        verify = ("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any", "-CAfile", keys / "ca.crt", "-out",
                  self.folder / "content", "-in")
        for name in ("hypervisor.elf32", "hello.elf", "job.efi", "boot.ipxe"):
            tool(*verify, tree / f"{name}.sig", "-content", tree / name)
        with self.assertRaisesRegex(AssertionError, "(?i)verification failure|digest"):
            tool(*verify, tree / "hello.elf.sig", "-content", tree / "hypervisor.elf32")
        self.assertIn("Code Signing", tool("openssl", "x509", "-noout", "-text", "-in", keys / "codesign.crt"))


class Reproducible(Case):
    """The same input gives the same bytes, whoever builds where, when and how."""

    def make(self, kind, output, **changes):
        """Build in a folder with another name, from copies of other dates, with another umask and time zone."""
        number = len(list(self.folder.iterdir()))
        place = self.folder / f"place{'x' * number}"
        place.mkdir()
        kernel, hello = place / KERNEL32.name, place / HELLO.name
        kernel.write_bytes(KERNEL32.read_bytes())
        hello.write_bytes(HELLO.read_bytes())
        os.utime(hello, (10**9 + number * 86400, 10**9 + number * 86400))
        before = os.umask(0o022 if number % 2 else 0o027)
        try:
            media.mkimage(kind, "-o", place / output, "--kernel", kernel, "--roottask", media.load(hello, "a"),
                          "--roottask", media.load(hello, "b"), "--module", media.load(hello), cwd=place,
                          env={**os.environ, "TZ": f"UTC{number}", **changes})
        finally:
            os.umask(before)
        return place / output

    def test_same(self):
        for kind in ("iso", "usb", "netboot"):
            with self.subTest(kind=kind):
                made = [self.make(kind, "out", SOURCE_DATE_EPOCH=date) for date in ("1700000000", "1700000000", "1800000000")]
                if kind == "netboot":
                    content = [{path.name: path.read_bytes() for path in folder.iterdir()} for folder in made]
                else:
                    content = [path.read_bytes() for path in made]
                self.assertTrue(content[0] == content[1], "two builds differ")
                if kind != "netboot":
                    self.assertFalse(content[0] == content[2], "SOURCE_DATE_EPOCH means nothing")

    def test_identity(self):
        """Media that differ in a word have other identifiers; GRUB would take one for the other."""
        found = set()
        for words in ("a", "b"):
            for kind in ("iso", "usb"):
                media.mkimage(kind, "-o", self.folder / "out", "--kernel", KERNEL, "--roottask", f"{QUOTED} {words}")
                found.add(re.search(r"\(GUID\): (\S+)", tool("/sbin/sgdisk", "-p", self.folder / "out"))[1])
        self.assertEqual(len(found), 2 * 1)


if __name__ == "__main__":
    unittest.main()
