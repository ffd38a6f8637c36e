# SPDX-License-Identifier: GPL-2.0-or-later
"""Boots an image in QEMU or Bochs, reads the serial line, and ends when the guest does. boot/run is the command for it."""

import dataclasses
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time

import acpi_table
import firmware_tables
import screen

VGA_TEXT, VGA_SIZE = 0xB8000, 80 * 25 * 2
POLL = 0.05  # seconds between two looks at the machine
GRACE = 0.5  # seconds for the lines that follow a fatal one
QMP_PATIENCE = 60  # seconds; QEMU may be as busy as its guest, and its host
SCREEN_PATIENCE = 30  # seconds from a line on the serial port to the same on the screen
HTTP_HOST = "10.0.2.100"
HTTP = f"http://{HTTP_HOST}"
COM_PORTS = {"com1": (0x3F8, 4), "com2": (0x2F8, 3), "com3": (0x3E8, 4), "com4": (0x2E8, 3)}  # port and interrupt
PCI_LINE = "1e.0"  # where a card with a serial line is plugged in, on bus 0
VIDEO = {  # QEMU's words for graphics cards
    "vga": ["-vga", "std"],
    "large": ["-vga", "std", "-global", "VGA.vgamem_mb=64"],  # its BIOS has modes up to 2560x1600
    "none": ["-vga", "none"],
    "bochs": ["-vga", "none", "-device", "bochs-display"],
    "ramfb": ["-vga", "none", "-device", "ramfb"],
}
OVMF = pathlib.Path("/usr/share/OVMF")
BOCHS_ROMS = {"romimage": "/usr/share/bochs/BIOS-bochs-latest", "vgaromimage": "/usr/share/bochs/VGABIOS-lgpl-latest"}


class MachineError(Exception):
    """The emulator could not be started; the text says why."""


@dataclasses.dataclass
class Machine:
    """What to boot on what. One of `kernel` (QEMU's own Multiboot 1 loader), `iso` (a CD), `disk` (a memory stick), `netboot`."""

    kernel: str = ""
    modules: list = dataclasses.field(default_factory=list)  # (path, command line)
    cmdline: str = "serial"
    iso: str = ""
    disk: str = ""
    netboot: str = ""  # a folder made by boot/mkimage
    http: bool = False  # served by HTTP instead of TFTP
    emulator: str = "qemu"
    firmware: str = "bios"
    board: str = "pc"
    without: list = dataclasses.field(default_factory=list)  # QEMU: parts that the board lacks ("pit", "hpet", "acpi")
    cpu: str = "max"
    cpus: int = 1
    sockets: int = 1
    threads: int = 1  # of each core
    others: list = dataclasses.field(default_factory=list)  # QEMU: further CPUs, which differ in these features ("smap=off")
    absent: int = 0  # QEMU: CPUs that firmware lists and that are not there; its tables say nothing else then
    absent_first: bool = False  # they are listed before the others
    tables_at: int = 0  # QEMU: where the ACPI tables are, which say nothing else than what CPUs there are
    memory: int = 512  # MiB
    low: int = 0  # QEMU: MiB of it that may be below 4 GiB, instead of 3 GiB or so
    quantum: int = 16  # Bochs: instructions of one CPU before it is another one's turn
    msrs: dict = dataclasses.field(default_factory=dict)  # Bochs: registers that its model lacks, number: value
    kvm: bool = False  # the host's CPU executes the guest
    icount: bool = False  # count instructions: repeatable, and the TSC is their number
    line: str = "com1"  # QEMU: the serial line; or "pci", a card, or "none"
    idle_com1: bool = False  # QEMU: there is a COM1, too, to which nobody listens
    tables: list = dataclasses.field(default_factory=list)  # QEMU: ACPI tables ("spcr", "dbg2") that name the line
    video: str = "vga"  # QEMU: the graphics card, one of VIDEO
    pixels: bool = False  # the kernel gets a screen of pixels; else one of text, if there is a card
    exit_device: bool = True  # let the guest end the emulator with a write to port 0xf4
    gdb: str = ""  # QEMU: a socket where a debugger is awaited before the first instruction
    debugger: str = ""  # Bochs: what its debugger is told; it then stops at XCHG BX, BX, too


@dataclasses.dataclass
class Outcome:
    """What came of it."""

    serial: str
    screen: str  # what is written on it; only filled for a QEMU machine that was still running at the end
    status: object  # the emulator's exit code, or None if it had to be stopped
    seconds: float
    why: str  # "exit", "matched", "doomed", "timeout", or what `stop` said
    said: str = ""  # what the emulator itself wrote
    registers: str = ""  # of all CPUs; only of a QEMU that did not come to the end it should have come to


def topology(machine):
    """Sockets, cores of each, threads of each core."""
    cores, rest = divmod(machine.cpus, machine.sockets * machine.threads)
    if rest:
        raise MachineError(f"{machine.cpus} CPUs are not {machine.sockets} sockets with {machine.threads} threads per core")
    return machine.sockets, cores, machine.threads


def qemu_command(machine, serial, monitor, folder):
    """QEMU's command line. `serial` and `monitor` are a file and a socket to create."""
    sockets, cores, threads = topology(machine)
    more = len(machine.others)
    smp = f"{machine.cpus},maxcpus={machine.cpus + more},sockets={sockets},cores={cores + more},threads={threads}"
    own = machine.absent or machine.tables_at
    without = [*machine.without, *(["acpi"] if own else [])]
    board = f"{machine.board},accel={accelerator(machine)},memory-backend=ram" + "".join(f",{part}=off" for part in without)
    board += f",max-ram-below-4g={machine.low}M" if machine.low else ""
    command = ["qemu-system-x86_64", "-machine", board + (",graphics=off" if machine.netboot else ""), "-cpu", machine.cpu,
               # Memory of the guest that it never touches costs the host nothing, not even a promise.
               "-object", f"memory-backend-ram,id=ram,size={machine.memory}M,reserve=off", "-m", str(machine.memory),
               "-smp", smp, "-display", "none", *([] if machine.board == "microvm" else VIDEO[machine.video]),
               "-no-reboot", "-monitor", "none", "-qmp", f"unix:{monitor},server=on,wait=off"]
    for number, features in enumerate(machine.others, machine.cpus):
        command += ["-device", f"{machine.cpu.partition(',')[0]}-x86_64-cpu,socket-id=0,core-id={number},thread-id=0,{features}"]
    if own:
        command += own_tables(machine, folder)
    if machine.exit_device:
        command += ["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
    if machine.gdb:
        command += ["-S", "-gdb", f"unix:{machine.gdb},server=on,wait=off"]
    if machine.icount:
        command += ["-icount", "shift=0,sleep=off"]
    if machine.firmware == "efi":
        command += firmware(folder)
    return command + serial_line(machine, serial, folder) + boot_from(machine, folder)


def serial_line(machine, serial, folder):
    """The arguments for the serial line, which writes to the file `serial`, and for the tables that name it."""
    command = ["-serial", "null" if machine.idle_com1 else "none"]
    if machine.line == "none":
        return command
    command += ["-chardev", f"file,id=line,path={serial}"]
    if machine.line == "com1":
        return ["-serial", "chardev:line", *command[2:]]
    if machine.line == "pci":
        return command + ["-device", f"pci-serial,chardev=line,addr={PCI_LINE}"]
    port, interrupt = COM_PORTS[machine.line]
    for name in machine.tables:
        (folder / name).write_bytes(acpi_table.MAKERS[name](port))
        command += ["-acpitable", f"file={folder}/{name}"]
    return command + ["-device", f"isa-serial,chardev=line,iobase={port:#x},irq={interrupt}"]


def own_tables(machine, folder):
    """Firmware's tables, with nothing but a list of CPUs, of which some may not be there."""
    there, absent = range(machine.cpus), range(machine.cpus, machine.cpus + machine.absent)
    if machine.cpus + machine.absent > 0xFF:
        raise MachineError("there are identifiers for 255 CPUs")
    madt = acpi_table.madt([*absent, *there] if machine.absent_first else [*there, *absent])
    command = []
    if machine.tables_at:
        files, content = firmware_tables.files_at(machine.tables_at, madt)
        (folder / "tables").write_bytes(content)
        command += ["-device", f"loader,file={folder}/tables,addr={machine.tables_at:#x},force-raw=on"]
    else:
        files = firmware_tables.files(madt)
    for name, data in files.items():
        path = folder / name.replace("/", ".")
        path.write_bytes(data)
        command += ["-fw_cfg", f"name={name},file={path}"]
    return command


def accelerator(machine):
    """QEMU's name for what executes the guest."""
    if not machine.kvm:
        return "tcg"
    if machine.icount:
        raise MachineError("KVM does not count instructions")
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        raise MachineError("KVM is not available: /dev/kvm cannot be opened (a CPU with virtualization, the module kvm and the "
                           "group kvm are needed)")
    return "kvm"


def firmware(folder):
    """UEFI with fresh variables: what an earlier machine learned of its disks would be wrong for this one."""
    variables = folder / "vars.fd"
    try:
        shutil.copy(OVMF / "OVMF_VARS_4M.fd", variables)
    except OSError as error:
        raise MachineError(f"{error}: install the package ovmf") from None
    flash = "if=pflash,format=raw,unit="
    return ["-drive", f"{flash}0,readonly=on,file={OVMF}/OVMF_CODE_4M.fd", "-drive", f"{flash}1,file={variables}"]


def boot_from(machine, folder):
    """The arguments for what is booted. Files get names of ours: a comma in a path would end an argument."""
    if machine.netboot:
        return boot_from_net(machine, folder)
    if machine.iso or machine.disk:
        (folder / "medium").symlink_to(pathlib.Path(machine.iso or machine.disk).resolve())
    if machine.iso:
        return ["-net", "none", "-cdrom", str(folder / "medium"), "-boot", "d"]
    if machine.disk:
        return ["-net", "none", "-drive", f"if=none,id=stick,format=raw,snapshot=on,file={folder}/medium", "-device", "qemu-xhci",
                "-device", "usb-storage,drive=stick,removable=on,bootindex=1"]
    command = ["-net", "none", "-kernel", machine.kernel, "-append", machine.cmdline]
    if machine.modules:
        # A comma ends a module, so a comma inside one is written twice.
        loads = ((plain(path, folder), words) for path, words in machine.modules)
        command += ["-initrd", ",".join(f"{path} {words}".strip().replace(",", ",,") for path, words in loads)]
    return command


def plain(path, folder):
    """The path, or one from the folder, in which QEMU is started, if it has blanks, which would end it."""
    if " " not in path:
        return path
    link = folder / str(len(list(folder.iterdir()))) / pathlib.Path(path).name
    link.parent.mkdir()
    link.symlink_to(pathlib.Path(path).resolve())
    return str(link.relative_to(folder))


def boot_from_net(machine, folder):
    """
    QEMU's user network, whose only hosts are its own servers: TFTP, or one HTTP server per connection. BIOS machines have
    iPXE in their network card. UEFI gets job.efi by TFTP itself; by HTTP through the card's iPXE, as QEMU's DHCP server cannot
    tell UEFI what it wants to know.
    """
    (folder / "tree").symlink_to(pathlib.Path(machine.netboot).resolve())
    efi = machine.firmware == "efi"
    net = f"user,id=net,restrict=on,tftp={folder}/tree,bootfile={'job.efi' if efi else 'boot.ipxe'}"
    if machine.http:
        if not shutil.which("busybox"):
            raise MachineError("busybox, here the HTTP server, is missing: install busybox")
        net = f"user,id=net,restrict=on,bootfile={HTTP}/boot.ipxe,guestfwd=tcp:{HTTP_HOST}:80-cmd:busybox httpd -i -h {folder}/tree"
    card = "virtio-net-pci" if efi else "e1000"
    rom = ",romfile=" if efi and not machine.http else ""
    return ["-netdev", net, "-device", f"{card},netdev=net,bootindex=1{rom}", "-device", "virtio-rng-pci",
            "-boot", "strict=on,reboot-timeout=1000"]


def bochs_command(machine, serial, folder):
    """Write Bochs's configuration and return its command line. Debian's build starts in its debugger: `c` continues."""
    if not machine.iso and not machine.disk:
        raise MachineError("Bochs boots images of CDs and disks only: make one with boot/mkimage")
    if machine.firmware != "bios" or machine.icount or machine.kvm:
        raise MachineError("Bochs has a BIOS, counts instructions by itself, and no KVM")
    if machine.line != "com1":
        raise MachineError("Bochs has its serial line in COM1")
    for rom in BOCHS_ROMS.values():
        if not pathlib.Path(rom).exists():
            raise MachineError(f"{rom} is missing: install bochsbios and vgabios")
    count = ":".join(map(str, topology(machine)))
    # With several CPUs MWAIT must not sleep: Bochs 2.7 does not see a store to the monitored line by a CPU that has the page in
    # its TLB, because its MONITOR drops TLB entries at the physical address instead of the linear one.
    # And it runs through every instruction of each CPU's time, so a second that firmware waits had better be short.
    ips = 100000000 if machine.cpus == 1 else 5000000
    config = [f"cpu: model={machine.cpu}, count={count}, ips={ips}, quantum={machine.quantum}, "
              f"mwait_is_nop={int(machine.cpus > 1)}, reset_on_triple_fault=0, ignore_bad_msrs=1" + bochs_msrs(machine, folder),
              f"memory: guest={machine.memory}, host={min(machine.memory, 1024)}",
              *bochs_medium(machine, folder),
              f"com1: enabled=1, mode=file, dev={serial}", "log: bochs.log",  # where it is started
              "display_library: rfb, options=\"timeout=0\"", "clock: sync=none", "panic: action=fatal",
              "error: action=report", "info: action=ignore",
              "sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy"]
    config += [f"{name}: file={rom}" for name, rom in BOCHS_ROMS.items()]
    config += ["magic_break: enabled=1"] if machine.debugger else []
    (folder / "bochsrc").write_text("\n".join(config) + "\n")
    (folder / "commands").write_text(machine.debugger or "c\n")
    return ["bochs", "-q", "-f", str(folder / "bochsrc"), "-rc", str(folder / "commands")]


def bochs_msrs(machine, folder):
    """A file of registers: number, type 0 (any value), value at reset, reserved and ignored bits, each as two halves."""
    if not machine.msrs:
        return ""
    lines = [f"{number:#x} 0 {value >> 32:08x} {value & 0xffffffff:08x} 0 0 0 0\n" for number, value in machine.msrs.items()]
    (folder / "msrs").write_text("".join(lines))
    return ", msrs=\"msrs\""


def bochs_medium(machine, folder):
    """Lines for the medium. A disk is copied, because the guest may write to it."""
    if machine.iso:
        (folder / "medium").symlink_to(pathlib.Path(machine.iso).resolve())
        return ["ata0-master: type=cdrom, path=medium, status=inserted", "boot: cdrom"]
    shutil.copyfile(machine.disk, folder / "disk")
    return ["ata0-master: type=disk, mode=flat, path=disk", "boot: disk"]


def qmp(path, command, arguments):
    """Run one command over QEMU's machine protocol and return its answer, which has a "return" if it succeeded."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(QMP_PATIENCE)
        connection.connect(str(path))
        stream = connection.makefile("rw")
        stream.readline()  # the greeting
        for request in ({"execute": "qmp_capabilities"}, {"execute": command, "arguments": arguments}):
            stream.write(json.dumps(request) + "\n")
            stream.flush()
            answer = json.loads(stream.readline())
            while "event" in answer:
                answer = json.loads(stream.readline())
    return answer


def read_screen(machine, monitor, folder):
    """The text on the screen of a running QEMU, one line per row; "" if it cannot be had."""
    return read_pixels(monitor, folder) if machine.pixels else read_text(monitor, folder)


def read_pixels(monitor, folder):
    """The text on a screen of pixels."""
    picture = folder / "screen.ppm"
    try:
        if "return" not in qmp(monitor, "screendump", {"filename": str(picture)}):
            return ""
        return screen.text(picture.read_bytes())
    except (OSError, ValueError):
        return ""


def read_text(monitor, folder):
    """The text in the memory of VGA's text mode: a character and its colours are two bytes."""
    dump = folder / "vga"
    try:
        if "return" not in qmp(monitor, "pmemsave", {"val": VGA_TEXT, "size": VGA_SIZE, "filename": str(dump)}):
            return ""
        cells = dump.read_bytes()[::2].decode("cp437")
    except (OSError, ValueError):
        return ""
    rows = [cells[start:start + 80].replace("\0", " ").rstrip() for start in range(0, len(cells), 80)]
    return "\n".join(rows).rstrip() + "\n"


def read_registers(monitor):
    """What all CPUs of a running QEMU have in their registers, for people; "" if it cannot be had."""
    try:
        return qmp(monitor, "human-monitor-command", {"command-line": "info registers -a"}).get("return", "").replace("\r", "")
    except (OSError, ValueError):
        return ""


def use_of_cpu(pid):
    """(CPU time that the threads of a process had, CPU time that they wanted) in seconds; who wants it may have to wait for it."""
    had = waited = 0
    for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            words = path.read_text().split()
        except OSError:
            continue  # a thread that has just ended
        had, waited = had + int(words[0]), waited + int(words[1])
    return had / 1e9, (had + waited) / 1e9


class Patience:
    """
    Seconds for an emulator, which a busy host does not shorten: while its threads wait for a CPU, time passes as much slower as
    they get less than they want.
    """

    def __init__(self, process, seconds):
        self.pid, self.left, self.at, self.use = process.pid, seconds, time.monotonic(), (0.0, 0.0)

    def over(self):
        """True when they have passed; to be asked often."""
        now, use = time.monotonic(), use_of_cpu(self.pid)
        had, wanted = use[0] - self.use[0], use[1] - self.use[1]
        self.left -= (now - self.at) * (had / wanted if 0 < had < wanted else 1)
        self.at, self.use = now, use
        return self.left < 0


def watch(process, said, until, doom, timeout, show, stop):
    """Wait for the end: of the process, of patience, or until what the machine has said() is what `until` wants or `doom` fears."""
    patience = Patience(process, timeout)
    while process.poll() is None:
        text = said()
        if show:
            show(text)
        if until and re.search(until, text, re.MULTILINE):
            return "matched"
        if doom and re.search(doom, text, re.MULTILINE):
            time.sleep(GRACE)
            return "doomed"
        why = stop and stop(process, text)
        if why:
            return why
        if patience.over():
            return "timeout"
        time.sleep(POLL)
    return "exit"


def text_of(path):
    """What the serial line has said so far: nothing as long as there is no file."""
    try:
        return path.read_bytes().decode("ascii", "replace").replace("\r", "")
    except FileNotFoundError:
        return ""


def wait_for_screen(process, look, shows):
    """The screen once it shows what it should: a line may be on the serial port already; at last, whatever there is."""
    patience, seen = Patience(process, SCREEN_PATIENCE), look()
    while not shows(seen) and process.poll() is None and not patience.over():
        time.sleep(POLL)
        seen = look()
    return seen


def run(machine, until=None, timeout=60.0, doom=None, show=None, stop=None, shows=lambda screen: True, then=None):
    """
    Boot the machine and return its Outcome. `until` and `doom` are regular expressions that end the run early; `show` is
    called now and then with all that the serial line has said, `stop` with the process and that: a word that it returns ends
    the run, and is why. Of a machine without a serial line the screen is read instead. `timeout` are seconds of a Patience.
    `shows` tells whether a screen has what is wanted when the serial line has it. `then` is called with the path of QEMU's
    monitor when `until` was seen, before the screen is judged.
    """
    with tempfile.TemporaryDirectory(prefix="hedron-vm.") as name:
        folder = pathlib.Path(name)
        serial, monitor = folder / "serial", folder / "qmp"
        if machine.emulator == "qemu":
            command = qemu_command(machine, serial, monitor, folder)
        else:
            command = bochs_command(machine, serial.name, folder)

        def look():
            return read_screen(machine, monitor, folder)

        def read():
            return look() if mute else text_of(serial)

        mute = machine.line == "none"
        start = time.monotonic()
        with open(folder / "messages", "w+", encoding="utf-8", errors="replace") as messages:
            try:
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=messages, stderr=messages, cwd=folder)
            except FileNotFoundError:
                raise MachineError(f"{command[0]} is missing: install qemu-system-x86 and bochs") from None
            try:
                why = watch(process, read, until, doom, timeout, None if mute else show, stop)
                if then and why == "matched":
                    then(monitor)
                alive = why != "exit" and machine.emulator == "qemu"
                wanted = shows if why == "matched" else lambda screen: True
                seen = wait_for_screen(process, look, wanted) if alive else ""
                registers = read_registers(monitor) if alive and why != "matched" else ""
            finally:
                if process.poll() is None:
                    process.kill()
                process.wait()
            messages.seek(0)
            complaints = messages.read()
        if why == "exit" and not text_of(serial) and not mute:
            raise MachineError(f"{command[0]} ended without a word on the serial line:\n{complaints[-2000:]}")
        status = process.returncode if why == "exit" else None
        return Outcome(text_of(serial), seen, status, time.monotonic() - start, why, complaints, registers)
