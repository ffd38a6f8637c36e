# SPDX-License-Identifier: GPL-2.0-or-later
"""
What is to be booted: jobs, each a kernel, a roottask and further modules, with their command lines. Everything that a boot
loader would choke on, or silently change, is refused here.
"""

import dataclasses
import pathlib
import re
import struct

import serial_word

# A name has to survive FAT, ISO 9660, TFTP, URLs and the languages of GRUB and iPXE.
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,63}")
# A file's name and the words of its command line.
LOAD = re.compile(r"""\s*(?:"([^"]+)"|'([^']+)'|([^\s"']\S*))(?:\s+(.*)|)""", re.DOTALL)
# GRUB hands these over with a backslash before each, whatever one writes.
MANGLED = "'\"\\"
FILE_MAX = 1 << 30  # Multiboot addresses have 32 bits, and firmware wants its share of what lies below 4 GiB
JOB_MAX = 2 << 30
CMDLINE_MAX = 4000  # bytes of one command line; kernel and roottasks read 4095, with the file's name
MULTIBOOT_MAGIC = struct.pack("<I", 0x1BADB002)
MULTIBOOT_WINDOW = 8192
EM_386, EM_X86_64, ET_EXEC = 3, 62, 2
ELF_HEAD = struct.Struct("<4sBB10xHH")  # magic, class, byte order, type, machine


class JobError(Exception):
    """The job cannot be booted; the text says why."""


@dataclasses.dataclass(frozen=True)
class Load:
    """A file and the words of its command line. Its name on the medium is not part of `words`."""

    path: pathlib.Path
    words: tuple = ()

    @property
    def name(self):
        return self.path.name

    def text(self):
        return " ".join(self.words)


@dataclasses.dataclass(frozen=True)
class Job:
    """One entry of a menu."""

    kernel: Load
    modules: tuple  # the roottask first
    title: str = ""

    # GRUB's commands for the kernel and for a module; whether the first word of a command line is the file's name.
    commands = ("$kernel", "$module")
    named = True
    kernel_name = "hypervisor.elf32"  # in folders for network boot
    ipxe_bytes = 512  # of all command lines, that iPXE passes

    def label(self):
        root = self.modules[0]
        return self.title or " ".join((root.name.removesuffix(".elf"),) + root.words)[:70]

    def loads(self):
        return (self.kernel,) + self.modules

    def check(self, place, load, data, kernel_bits):
        """Refuse a file that is not what it should be at this place of loads()."""
        if place == 0:
            check_kernel(load, data, kernel_bits)
        elif place == 1:
            check_roottask(load, data)


def make(kernel, cmdline, modules):
    """A Job from the kernel's path and command line, and (path, command line) of its modules."""
    loads = [Load(pathlib.Path(path), tuple(text.split())) for path, text in [(kernel, cmdline), *modules]]
    return Job(loads[0], tuple(loads[1:]))


def parse_load(text, folder="."):
    """A Load from "FILE words of its command line"; the file is relative to `folder`, and between quotes if it has blanks."""
    found = LOAD.fullmatch(text)
    if not found:
        raise JobError(f"a file name is missing: {text!r}")
    file, words = found[1] or found[2] or found[3], found[4] or ""
    return Load(pathlib.Path(folder) / file, tuple(words.split()))


def parse_file(path):
    """
    The job in a file: a line `load FILE words...` for the kernel, one for the roottask, one for each further module; `title
    TEXT` names it in menus. Files are relative to the job's folder.
    """
    path = pathlib.Path(path)
    loads, title = [], path.stem
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise JobError(f"{path}: not a text file") from None
    for number, line in enumerate(lines, 1):
        command, _, rest = line.strip().partition(" ")
        if command == "load" and rest.strip():
            loads.append(parse_load(rest, path.parent))
        elif command == "title" and rest.strip():
            title = rest.strip()
        elif command and not command.startswith("#"):
            raise JobError(f"{path}:{number}: `load FILE words...` or `title TEXT` expected, not: {line.strip()[:60]}")
    if len(loads) < 2:
        raise JobError(f"{path}: at least two `load` lines are needed, the kernel and the roottask")
    return Job(loads[0], tuple(loads[1:]), title)


def check_words(what, words):
    """Refuse what does not reach the program unchanged through all loaders."""
    for word in words:
        bad = [c for c in word if not "!" <= c <= "~" or c in MANGLED]
        if bad:
            raise JobError(f"{what}: {bad[0]!r} in {word!r}: boot loaders pass printable ASCII without quotes and backslashes only")
    if len(" ".join(words)) > CMDLINE_MAX:
        raise JobError(f"{what}: the command line is longer than {CMDLINE_MAX} bytes")


def read(load):
    """The file's content."""
    if not NAME.fullmatch(load.name):
        raise JobError(f"{load.path}: a name on a boot medium has letters, digits and ._+- only, at most 64: rename the file")
    try:
        if not load.path.is_file():
            raise JobError(f"{load.path}: {'not a regular file' if load.path.exists() else 'no such file'}")
        size = load.path.stat().st_size
        if size > FILE_MAX:
            raise JobError(f"{load.path}: {size >> 20} MiB; at most {FILE_MAX >> 20} MiB can be loaded")
        data = load.path.read_bytes()
    except OSError as error:
        raise JobError(f"{load.path}: {error.strerror}") from None
    if not data:
        raise JobError(f"{load.path}: the file is empty")
    return data


def elf_kind(path, data):
    """(bits, machine, type) of an ELF file."""
    if len(data) < ELF_HEAD.size or data[:4] != b"\x7fELF":
        raise JobError(f"{path}: not an ELF file")
    _, width, order, kind, machine = ELF_HEAD.unpack_from(data)
    if width not in (1, 2) or order != 1:
        raise JobError(f"{path}: not an ELF file for x86")
    return 32 * width, machine, kind


def check_kernel(load, data, bits=(32, 64), loader="iPXE"):
    """Refuse what is not the hypervisor; `loader`, named in the error, starts ELF files of these widths."""
    try:
        serial_word.of(load.words)
    except serial_word.LineError as error:
        raise JobError(str(error)) from None
    width, machine, _ = elf_kind(load.path, data)
    if machine not in (EM_386, EM_X86_64):
        raise JobError(f"{load.path}: a kernel for another processor than x86")
    if MULTIBOOT_MAGIC not in data[:MULTIBOOT_WINDOW]:
        raise JobError(f"{load.path}: no Multiboot header, so it is not the kernel")
    if width not in bits:
        raise JobError(f"{load.path}: a 64-bit ELF file, and {loader} starts 32-bit ones: give hypervisor.elf32")


def check_roottask(load, data):
    if elf_kind(load.path, data) != (64, EM_X86_64, ET_EXEC):
        raise JobError(f"{load.path}: a roottask is a 64-bit x86 ELF file of the type EXEC")


def collect(jobs, kernel_name=None, kernel_bits=(32, 64), reserved=()):
    """
    Check jobs and return the files they need, {name: content}. The kernels get the name `kernel_name`, if there is one; no
    file may have a name of `reserved`.
    """
    files, origin = {}, {}
    if not jobs:
        raise JobError("there is nothing to boot: give --roottask or --job")
    for job in jobs:
        check_words("the title", job.label().split())
        if not job.label()[0].isalnum():
            raise JobError(f"the title {job.label()!r} does not start with a letter or digit, and GRUB takes it for an option")
        size = 0
        for place, load in enumerate(job.loads()):
            check_words(load.path, load.words)
            name = kernel_name if place == 0 and kernel_name else load.name
            data = read(load)
            job.check(place, load, data, kernel_bits)
            size += len(data)
            add(files, origin, name, load.path, data, reserved)
        if size > JOB_MAX:
            raise JobError(f"{job.label()}: {size >> 20} MiB in all; at most {JOB_MAX >> 20} MiB fit below 4 GiB")
    return files


def add(files, origin, name, path, data, reserved):
    """Add a file; two may have the same name, in any case of letters, only if they are the same."""
    key = name.lower()
    if key in (word.lower() for word in reserved):
        raise JobError(f"{path}: the name {name} is taken by a file of the boot medium itself: rename the file")
    if key in origin and (origin[key][0] != name or files[name] != data):
        raise JobError(f"{origin[key][1]} and {path} would have the same name, {name}, and they differ: rename one")
    origin.setdefault(key, (name, path))
    files[name] = data
