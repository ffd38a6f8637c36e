# SPDX-License-Identifier: GPL-2.0-or-later
"""
Virtual machines for the monitor (docs/vmm.md), each from one text, "vmlinuz,initrd=FILE,memory=192,words=console=ttyS0": what
they are made of becomes boot modules behind the monitor, and words on its command line.
"""

import dataclasses
import pathlib

import job

FORM = "KERNEL[,initrd=FILE]...[,disk=FILE][,cpus=N][,memory=MIB][,words=TEXT]"
VMS_MAX, CPUS_MAX, MEMORY_MAX = 8, 8, 3072  # of the monitor
CPUS, MEMORY = 1, 256  # unless a text says something else
WRITABLE = 16  # MiB of each disk that the monitor keeps changes of
SPARE = 128  # MiB for kernel, monitor, and what lies where nothing large fits


@dataclasses.dataclass(frozen=True)
class Vm:
    """One of them."""

    modules: tuple  # of job.Load: its kernel, which has its command line, its initrds, its disk
    cpus: int
    memory: int  # MiB


def number(key, text, most):
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= most:
        raise job.JobError(f"--vm: {key} is a number from 1 to {most}, not {text!r}")
    return int(text)


def parse(text):
    """
    The VM of a text: file names have no commas, and everything behind `words=` is the guest's command line. An initrd is a module
    if the kernel is none of Linux.
    """
    settings, *words = text.split(",words=", 1)
    kernel, *parts = settings.split(",")
    if not kernel or "=" in kernel:
        raise job.JobError(f"--vm begins with the file of a kernel: {FORM}, not {text!r}")
    modules, disks, numbers = [job.Load(pathlib.Path(kernel), tuple("".join(words).split()))], [], {}
    for part in parts:
        key, _, value = part.partition("=")
        if key == "initrd" and value:
            modules.append(job.Load(pathlib.Path(value)))
        elif key == "disk" and value and not disks:
            disks.append(job.Load(pathlib.Path(value), ("disk",)))
        elif key in ("cpus", "memory") and key not in numbers:
            numbers[key] = number(key, value, {"cpus": CPUS_MAX, "memory": MEMORY_MAX}[key])
        else:
            raise job.JobError(f"--vm: {part!r} is nothing it has, or has once: {FORM}")
    return Vm((*modules, *disks), numbers.get("cpus", CPUS), numbers.get("memory", MEMORY))


def monitor_words(vms):
    """What the monitor is told of them."""
    lists = {"guests": [len(vm.modules) for vm in vms], "cpus": [vm.cpus for vm in vms], "memory": [vm.memory for vm in vms]}
    return tuple(f"{name}={','.join(map(str, values))}" for name, values in lists.items())


def add(work, texts):
    """The job with these VMs behind its monitor. Words that the monitor has been given go before."""
    if len(work.modules) != 1:
        raise job.JobError("--vm brings the modules along; only the monitor is given besides")
    if len(texts) > VMS_MAX:
        raise job.JobError(f"--vm: {len(texts)} VMs; the monitor has {VMS_MAX} at most")
    vms = [parse(text) for text in texts]
    monitor = dataclasses.replace(work.modules[0], words=work.modules[0].words + monitor_words(vms))
    return job.Job(work.kernel, (monitor, *(module for vm in vms for module in vm.modules)), work.title)


def memory_of(texts):
    """MiB that a machine needs for them."""
    total = SPARE
    for vm in map(parse, texts):
        total += vm.memory + sum((module.path.stat().st_size >> 20) + 1 for module in vm.modules)
        total += WRITABLE * sum(module.words == ("disk",) for module in vm.modules)
    return total
