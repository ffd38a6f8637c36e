#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Every symbol a kernel object file exports starts with the stem of its source, so that anything is found without tools.
usage: names_check.py NM FOLDER-WITH-OBJECTS
"""

import pathlib
import subprocess
import sys

import tree

# The C library's names, the architecture's contract, and the assembler's ways in and out.
EVERYWHERE = {"memcpy", "memset", "memmove", "memcmp", "strcmp", "strlen", "strncmp", "strnlen"}
PREFIXES = ("arch_",)
ASSEMBLY = ("entry_", "return_", "enter_", "restart_", "boot_", "_start")
# Files with a second word of their own.
ALSO = {
    "console.c": ("klog", "log_"),  # called from everywhere, hence short
    "cpu.c": ("msr_",),  # the instruction's name
    "entry.S": ("hazard_", "idle_"),  # stretches of the way out, which traps have to know
    "init.c": ("boot_",),  # what start.S jumps to
    "reap.c": ("kobject_",),  # what space/kobject.h wants from above
    "unfinished.c": ("space_obj_unfinished",),  # what space/space_obj.h wants from above
    "smp.c": ("ap_", "cpu_count", "cpus_online"),  # application processors; what percpu.h declares
    "start.S": ("ap_",),
    "syscall.c": ("sys_",),  # helpers of all handlers
}


def exported(nm, path):
    """Names of the symbols an object defines for others."""
    command = [nm, "--defined-only", "--extern-only", "--format=posix", path]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return [line.split()[0] for line in lines if line.split()[1] in "TDBRVWC"]


def allowed(name, source, stems):
    """
    Whether a file may export the name. sys_pd.c writes sys_pd_create; space_mem_phys.c also what starts with space_mem, as it
    continues space_mem.c.
    """
    stem, _, suffix = source.partition(".")
    parent = stem.rpartition("_")[0]
    own = {stem, parent} if parent in stems else {stem}
    if name in EVERYWHERE or name.startswith(PREFIXES) or name.startswith(ALSO.get(source, ("?",))):
        return True
    if any(name == word or name.startswith(word + "_") for word in own):
        return True
    return suffix == "S" and name.startswith(ASSEMBLY)


def main():
    nm, folder = sys.argv[1:]
    objects = sorted(pathlib.Path(folder).rglob("*.o"))
    stems = {path.name.partition(".")[0] for path in objects}
    complaints, count = [], 0
    for path in objects:
        source = path.name[:-len(".o")]
        names = exported(nm, path)
        count += len(names)
        complaints += [f"{source} exports {name}" for name in names if not allowed(name, source, stems)]
    tree.report("names", complaints, count)


if __name__ == "__main__":
    main()
