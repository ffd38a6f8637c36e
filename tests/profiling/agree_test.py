#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Both emulators saw the same paths: the same expensive instructions but for what the budgets allow one of them, and about as many
instructions. usage: agree_test.py SUITE QEMU.json BOCHS.json
"""

import json
import pathlib
import sys

import model

# What goes with an instruction that only one of them executes, such as the branch around XSAVE.
TOLERANCE = 0.08


def read(file):
    return {entry["name"]: entry for entry in json.loads(pathlib.Path(file).read_text())["paths"]}


def complaints(name, qemu, bochs, allowed):
    for kind in sorted(qemu["kinds"].keys() | bochs["kinds"].keys()):
        counts = qemu["kinds"].get(kind, 0), bochs["kinds"].get(kind, 0)
        if not 0 <= counts[0] - counts[1] <= allowed.get(kind, 0):
            yield f"{name}: {kind}: {counts[0]} in QEMU, {counts[1]} in Bochs"
    numbers = qemu["instructions"], bochs["instructions"]
    if abs(numbers[0] - numbers[1]) > TOLERANCE * numbers[1]:
        yield f"{name}: {numbers[0]} instructions in QEMU, {numbers[1]} in Bochs"


def main():
    suite, qemu, bochs = sys.argv[1], read(sys.argv[2]), read(sys.argv[3])
    allowed = model.find_budgets(suite).allowances.get("qemu", {})
    if not qemu or qemu.keys() != bochs.keys():
        sys.exit(f"FAIL: different paths: {sorted(qemu.keys() ^ bochs.keys())}")
    found = [text for name in qemu for text in complaints(name, qemu[name], bochs[name], allowed)]
    if found:
        sys.exit("\n".join(f"FAIL: {text}" for text in found))
    same = sum(qemu[name]["instructions"] == bochs[name]["instructions"] for name in qemu)
    print(f"PASS: {len(qemu)} paths, {same} of them equal to the instruction")


if __name__ == "__main__":
    main()
