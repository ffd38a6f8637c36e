# SPDX-License-Identifier: GPL-2.0-or-later
"""One run of a soak: booted, watched, judged, and kept if it failed."""

import dataclasses
import json
import pathlib
import re
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import guest  # noqa: E402 (first: it finds image and machine)
import image  # noqa: E402
import job  # noqa: E402
import machine  # noqa: E402
import plan  # noqa: E402
import tools  # noqa: E402

PANIC = r"PANIC: .*$"
# Machines without anybody who sends NMIs; the kernel says so if it finds one that none of its CPUs has sent.
STRANGE = r"^.*NMI from outside on CPU.*$"
SUCCESS_STATUS = 2 * 0x10 + 1  # QEMU's exit code after the roottask wrote 0x10 to port 0xf4
MEMORY = 512  # MiB, of which a machine touches some
FOREVER = 10**9
ATTEMPT, KERNEL, KERNEL32, ISO = "attempt.json", "hypervisor", "hypervisor.elf32", "image.iso"


@dataclasses.dataclass(frozen=True)
class Limits:
    """When a silent machine hangs: it worked long without a word, or did nothing at all; both for long."""

    host: float = 150  # seconds of silence by the clock...
    work: float = 120  # ...in which the emulator had this many seconds of CPU time,
    idle: float = 0.03  # ...or wanted less than this part of the time, whether it was given a CPU or not


@dataclasses.dataclass
class Result:
    """What came of a run: complaints, none if it passed; `cut` if it counts as nothing."""

    attempt: plan.Attempt
    complaints: list
    cut: bool
    seconds: float
    outcome: object = None  # of boot/machine.py; None if there was no machine


class Watcher:
    """Ends a run that hangs, or that is to be cut; called now and then."""

    def __init__(self, limits, cut):
        self.limits, self.cut = limits, cut
        self.length, self.since, self.had, self.wanted = -1, 0.0, 0.0, 0.0

    def __call__(self, process, text):
        if self.cut():
            return "cut"
        now, (had, wanted) = time.monotonic(), machine.use_of_cpu(process.pid)
        if len(text) != self.length:
            self.length, self.since, self.had, self.wanted = len(text), now, had, wanted
        silence, limits = now - self.since, self.limits
        if silence < limits.host:
            return None
        return "hang" if had - self.had >= limits.work or wanted - self.wanted < limits.idle * silence else None


def build(attempt, kernel, program, folder):
    """The machine to boot. `kernel` is the folder of the kernel's two files, `program` the roottask."""
    box = machine.Machine(cpu=attempt.model, cpus=attempt.cpus, memory=MEMORY, quantum=attempt.quantum,
                          icount=attempt.emulator == "icount")
    if attempt.emulator != "bochs":
        box.kernel, box.modules, box.cmdline = str(kernel / KERNEL32), [(str(program), attempt.load())], attempt.cmdline
        return box
    box.emulator, box.iso = "bochs", str(folder / ISO)
    if not (folder / ISO).exists():
        image.make_iso(box.iso, [job.make(kernel / KERNEL, attempt.cmdline, [(program, attempt.load())])], efi=False, verify=False)
    return box


def judge(attempt, outcome):
    """What is wrong."""
    complaints = []
    if outcome.why == "hang":
        complaints.append("it hangs: nothing on the console for long")
    if outcome.why == "doomed":
        complaints.append(f"the kernel reports: {re.search(PANIC, outcome.serial, re.MULTILINE)[0]}")
    complaints += guest.judge_tests(outcome.serial)
    strange = re.search(STRANGE, outcome.serial, re.MULTILINE)
    if strange:
        complaints.append(f"nobody sends NMIs here: {strange[0]}")
    if outcome.why == "exit" and attempt.emulator != "bochs" and outcome.status != SUCCESS_STATUS:
        complaints.append(f"QEMU's exit code is {outcome.status} instead of {SUCCESS_STATUS}")
    return complaints


def run(attempt, kernel, program, folder, limits, cut):
    """Boots it; `folder` may have the image already. `cut()` tells whether to give up."""
    start = time.monotonic()
    try:
        outcome = machine.run(build(attempt, kernel, program, folder), timeout=FOREVER, doom=PANIC, stop=Watcher(limits, cut))
    except (job.JobError, tools.ToolError, machine.MachineError, OSError) as error:
        return Result(attempt, [str(error)], cut(), time.monotonic() - start)
    was_cut = outcome.why == "cut"
    return Result(attempt, [] if was_cut else judge(attempt, outcome), was_cut, time.monotonic() - start, outcome)


def keep(result, kernel, program, made, place):
    """Everything about a failure goes to a new folder at `place`; `made` is the folder with its image, if it has one."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{result.attempt.program}-{result.attempt.seed}-", dir=place))
    folder.chmod(0o755)
    for path in (kernel / KERNEL, kernel / KERNEL32, program):
        shutil.copy(path, folder)
    if (made / ISO).exists():
        shutil.copy(made / ISO, folder)
    (folder / ATTEMPT).write_text(json.dumps(dataclasses.asdict(result.attempt), indent=1) + "\n")
    texts = {"why": "\n".join(result.complaints) + "\n"}
    if result.outcome:
        texts |= {"serial": result.outcome.serial, "screen": result.outcome.screen, "emulator": result.outcome.said,
                  "registers": result.outcome.registers}
    for name, text in texts.items():
        if text:
            (folder / f"{name}.txt").write_text(text)
    return folder


def again(folder, limits, cut):
    """Runs what was kept in a folder once more, from its own files."""
    attempt = plan.Attempt(**json.loads((folder / ATTEMPT).read_text()))
    return run(attempt, folder, folder / f"{attempt.program}.elf", folder, limits, cut)
