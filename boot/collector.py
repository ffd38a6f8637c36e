# SPDX-License-Identifier: GPL-2.0-or-later
"""
A small Linux that collects what the hypervisor has written into RAM (`log=ram`) before the machine was reset, and sends it
home. Debian's kernel with its ramoops driver; busybox; boot/collector_init.sh, which does the work.
"""

import gzip
import hashlib
import io
import os
import pathlib
import re
import subprocess
import tarfile
import tempfile

import grub
import job
import tools

LINUX, BUSYBOX = "linux-image-amd64", "busybox-static"  # packages of Debian
# Network cards of machines and emulators. Others are one more name here.
CARDS = "virtio_net virtio_pci e1000 e1000e igb igc ixgbe i40e r8169 tg3 atlantic 8139too 8139cp vmxnet3 alx sky2 forcedeth".split()
RAMOOPS = "ramoops"
INIT = pathlib.Path(__file__).with_name("collector_init.sh")
# Where the kernel puts its log unless it is told otherwise, in its order.
PLACES = (0x50000000, 0x28000000, 0x14000000, 0x0A000000, 0x05000000)
SIZE, SIZE_MIN, SIZE_MAX = 1 << 20, 4 << 10, 64 << 20
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20}
# One processor is enough. Linux must not move to where the log is, and not wait for somebody who reads its panic.
WORDS = "quiet loglevel=3 nr_cpus=1 nokaslr panic=5 random.trust_cpu=on console=ttyS0,115200 console=tty0".split()
DEPENDS = re.compile(rb"\0depends=([^\0]*)\0")
LINUX_MAGIC, LINUX_MAGIC_AT = b"HdrS", 0x202  # of the boot protocol, Documentation/arch/x86/boot.rst of Linux
HOME = re.compile(r"http://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~/-]*)?")
LINK, FOLDER, FILE = 0o120777, 0o040755, 0o100755


class LinuxJob(job.Job):
    """A kernel of Linux with its first file system, in the place of a hypervisor with its roottask."""

    commands = ("linux", "initrd")
    named = False  # Linux does not want its own name in its command line
    kernel_name = "vmlinuz"
    ipxe_bytes = 2047  # of the kernel's own command line

    def check(self, place, load, data, kernel_bits):
        if place == 0 and data[LINUX_MAGIC_AT:LINUX_MAGIC_AT + len(LINUX_MAGIC)] != LINUX_MAGIC:
            raise job.JobError(f"{load.path}: no kernel of Linux")


# --- packages ---


def cache():
    """The folder in which fetched packages are kept."""
    folder = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "hedron"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def apt(program, *words, folder=None):
    """Run one of apt's programs, in a folder if it is given, and return its output."""
    try:
        done = subprocess.run([program, *map(str, words)], capture_output=True, text=True, check=False, cwd=folder,
                              stdin=subprocess.DEVNULL, env=tools.environment())
    except FileNotFoundError:
        raise tools.ToolError(f"{program} is missing, for this is no Debian: give the packages as files to --linux and "
                              "--busybox") from None
    if done.returncode:
        raise tools.ToolError(f"{program} failed:\n{done.stderr.strip()[-1000:]}")
    return done.stdout


def download(name, folder, *options):
    """Fetch a package into the folder. A kernel's name without a version is a package that depends on the one to be fetched."""
    about = apt("apt-cache", *options, "show", "--no-all-versions", name)
    found = re.search(r"^Depends: (linux-image-\S+)", about, re.MULTILINE)
    apt("apt-get", *options, "download", found[1] if found and name.startswith("linux-image") else name, folder=folder)
    file, = folder.glob("*.deb")
    return file


def download_anew(name, folder):
    """The same with lists of packages of our own: those of the system may be old or missing, and belong to root."""
    options = []
    for setting, place in (("Dir::State::lists", "lists"), ("Dir::Cache", "cache")):
        (folder / place / "partial").mkdir(parents=True)
        options += ["-o", f"{setting}={folder / place}"]
    apt("apt-get", *options, "update")
    return download(name, folder, *options)


def fetch(name):
    """The file of a package: the one that was fetched before, or a new one."""
    if name.endswith(".deb"):
        return pathlib.Path(name)
    have = sorted(cache().glob(f"{name}=*.deb"))
    if have:
        return have[-1]
    with tempfile.TemporaryDirectory(prefix=".fetch.", dir=cache()) as folder:
        folder = pathlib.Path(folder)
        try:
            file = download(name, folder)
        except tools.ToolError:
            file = download_anew(name, folder)
        kept = cache() / f"{name}={file.name}"
        file.replace(kept)
    return kept


def fetch_all():
    """Have the packages that collectors are made of, so that one can be made without a network."""
    return [fetch(name) for name in (LINUX, BUSYBOX)]


def unpack(deb, wanted):
    """{path: content} of the files in a package that `wanted` likes."""
    files = {}
    with tarfile.open(fileobj=io.BytesIO(tools.run(["dpkg-deb", "--fsys-tarfile", deb]))) as archive:
        for member in archive:
            if member.isfile() and wanted(member.name.lstrip("./")):
                files[member.name.lstrip("./")] = archive.extractfile(member).read()
    return files


# --- the first file system ---


def needed(modules, names):
    """{name: content} of the modules and of what they depend on, which comes first. Names that a kernel lacks are left out."""
    found = {}

    def add(name):
        name = name.replace("-", "_")
        if name in found or name not in modules:
            return
        depends = DEPENDS.search(modules[name])
        for other in depends[1].decode().split(",") if depends and depends[1] else ():
            add(other)
        found[name] = modules[name]

    for name in names:
        add(name)
    return found


def cpio(entries):
    """An archive of [(path, mode, content)] in the format "newc", the same for the same input."""
    out = bytearray()
    for number, (path, mode, data) in enumerate([*entries, ("TRAILER!!!", 0, b"")], 1):
        name = path.encode() + b"\0"
        fields = (number, mode, 0, 0, 1, tools.epoch() & 0xFFFFFFFF, len(data), 0, 0, 0, 0, len(name), 0)
        out += b"070701" + b"".join(b"%08X" % field for field in fields) + name
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)
    return bytes(out)


def file_system(modules, busybox):
    """Everything Linux runs: /init, /bin, and the modules, numbered in the order in which they are loaded."""
    folders = ("bin", "dev", "proc", "sys", "tmp", "modules", "modules/log", "modules/net")
    entries = [(name, FOLDER, b"") for name in folders]
    entries += [("init", FILE, INIT.read_bytes()), ("bin/busybox", FILE, busybox), ("bin/sh", LINK, b"busybox")]
    for place, names in (("log", (RAMOOPS,)), ("net", CARDS)):
        entries += [(f"modules/{place}/{number:02}-{name}.ko", FILE, data)
                    for number, (name, data) in enumerate(needed(modules, names).items())]
    return gzip.compress(cpio(entries), mtime=0)


def unpack_linux(deb):
    """The kernel as "vmlinuz" and the modules of interest, by name."""
    files = unpack(deb, lambda path: path.startswith("boot/vmlinuz-") or path.endswith(".ko"))
    kernels = [data for path, data in files.items() if path.startswith("boot/")]
    modules = {pathlib.PurePath(path).stem.replace("-", "_"): data for path, data in files.items() if path.endswith(".ko")}
    if len(kernels) != 1 or RAMOOPS not in modules:
        raise tools.ToolError(f"{deb}: not a package of Debian's with one kernel and the driver {RAMOOPS}")
    return {"vmlinuz": kernels[0], **needed(modules, (RAMOOPS, *CARDS))}


def linux_of(deb):
    """The same; for fetched packages it is kept beside them, because it takes long to unpack them."""
    wanted = hashlib.sha256(" ".join(CARDS).encode()).hexdigest()[:8]
    kept = cache() / f"{deb.name}.{wanted}.tar"
    if deb.parent != cache():
        return unpack_linux(deb)
    if not kept.exists():
        part = kept.with_suffix(f".{os.getpid()}")
        part.write_bytes(grub.tar(unpack_linux(deb)))
        part.replace(kept)
    with tarfile.open(kept) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}


# --- the job ---


def number(text, what, units=False):
    """A number, decimal or hexadecimal, if wanted with K or M behind it; `what` names it in the error."""
    found = re.fullmatch(r"(0[xX][0-9a-fA-F]+|[0-9]+)([KM]?)", text)
    if not found or (found[2] and not units):
        raise job.JobError(f"{what}: {text!r} is no number{', such as 64K or 1M' if units else ''}")
    return int(found[1], 0) * UNITS[found[2]]


def words(size, places, home):
    """Linux's command line. It has to leave the log alone, wherever that may be."""
    if size & (size - 1) or not SIZE_MIN <= size <= SIZE_MAX:
        raise job.JobError("--size: a power of two from 4K to 64M, the one of the kernel's log=ram")
    if any(place % 4096 or not 0 < place < 1 << 32 for place in places):
        raise job.JobError("--place: the address of a page below 4 GiB, the one of the kernel's log=ram")
    if home and not HOME.fullmatch(home):
        raise job.JobError(f"--home: not a URL such as http://10.77.0.1:8080/log: {home}")
    told = [f"collector.size={size:#x}", "collector.places=" + ",".join(f"{place:#x}" for place in places)]
    return (*WORDS, *(f"memmap={size:#x}${place:#x}" for place in places), *told, *([f"collector.home={home}"] if home else []))


def make(folder, linux=LINUX, busybox=BUSYBOX, size=SIZE, places=PLACES, home=""):
    """The job, of files that are put into `folder`."""
    line = words(size, places, home)
    modules = linux_of(fetch(linux))
    kernel = modules.pop("vmlinuz")
    program = unpack(fetch(busybox), lambda path: path.endswith("bin/busybox"))
    if len(program) != 1:
        raise tools.ToolError(f"{busybox}: it has no busybox")
    (folder / "vmlinuz").write_bytes(kernel)
    (folder / "initrd.img").write_bytes(file_system(modules, *program.values()))
    return LinuxJob(job.Load(folder / "vmlinuz", line), (job.Load(folder / "initrd.img"),), "Collector of logs in RAM")
