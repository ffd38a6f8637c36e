# SPDX-License-Identifier: GPL-2.0-or-later
"""
A path: the instructions of one measured operation, counted by symbol and kind.

A trace holds a whole window of a benchmark (bench-guests/rt/bench/bench_window.h). The operation is what lies between the two
reads of the time-stamp counter in user mode: LFENCE, RDTSC, three instructions that put the value away; operation; LFENCE, RDTSC.
"""

import collections
import dataclasses

import access
import decode

KERNEL_HALF = 1 << 63
LFENCE, RDTSC = b"\x0f\xae\xe8", b"\x0f\x31"
KEEPS = (b"\x48\xc1\xe2\x20", b"\x48\x09\xd0", None)  # SHL RDX, 32; OR RAX, RDX; MOV to any register
ENTERS_BY_ITSELF = ("syscall", "int")  # what user code executes to get into the kernel

Step = collections.namedtuple("Step", "address code")  # code: the bytes, or more than these


class TraceError(Exception):
    """The trace does not hold what it should; the text says what is missing."""


@dataclasses.dataclass
class Sum:
    """What the instructions of one function amount to."""

    mode: str
    symbol: str
    instructions: int = 0
    loads: int = 0
    stores: int = 0
    kinds: collections.Counter = dataclasses.field(default_factory=collections.Counter)

    def add(self, step, kind):
        if kind:
            self.kinds[kind] += 1
        if kind == "event":
            return
        loads, stores = (0, 0) if self.mode == "guest" else access.of(step.code)
        self.instructions += 1
        self.loads += loads
        self.stores += stores

    def plain(self):
        """Number of the instructions of no kind."""
        return self.instructions - sum(count for kind, count in self.kinds.items() if kind != "event")


@dataclasses.dataclass
class Path:
    """What one operation executed."""

    name: str
    steps: list  # [(Step, mode, symbol, kind or None)]
    total: int  # instructions, those of guests included

    def symbols(self):
        """[Sum of each symbol] in the order of first execution."""
        found = {}
        for step, mode, symbol, kind in self.steps:
            found.setdefault((mode, symbol), Sum(mode, symbol)).add(step, kind)
        return list(found.values())

    def accesses(self):
        """(loads, stores), those of guests left out."""
        symbols = self.symbols()
        return sum(one.loads for one in symbols), sum(one.stores for one in symbols)

    def kinds(self):
        """Counter of the expensive instructions (and of events)."""
        return collections.Counter(kind for _, _, _, kind in self.steps if kind)

    def plain(self):
        """Number of all other instructions."""
        return sum(kind is None for _, _, _, kind in self.steps)


def is_kernel(step):
    return step.address >= KERNEL_HALF


def starts_with(step, code):
    return step.code.startswith(code)


def clock_reads(steps):
    """Indices of each RDTSC of the timer pairs: those of user code right behind an LFENCE."""
    return [n for n in range(1, len(steps)) if not is_kernel(steps[n]) and starts_with(steps[n], RDTSC)
            and starts_with(steps[n - 1], LFENCE)]


def operation(steps):
    """The steps between the timer pair of a window."""
    reads = clock_reads(steps)
    if len(reads) != 2:
        raise TraceError(f"the window reads the clock {len(reads)} times instead of twice")
    first, last = reads[0] + 1, reads[1] - 1
    keeps = steps[first:first + len(KEEPS)]
    if any(want and not starts_with(step, want) for step, want in zip(keeps, KEEPS)) or first + len(KEEPS) > last:
        raise TraceError("what follows the first reading of the clock is not that of bench_start()")
    return steps[first + len(KEEPS):last]


def modes(steps, kernel):
    """The mode of each step: "user", "kernel" or "guest" (from an entry until the kernel's code runs again)."""
    guest = False
    for step in steps:
        if guest and is_kernel(step) and kernel.at(step.address) is not None:
            guest = False
        mode = "guest" if guest else "kernel" if is_kernel(step) else "user"
        yield mode
        if mode == "kernel" and decode.kind(step.code) == "vmentry":
            guest = True


def kind_of(step, mode, before):
    """A guest's instructions are its own affair; each repetition of a string instruction is traced, the first one costs."""
    kind = None if mode == "guest" else decode.kind(step.code)
    again = kind == "rep" and before and before[0].address == step.address
    return None if again else kind


def analyse(name, window, kernel, program):
    """The Path of a traced window. `kernel` and `program` are the symbols of the two images."""
    steps = operation(window)
    found, before = [], None
    for step, mode in zip(steps, modes(steps, kernel)):
        symbols = {"kernel": kernel, "user": program}.get(mode)
        symbol = (symbols.at(step.address) if symbols else None) or "?"
        if before and before[1] == "user" and mode == "kernel" and before[3] not in ENTERS_BY_ITSELF:
            found.append((step, mode, symbol, "event"))
        before = (step, mode, symbol, kind_of(step, mode, before))
        found.append(before)
    return Path(name, found, len(steps))
