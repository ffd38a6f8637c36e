# SPDX-License-Identifier: GPL-2.0-or-later
"""
A folder for TFTP or HTTP servers. BIOS machines run boot.ipxe, whose iPXE starts the kernel by Multiboot 1; UEFI machines
run job.efi, a GRUB that holds the jobs and starts them by Multiboot 2, which iPXE cannot on UEFI.
"""

import hashlib
import json
import os
import pathlib
import re
import tempfile

import grub
import job
import signing

FORMAT = 1
UNDIONLY = pathlib.Path("/usr/lib/ipxe/undionly.kpxe")  # iPXE for network cards with a PXE ROM of somebody else
MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
RESERVED = ("boot.ipxe", "job.efi", "undionly.kpxe", MANIFEST, SUMS)
SIGNATURE = ".sig"  # behind the name of what is signed
DELAY = 1  # seconds before a machine that cannot boot restarts
# iPXE silently drops modules beyond its limit, and cuts command lines (Job.ipxe_bytes), which start with the file's URL.
IPXE_MODULES_MAX = 8
URL_ASSUMED = "http://255.255.255.255:65535/".ljust(64, "x")  # where nobody says where the folder will be
URL = re.compile(r"(https?|tftp)://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?")


def check_ipxe(work, base):
    """Refuse what iPXE would change. GRUB's limits are wider."""
    if len(work.modules) > IPXE_MODULES_MAX:
        raise job.JobError(f"{work.label()}: {len(work.modules)} modules; iPXE passes at most {IPXE_MODULES_MAX}")
    for word in [*work.label().split(), *(word for load in work.loads() for word in load.words)]:
        if word.startswith("#") or word in ("&&", "||", ";") or "${" in word:
            raise job.JobError(f"{work.label()}: the word {word!r} means something to iPXE and would not be passed")
    size = 0
    for load in work.loads():
        size += len(base) + len(load.name) + len(load.text()) + 2
    if size > work.ipxe_bytes:
        raise job.JobError(f"{work.label()}: the command lines have {size} bytes in all, with the files' URLs, and iPXE passes "
                           f"{work.ipxe_bytes}")


def fetch(command, name, file, words, base, signed):
    """Lines that fetch a file, under a name of its own: iPXE takes a file for one it has already if the names are equal."""
    yield " ".join((command, "--name", name, base + file) + words) + " || goto fail"
    if signed:
        yield f"imgverify {name} {base}{file}{SIGNATURE} || goto fail"


def job_lines(work, base, signed):
    """Lines that fetch a job's files and boot it."""
    yield from fetch("kernel", work.kernel_name, work.kernel_name, work.kernel.words, base, signed)
    for number, load in enumerate(work.modules, 1):
        yield from fetch("module", f"{number}.{load.name}", load.name, load.words, base, signed)
    yield "boot || goto fail"


def menu_lines(jobs, timeout):
    """A menu; iPXE would wait for ever if the time were 0."""
    yield "menu Hedron"
    yield from (f"item job{number} {work.label()}" for number, work in enumerate(jobs))
    yield f"choose --default job0 --timeout {max(timeout * 1000, 1)} selected || goto fail"
    yield "goto ${selected}"


def script(jobs, timeout, base="", signed=False):
    """boot.ipxe. `base` is put before the names of files, which otherwise are relative to the script's own URL."""
    lines = ["#!ipxe"] + (["imgtrust --permanent || goto unable"] if signed else [])
    lines += ["iseq ${platform} efi && goto efi ||"] + (list(menu_lines(jobs, timeout)) if len(jobs) > 1 else [])
    for number, work in enumerate(jobs):
        lines += [f":job{number}", *job_lines(work, base, signed)]
    lines += [":efi", *fetch("imgfetch", "job.efi", "job.efi", (), base, signed), "chain --autofree job.efi || goto fail"]
    lines += [":unable", "echo This iPXE cannot verify signatures (IMAGE_TRUST_CMD)."] if signed else []
    lines += [":fail", "echo", "echo FLEET-BOOT-FAIL ipxe: errno=${errno}", f"sleep {DELAY}", "reboot"]
    return "\n".join(lines) + "\n"


def describe(jobs, files):
    """manifest.json: what a supervisor wants to know without looking into scripts."""
    def load(name, part):
        return {"file": name, "words": list(part.words)}

    entries = [{"title": work.label(), "kernel": load(work.kernel_name, work.kernel),
                "modules": [load(part.name, part) for part in work.modules]} for work in jobs]
    listed = {name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in files.items()}
    text = json.dumps({"format": FORMAT, "jobs": entries, "files": listed}, indent=2, sort_keys=True)
    return (text + "\n").encode()


def make_files(jobs, timeout, url="", keys=None):
    """{name: content} of the folder. `keys` is a folder made by boot/labca, or None."""
    if url and not URL.fullmatch(url):
        raise job.JobError(f"not a URL of a folder: {url}")
    base = url.rstrip("/") + "/" if url else ""
    kernel = jobs[0].kernel_name if jobs else None
    payload = job.collect(jobs, kernel, (32,), RESERVED)
    for work in jobs:
        check_ipxe(work, base or URL_ASSUMED)
    files = dict(payload)
    text = grub.config(jobs, timeout, delay=DELAY, kernel_name=kernel)
    with tempfile.TemporaryDirectory(prefix="hedron-netboot.") as folder:
        files["job.efi"] = grub.standalone(grub.tree(payload, text), pathlib.Path(folder), DELAY)
    files["boot.ipxe"] = script(jobs, timeout, base, bool(keys)).encode()
    if UNDIONLY.is_file():
        files[UNDIONLY.name] = UNDIONLY.read_bytes()
    if keys:
        for name in files:
            if name + SIGNATURE in files:
                raise job.JobError(f"{name}{SIGNATURE} is the name of a signature: rename the file")
        files.update({name + SIGNATURE: signing.sign(keys, data) for name, data in sorted(files.items())})
    files[MANIFEST] = describe(jobs, files)
    files[SUMS] = grub.sums(files)
    return files


def own_files(folder):
    """Names of the files that an earlier run left in the folder."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return {name for name in found["files"] if job.NAME.fullmatch(name.removesuffix(SIGNATURE))} | {MANIFEST, SUMS}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return set()


def write(folder, files):
    """Write the files, in place of those of an earlier run. What somebody else put there is left alone, or refused."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    old = own_files(folder)
    for name in files:
        if name not in old and os.path.lexists(folder / name):
            raise job.JobError(f"{folder / name} exists and was not made by an earlier run: choose another folder")
    for name in old - files.keys():
        (folder / name).unlink(missing_ok=True)
    for name, data in files.items():
        part = folder / f".{name}.part"
        try:
            part.write_bytes(data)
            part.replace(folder / name)
        finally:
            part.unlink(missing_ok=True)
