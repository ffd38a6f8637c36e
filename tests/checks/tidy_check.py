#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
clang-tidy, as .clang-tidy says, over all C that a build compiles; and over faults that are planted, which it has to
find. usage: tidy_check.py CLANG-TIDY SOURCE BUILD
"""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import tree

# For each group of checks that is in use, a line that it complains about.
PLANTED = {
    "bugprone-narrowing-conversions": "char narrow(int n) { return n; }",
    "bugprone-sizeof-expression": "unsigned long size(int *p) { return sizeof(sizeof(*p)); }",
    "cert-dcl37-c": "int __reserved;",
    "misc-misplaced-const": "typedef int *pointer; int first(const pointer p) { return *p; }",
    "readability-misleading-indentation": "void f(int n) { if (n)\n f(1);\n f(2); }",
    "clang-analyzer-core.DivideZero": "int divide(int n) { int zero = 0; return n / zero; }",
}


BATCH = 8  # files for one run: to start it takes time, too


def tidy(program, build, paths):
    """What it says about files, if that is a complaint."""
    command = [program, "--quiet", "-p", build, *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() + done.stderr if done.returncode else ""


def files(build):
    entries = json.loads((build / "compile_commands.json").read_text())
    return sorted({entry["file"] for entry in entries if entry["file"].endswith(".c")})


def find_planted(program, source):
    """Names of checks that miss what is planted for them."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch, "kernel")
        folder.mkdir()
        for config in (".clang-tidy", "kernel/.clang-tidy"):
            pathlib.Path(scratch, config).write_text((source / config).read_text())
        path = folder / "planted.c"
        path.write_text("\n".join(PLANTED.values()))
        (folder / "compile_commands.json").write_text(json.dumps([{"directory": scratch, "file": str(path),
                                                                   "command": f"cc -c {path}"}]))
        said = tidy(program, folder, [path])
    return [f"what is planted for {name} is not found" for name in PLANTED if name not in said]


def main():
    program, source, build = sys.argv[1], *map(pathlib.Path, sys.argv[2:])
    paths = files(build)
    batches = [paths[first:first + BATCH] for first in range(0, len(paths), BATCH)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        said = list(pool.map(lambda batch: tidy(program, build, batch), batches))
    tree.report("tidy", find_planted(program, source) + [text for text in said if text], len(paths))


if __name__ == "__main__":
    main()
