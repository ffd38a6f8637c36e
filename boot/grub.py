# SPDX-License-Identifier: GPL-2.0-or-later
"""GRUB: its configuration for jobs, and its images made by grub-mkimage, which hold every module they need."""

import hashlib
import io
import pathlib
import tarfile

import serial_word
import tools

FOLDER = "/boot/hedron"  # of kernels and modules on a medium
CONFIG = "/boot/grub/grub.cfg"
SUMS = f"{FOLDER}/SHA256SUMS"
DELAY = 60  # seconds before a machine that cannot boot restarts
MODULES = pathlib.Path("/usr/lib/grub")
PLATFORMS = {"bios": "i386-pc", "efi": "x86_64-efi"}
COMMON = "normal eval echo sleep reboot test true serial terminal hashsum gcry_sha256 multiboot2 linux fat part_gpt part_msdos"
ON_DISK = "search_fs_file iso9660"
BIOS = "biosdisk multiboot"
EFI = "efi_gop"  # without a driver GRUB has no screen of pixels for the kernel
IN_MEMORY = "memdisk tar"

# What happens when a job does not start. The first word is what a supervisor looks for at the start of a line.
FAIL = """function fail {{
	terminal_output --append serial
	echo
	echo "FLEET-BOOT-FAIL grub: $1"
	echo "Restart in {delay} s."
	sleep --interruptible {delay}
	reboot
}}
"""
# GRUB's own answer to a configuration that it cannot read is a prompt, for ever: the medium is damaged, or so large that there
# was no memory left for it. What GRUB runs before it looks knows no conditions, but the command eval, which takes one line.
UNREADABLE = ("""eval 'if ! test -f $prefix/grub.cfg; then serial --unit=0 --speed=115200; """
              """terminal_output --append serial; echo; """
              """echo "FLEET-BOOT-FAIL grub: no configuration: too little memory, or a damaged medium"; """
              """echo "Restart in {delay} s."; sleep --interruptible {delay}; reboot; fi'\n""")
SERIAL = """if {command}; then
	terminal_input --append serial
	terminal_output --append serial
fi
"""
# Where there is a BIOS, text will do: not every one survives GRUB's questions about its pixels (that of Bochs does not).
SCREEN = """set screen=auto
if [ "$grub_platform" = pc ]; then
	set screen=text
fi
"""
MULTIBOOT1 = """if [ "$grub_platform" = pc ]; then
	set kernel=multiboot
	set module=module
fi
"""


def quote(words):
    """Words for GRUB's language, in which nothing between single quotes means anything. Jobs have no such quotes."""
    return " ".join(f"'{word}'" for word in words)


VERIFY = f"""	if ! hashsum --hash sha256 --prefix {FOLDER} --check {SUMS}; then
		fail 'a file is damaged or missing'
	fi
"""


def entry(job, kernel_name=None, verify=True):
    """A menu entry. The first word of each command line is the file's name, as with other loaders."""
    commands = []
    for place, load in enumerate(job.loads()):
        name = kernel_name if place == 0 and kernel_name else load.name
        command = f"{job.commands[min(place, 1)]} {FOLDER}/{name}"
        commands.append((f"{command} {quote(((name,) if job.named else ()) + load.words)}".rstrip(), name))
    text = "".join(f"\tif ! {command}; then\n\t\tfail 'cannot load {name}'\n\tfi\n" for command, name in commands)
    return (f"menuentry {quote([job.label()])} {{\n" + (VERIFY if verify else "") + text +
            "\tset gfxpayload=$screen\n\tboot\n\tfail 'the kernel does not start'\n}\n")


def serial_command(jobs):
    """For GRUB's serial line: that of the kernels, if it is at the same port for all, else COM1."""
    lines = [serial_word.of(job.kernel.words) for job in jobs]
    line = lines[0]
    if not line or not line.port or any(other != line for other in lines):
        return "serial --unit=0 --speed=115200"
    parity = {"n": "no", "e": "even", "o": "odd"}[line.parity]
    return f"serial --port={line.port:#x} --speed={line.baud or 115200} --word={line.bits} --parity={parity}"


def config(jobs, timeout, protocol="mb2", delay=DELAY, kernel_name=None, verify=True, first=(), mode=""):
    """
    The configuration. One job is booted at once, and the serial line belongs to the kernel; several make a menu, on screen
    and serial line. `protocol` is for BIOS machines: UEFI needs Multiboot 2. `verify`: compare checksums before. `first` are
    commands that are run before anything else, `mode` is what the screen shall be, as GRUB names it ("1024x768x32").
    """
    menu = len(jobs) > 1
    text = f"set timeout={timeout if menu else 0}\nset default=0\nset kernel=multiboot2\nset module=module2\n"
    text += f"set screen={mode}\n" if mode else SCREEN
    text += MULTIBOOT1 if protocol == "mb1" else ""
    command = serial_command(jobs)
    text += SERIAL.format(command=command) if menu else f"{command}\n"
    text += "".join(f"{command}\n" for command in first)
    return text + FAIL.format(delay=delay) + "".join(entry(job, kernel_name, verify) for job in jobs)


def sums(files):
    """What sha256sum prints."""
    return "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items())).encode()


def tree(files, text):
    """{path: content} of everything GRUB reads from a medium."""
    found = {f"{FOLDER}/{name}": data for name, data in files.items()}
    return {**found, SUMS: sums(files), CONFIG: text.encode()}


def tar(paths):
    """A tar archive of {path: content}, the same for the same input."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, data in sorted(paths.items()):
            info = tarfile.TarInfo(path.lstrip("/"))
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def modules_folder(firmware):
    """Where GRUB's modules for "bios" or "efi" are."""
    folder = MODULES / PLATFORMS[firmware]
    if not folder.is_dir():
        raise tools.ToolError(f"{folder} is missing: install grub-pc-bin and grub-efi-amd64-bin")
    return folder


def modules_of(commands):
    """GRUB's modules that have these commands."""
    lines = (modules_folder("bios") / "command.lst").read_text(encoding="ascii").splitlines()
    module_of = {name.lstrip("*"): module.strip() for name, _, module in (line.partition(":") for line in lines)}
    names = {command.split()[0] for command in commands}
    if names - module_of.keys():
        raise tools.ToolError(f"GRUB has no command {min(names - module_of.keys())}")
    return {module_of[name] for name in names}


def mkimage(kind, modules, early, folder, memdisk=None):
    """GRUB's image for `kind`: i386-pc (disks), i386-pc-eltorito (CDs) or x86_64-efi; `early` is run before it looks around."""
    firmware = "efi" if kind == "x86_64-efi" else "bios"
    output = folder / f"grub.{kind}"
    (folder / "early.cfg").write_text(early)
    command = ["grub-mkimage", "-O", kind, "-d", modules_folder(firmware), "-o", output, "-p", "/boot/grub",
               "-c", folder / "early.cfg"]
    if memdisk is not None:
        (folder / "memdisk.tar").write_bytes(memdisk)
        command += ["-m", folder / "memdisk.tar"]
    tools.run(command + modules.split())
    return output.read_bytes()


def disk_image(kind, mark, folder, first=()):
    """GRUB for a disk or a CD: looks for the medium with the file `mark`, preferring the one it was started from."""
    extra = EFI if kind == "x86_64-efi" else BIOS
    early = f"search.file {mark} root $root\nset prefix=($root)/boot/grub\n" + UNREADABLE.format(delay=DELAY)
    return mkimage(kind, f"{COMMON} {ON_DISK} {extra} {' '.join(sorted(modules_of(first)))}", early, folder)


def standalone(paths, folder, delay=DELAY):
    """An EFI program that holds the files {path: content} itself."""
    early = "set root=memdisk\nset prefix=(memdisk)/boot/grub\n" + UNREADABLE.format(delay=delay)
    return mkimage("x86_64-efi", f"{COMMON} {IN_MEMORY} {EFI}", early, folder, tar(paths))
