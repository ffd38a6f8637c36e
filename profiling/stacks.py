# SPDX-License-Identifier: GPL-2.0-or-later
"""
Call stacks of the instructions of a path, from its calls and returns, and sums over them: folded stacks, as programs that draw
flame graphs take them, and a tree.

A jump into another function puts that in the place of the one that jumps. The kernel's functions stand upon those of the user code
that entered it; each thread of user code goes on with its own stack where it left off.
"""

import collections
import re

import decode

CALL, RETURN = "call", "return"
UNITS = ("instructions", "cycles")
MARKS = {"user": "", "kernel": "_[k]"}  # as in folded stacks of perf
GUEST = "[guest]"
Frame = collections.namedtuple("Frame", "name back")  # back: the address that a return leads to, or None


def flow(code):
    """CALL, RETURN or None for other instructions."""
    _, _, code = decode.split(code)
    if code[:1] == b"\xe8" or code[:1] == b"\xff" and len(code) > 1 and code[1] >> 3 & 7 == 2:
        return CALL
    return RETURN if code[:1] in (b"\xc2", b"\xc3") else None


def call_length(code):
    """Bytes of a call."""
    *_, rest = decode.split(code)
    prefixes = len(code) - len(rest)
    if rest[0] == 0xE8:
        return prefixes + 5
    mode, base = rest[1] >> 6, rest[1] & 7
    has_index = mode != 3 and base == 4
    if has_index and len(rest) > 2:
        base = rest[2] & 7
    displacement = {1: 1, 2: 4}.get(mode, 4 if mode == 0 and base == 5 else 0)
    return prefixes + 2 + has_index + displacement


class Stacks:
    """Follows a path, instruction by instruction."""

    def __init__(self):
        self.frames = []  # of the mode the CPU is in
        self.user = []  # of the user code that entered the kernel
        self.below = []  # what self.frames stand upon
        self.waiting = []  # (address where it goes on, frames) of user code that is not running
        self.before = None  # (Step, mode)

    def follow(self, step, mode, symbol):
        """Names from the outermost to the innermost."""
        name = GUEST if mode == "guest" else symbol + MARKS[mode]
        if self.before and mode == self.before[1]:
            self.move(step, name)
        else:
            self.change(step, mode, name)
        self.before = (step, mode)
        return tuple(frame.name for frame in self.below + self.frames)

    def move(self, step, name):
        """Within a mode."""
        last = self.before[0]
        kind = flow(last.code)
        if kind == CALL:
            self.frames.append(Frame(name, last.address + call_length(last.code)))
        elif kind == RETURN:
            self.leave(step.address)
        if self.frames[-1].name != name:
            self.frames[-1] = Frame(name, self.frames[-1].back)

    def leave(self, address):
        """Return to the caller whose it is; to nobody's, if that was but a way to jump."""
        for depth in range(len(self.frames) - 1, 0, -1):
            if self.frames[depth].back == address:
                del self.frames[depth:]
                return

    def change(self, step, mode, name):
        """From one mode to another."""
        if self.before and self.before[1] == "user":
            self.waiting.append((self.resumes(), self.frames))
            self.user = self.frames
        self.below = {"user": [], "kernel": self.user, "guest": self.user + self.frames}[mode]
        self.frames = self.resumed(step.address, name) if mode == "user" else [Frame(name, None)]

    def resumes(self):
        """Where user code goes on after the instruction that entered the kernel."""
        last = self.before[0]
        *_, rest = decode.split(last.code)
        entered = rest[:2] in (b"\x0f\x05", b"\x0f\x34")
        return last.address + entered * (len(last.code) - len(rest) + 2)

    def resumed(self, address, name):
        """The frames of user code that goes on: at that address, else in that function, else it is new."""
        for fits in (lambda entry: entry[0] == address, lambda entry: entry[1][-1].name == name):
            for entry in reversed(self.waiting):
                if fits(entry):
                    self.waiting.remove(entry)
                    return entry[1]
        return [Frame(name, None)]


def of(found):
    """(frames, kind or None) of each instruction and each event of a path."""
    stacks, entered = Stacks(), None
    for step, mode, symbol, kind in found.steps:
        frames = entered or stacks.follow(step, mode, symbol)
        entered = frames if kind == "event" else None  # the same step follows: the first in the kernel
        yield frames, kind


def sums(found, weights):
    """{frames: [instructions, cycles]} of a path, in the order of execution; expensive instructions in frames of their own."""
    counts = {}
    for frames, kind in of(found):
        entry = counts.setdefault((*frames, f"[{kind}]") if kind else frames, [0, 0.0])
        entry[0] += kind != "event"
        entry[1] += weights.cycles[kind or "plain"]
    return counts


def clean(name):
    """A name as a frame: no separators within."""
    return re.sub(r"\s+", "_", name.replace(";", ":"))


def folded(paths, weights, unit):
    """Lines: the path's name, its frames, outermost first, all separated by semicolons; and a whole number of units."""
    for found in paths:
        for frames, counts in sums(found, weights).items():
            count = round(counts[UNITS.index(unit)])
            if count:
                yield f"{';'.join(map(clean, (found.name, *frames)))} {count}"


def tree(found, weights):
    """(depth, name, instructions, cycles) of each function, with all that it called, callers before callees."""
    totals = {}
    for frames, counts in sums(found, weights).items():
        for depth in range(1, len(frames) + 1):
            entry = totals.setdefault(frames[:depth], [0, 0.0])
            for column, count in enumerate(counts):
                entry[column] += count

    def rows(above):
        for frames, counts in totals.items():
            if frames[:-1] == above:
                yield (len(above), frames[-1], *counts)
                yield from rows(frames)

    return list(rows(()))
