# SPDX-License-Identifier: GPL-2.0-or-later
"""
Runs a suite of benchmarks in an emulator and brings home a trace of one operation of each case, taken after its measurement.
The lines of the benchmark (docs/bench-protocol.md) tell which case a trace is of, and how much the same operation cost untraced.
"""

import dataclasses
import pathlib
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "boot"))
import image  # noqa: E402  (found through the line above)
import job  # noqa: E402
import machine  # noqa: E402
import serial_lines  # noqa: E402
import tools  # noqa: E402

import bochs  # noqa: E402
import elf  # noqa: E402
import kernels  # noqa: E402
import path  # noqa: E402
import stub  # noqa: E402

WINDOWS_MAX = 1000  # traced windows of a run
STEPS_MAX = 1000000  # instructions of a window
CMDLINE = "serial novga"
CASE = {"suite": str, "case": str, "params": dict}
MEMBERS = {"sample": {**CASE, "min": int}, "skip": {**CASE, "why": str}, "fail": {**CASE, "why": str}}
CPU = {"qemu": "max", "bochs": "tigerlake"}


class RunError(Exception):
    """There is no valid result; the text says why."""


@dataclasses.dataclass
class Run:
    """What to run where. Paths are absolute: emulators run in a folder of their own."""

    kernel: kernels.Kernel
    roottask: pathlib.Path
    cases: tuple = ()  # prefixes of their names; none: all
    emulator: str = "qemu"
    cpu: str = ""
    timeout: float = 120
    windows: int = 8  # of the measurement before the trace: it warms up, too
    cpus: int = 1  # Bochs traces the one that comes to the mark

    def words(self):
        only = f" case={','.join(self.cases)}" if self.cases else ""
        return f"roottask trace=1 windows={self.windows}{only}"


@dataclasses.dataclass
class Traced:
    """One case: `name` as hbench has it, the least that was measured, and the steps of its window."""

    name: str
    measured: int
    steps: list


def messages(serial):
    """The protocol's lines."""
    try:
        for message in serial_lines.objects(serial):
            if not is_message(message):
                raise RunError(f"a broken line of the benchmark: {message}"[:200])
            yield message
    except serial_lines.LineError as error:
        raise RunError(f"a broken line of the benchmark: {error}") from None


def is_message(message):
    """Whether it has what is looked at here."""
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return False
    members = MEMBERS.get(message["type"], {})
    return all(isinstance(message.get(name), kind) for name, kind in members.items())


def name_of(message):
    """suite/case/param:value, as hbench has it."""
    params = [f"{key}:{value}" for key, value in sorted(message["params"].items())]
    return "/".join([message["suite"], message["case"], *params])


def samples(serial):
    """[(name, least)] of the cases that were measured, {name: why} of those skipped; only if all is complete and nothing failed."""
    found, skipped, ended = [], {}, False
    for message in messages(serial):
        if message["type"] == "fail":
            raise RunError(f"{name_of(message)} failed: {message['why']}")
        if message["type"] == "sample":
            found.append((name_of(message), message["min"]))
        if message["type"] == "skip":
            skipped[name_of(message)] = message["why"]
        ended |= message["type"] == "end"
    if not ended:
        last = serial.strip().splitlines()[-3:]
        raise RunError("\n".join(["the benchmark did not come to its end; its last words:", *last]))
    return found, skipped


def make_iso(run, file):
    """A CD that boots the kernel with the benchmark."""
    work = job.make(run.kernel.image, CMDLINE, [(run.roottask, run.words())])
    image.make_iso(file, [work], run.kernel.protocol, efi=False, verify=False)


def run_bochs(run, folder):
    """(serial line, windows)."""
    iso = folder / "boot.iso"
    make_iso(run, iso)
    outcome = machine.run(machine.Machine(emulator="bochs", cpu=run.cpu or CPU["bochs"], cpus=run.cpus, iso=str(iso),
                                          debugger=bochs.commands(WINDOWS_MAX)), timeout=run.timeout)
    return outcome.serial, bochs.parse(outcome.said)


def qemu_box(run, folder):
    """The machine: booted without a boot loader if the kernel has an image for that."""
    box = machine.Machine(cpu=run.cpu or CPU["qemu"], icount=True, gdb=str(folder / "gdb"))
    if run.kernel.direct:
        box.kernel, box.cmdline, box.modules = str(run.kernel.direct), CMDLINE, [(str(run.roottask), run.words())]
    else:
        box.iso = str(folder / "boot.iso")
        make_iso(run, pathlib.Path(box.iso))
    return box


def run_qemu(run, folder):
    """The same with QEMU: the machine runs in a thread of its own, here is its debugger."""
    mark = elf.Symbols(run.roottask).address("bench_mark")
    box = qemu_box(run, folder)
    outcome = []

    def boot():
        try:
            outcome.append(machine.run(box, timeout=run.timeout))
        except machine.MachineError as error:
            outcome.append(error)

    thread = threading.Thread(target=boot)
    thread.start()
    try:
        windows = stub.record(folder / "gdb", mark, run.timeout, STEPS_MAX, thread.is_alive)
    except path.TraceError as error:
        windows = error
    thread.join()
    for result in (outcome[0], windows):
        if isinstance(result, Exception):
            raise result
    return outcome[0].serial, windows


def trace(run):
    """[Traced] in the order of the suite, and {name: why} of the cases that this machine or kernel cannot do."""
    if not run.roottask.is_file():
        raise RunError(f"{run.roottask} is missing: ./run build makes those of this tree")
    with tempfile.TemporaryDirectory(prefix="hedron-path.") as folder:
        try:
            serial, windows = {"qemu": run_qemu, "bochs": run_bochs}[run.emulator](run, pathlib.Path(folder))
        except (machine.MachineError, job.JobError, tools.ToolError, path.TraceError, elf.ElfError) as error:
            raise RunError(str(error)) from None
    measured, skipped = samples(serial)
    if len(measured) != len(windows):
        raise RunError(f"{len(windows)} windows were traced, {len(measured)} cases measured")
    if not measured and not skipped:
        raise RunError(f"no case begins with {' or '.join(run.cases) or 'anything'}")
    return [Traced(name, least, steps) for (name, least), steps in zip(measured, windows)], skipped
