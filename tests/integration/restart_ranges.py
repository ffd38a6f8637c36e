# SPDX-License-Identifier: GPL-2.0-or-later
"""
The restart ranges of the kernel's image: code in which an exit that is interrupted by an NMI starts over. They are what the table
in the image says (kernel/arch/x86_64/entry/restart.h), each by the name of the label it begins with.
"""

import collections
import re
import struct
import subprocess

# How many instructions each takes until it has looked at what an NMI is about.
TESTED = {"restart_syscall": 2, "restart_fastcall": 2, "restart_call": 1, "restart_reply": 1, "restart_trap": 1, "restart_idle": 3,
          "restart_vm_entry": 1}
ROW = struct.Struct("<4Q")  # struct restart_range
Row = collections.namedtuple("Row", "start end goes_on cont")


def labels(image):
    """{name: address} of all symbols; a place may have several."""
    text = subprocess.run(["nm", str(image)], check=True, capture_output=True, text=True).stdout
    return {name: int(address, 16) for address, name in re.findall(r"^([0-9a-f]+) \w (\S+)$", text, re.MULTILINE)}


def contents(image, start, end):
    """Bytes of the image."""
    command = ["objdump", "-s", f"--start-address={start}", f"--stop-address={end}", str(image)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = b"".join(bytes.fromhex(words) for words in re.findall(r"^ [0-9a-f]{16} ((?:[0-9a-f]+ ){1,4})", text, re.MULTILINE))
    if len(found) != end - start:
        raise ValueError(f"{image} has {len(found)} bytes of {end - start} at {start:#x}")
    return found


def table(image):
    """The rows as they are."""
    found = labels(image)
    return [Row(*row) for row in ROW.iter_unpack(contents(image, found["restart_table_start"], found["restart_table_end"]))]


def name_of(row, found):
    """What the range is called, if its labels fit its row."""
    names = [name for name in TESTED if (found[name], found[f"{name}_end"]) == (row.start, row.end)]
    if len(names) != 1:
        raise ValueError(f"the table's row {row.start:#x}..{row.end:#x} has the labels of {names or 'no restart range'}")
    return names[0]


def limits(image, names=tuple(TESTED)):
    """[(first address, address behind it)] of each range, from the table, which has exactly those of TESTED."""
    found, rows = labels(image), table(image)
    by_name = {name_of(row, found): (row.start, row.end) for row in rows}
    if len(rows) != len(TESTED):
        raise ValueError(f"the table has {len(rows)} rows, of {', '.join(sorted(by_name))}")
    return [by_name[name] for name in names]


def disassemble(image, *options):
    command = ["objdump", "-d", "--no-show-raw-insn", *options, str(image)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def instructions(image, span):
    """Addresses of its instructions. That of sleep has a second half, for open interrupts, which no test here has."""
    (start, end), = limits(image, [span])
    opened = labels(image)["idle_open"]
    end = opened if start < opened < end else end
    text = disassemble(image, f"--start-address={start}", f"--stop-address={end}")
    return [int(address, 16) for address in re.findall(r"^\s*([0-9a-f]+):\t", text, re.MULTILINE)]


def late(image, span):
    """Those at which an NMI that is only taken note of comes too late for the test of the hazards."""
    return instructions(image, span)[TESTED[span]:]
