# SPDX-License-Identifier: GPL-2.0-or-later
"""The restart ranges of the kernel's image: code in which an exit that is interrupted by an NMI starts over (entry/nmi.c)."""

import re
import subprocess

# How many instructions each takes until it has looked at what an NMI is about.
TESTED = {"restart_syscall": 2, "restart_fastcall": 2, "restart_call": 1, "restart_reply": 1, "restart_trap": 1, "restart_idle": 3,
          "restart_vm_entry": 1}


def labels(image):
    """{name: address} of all symbols; a place may have several."""
    text = subprocess.run(["nm", str(image)], check=True, capture_output=True, text=True).stdout
    return {name: int(address, 16) for address, name in re.findall(r"^([0-9a-f]+) \w (\S+)$", text, re.MULTILINE)}


def limits(image, names=tuple(TESTED)):
    """[(first address, address behind it)] of each range."""
    found = labels(image)
    return [(found[name], found[f"{name}_end"]) for name in names]


def disassemble(image, *options):
    command = ["objdump", "-d", "--no-show-raw-insn", *options, str(image)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def instructions(image, span):
    """Addresses of its instructions."""
    (start, end), = limits(image, [span])
    text = disassemble(image, f"--start-address={start}", f"--stop-address={end}")
    return [int(address, 16) for address in re.findall(r"^\s*([0-9a-f]+):\t", text, re.MULTILINE)]


def late(image, span):
    """Those at which an NMI that is only taken note of comes too late for the test of the hazards."""
    return instructions(image, span)[TESTED[span]:]
