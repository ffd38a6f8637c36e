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

# What the compiler calls by name, the architecture's contract, and the assembler's ways in and out.
EVERYWHERE = {"memcpy", "memset", "memmove", "memcmp"}
PREFIXES = ("arch_",)
ASSEMBLY = ("entry_", "return_", "enter_", "boot_", "_start")


def exported(nm, path):
    """Names of the symbols an object defines for others."""
    out = subprocess.run([nm, "--defined-only", "--extern-only", "--format=posix", path], check=True, capture_output=True, text=True)
    return [line.split()[0] for line in out.stdout.splitlines() if line.split()[1] in "TDBRVWC"]


def allowed(name, source):
    """Whether a file may export the name. sys_pd.c may write sys_pd_create; space_obj.c may write space_obj_find."""
    stem = source.split(".")[0]
    if name in EVERYWHERE or name.startswith(PREFIXES) or name == stem or name.startswith(stem + "_"):
        return True
    return source.endswith(".S") and name.startswith(ASSEMBLY)


def main():
    nm, folder = sys.argv[1:]
    objects = sorted(pathlib.Path(folder).rglob("*.o"))
    complaints, count = [], 0
    for path in objects:
        source = path.name[:-len(".o")]
        names = exported(nm, path)
        count += len(names)
        complaints += [f"{source} exports {name}" for name in names if not allowed(name, source)]
    tree.report("names", complaints, count)


if __name__ == "__main__":
    main()
