# SPDX-License-Identifier: GPL-2.0-or-later
"""
Traces from Bochs: its debugger stops at the marks (XCHG BX, BX) around a window and writes what is executed in between.

A line of a trace: (CPU).[time] [physical address] CS:RIP (context): disassembly ; bytes
"""

import re

import path

LINE = re.compile(r"\((\d+)\)\.\[\d+\] \[0x[0-9a-f]+\] ([0-9a-f]{4}):([0-9a-f]{4,16}) \(.*?\): .*; ?((?:[0-9a-f]{2})+)\s*$")
# A guest's with AMD's nested pages, through which the debugger does not look.
UNSEEN = re.compile(r"\(\d+\)\.\[\d+\] \?\?\? \(physical address not available\)")
ANY_LINE = re.compile(r"\(\d+\)\.\[\d+\]")
BEGIN, END = "Tracing enabled for CPU", "Tracing disabled for CPU"


def commands(windows):
    """What the debugger is told: run to a mark, trace to the next, over and over."""
    return "c\n" + "trace on\nc\ntrace off\nc\n" * windows


def parse_line(line):
    """The Step of a line of a trace; None for what else the debugger says."""
    found = LINE.match(line)
    if found:
        return path.Step(int(found[3], 16), bytes.fromhex(found[4]))
    if UNSEEN.match(line):
        return path.Step(0, b"")
    if ANY_LINE.match(line):
        raise path.TraceError(f"this line of Bochs's trace is not understood: {line.strip()[:200]}")
    return None


def parse(text):
    """[[Step, ...] of each window], from all that Bochs wrote. A window that was cut off is left out."""
    windows, current = [], None
    for line in text.splitlines():
        if line.startswith(BEGIN):
            current = []
        elif line.startswith(END) and current is not None:
            windows.append(current)
            current = None
        elif current is not None:
            step = parse_line(line)
            current += [step] if step else []
    return windows
