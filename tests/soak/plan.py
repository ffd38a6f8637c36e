# SPDX-License-Identifier: GPL-2.0-or-later
"""What a soak runs: roottasks that stress the kernel, on all machines, with all kernels, in an order and with seeds by chance."""

import dataclasses
import random

EMULATORS = ("qemu", "icount", "bochs")  # QEMU's CPUs in parallel; QEMU's one after the other; Bochs with VMX, finely interleaved
CPUS = (1, 2, 4)
BOCHS_MODELS = ("tigerlake", "corei3_cnl", "corei7_ivy_bridge_3770k")  # from much of VMX to little
QUANTUM_MAX = 32  # instructions of one CPU before it is another one's turn; Bochs takes no more
SEED_MAX = 10**9


@dataclasses.dataclass(frozen=True)
class Program:
    """A roottask: how much of its work fits into some seconds, by emulator (none: it has nothing to do there)."""

    name: str
    words: dict
    least_cpus: int = 1

    def fits(self, emulator, cpus):
        return emulator in self.words and cpus >= self.least_cpus


# Some percent of the usual rounds, because CPUs that wait for each other are slow where there are fewer real ones. With -icount
# a CPU that never pauses keeps the others waiting for 100 million instructions; some roottasks never do.
PROGRAMS = (
    Program("smp_fuzz", {"qemu": "effort=60", "icount": "effort=20", "bochs": "effort=3"}),
    Program("smp_stress", {"qemu": "effort=20", "bochs": "effort=8"}),
    Program("smp_tlb", {"qemu": "effort=3", "bochs": "effort=2"}),
    Program("smp_sm", {"qemu": "effort=20", "icount": "effort=5", "bochs": "effort=5"}),
    Program("smp_basic", {"qemu": "effort=10", "icount": "effort=10", "bochs": "effort=10"}),
    Program("smp_trace", {"qemu": "effort=20", "icount": "effort=3", "bochs": "effort=3"}, 2),
    Program("smp_preempt", {"qemu": "effort=10", "icount": "effort=2", "bochs": "effort=10"}, 2),
    Program("smp_exhaust", {"qemu": "effort=30", "icount": "effort=20", "bochs": "effort=3"}, 2),
    Program("smp_vcpu", {"bochs": "effort=4"}),
    Program("guest_fuzz", {"qemu": "calls=300000", "icount": "calls=300000", "bochs": "calls=40000"}),
    Program("guest_vcpu_fuzz", {"bochs": "rounds=300"}),
)


@dataclasses.dataclass
class Attempt:
    """One run. All that is needed to repeat it, but for the files."""

    program: str
    words: str
    kernel: str
    emulator: str
    cpus: int
    cmdline: str
    seed: int
    model: str = "max"
    quantum: int = 16
    number: int = 0

    def __str__(self):
        cpus = f"{self.cpus} CPU{'s' * (self.cpus > 1)}"
        quantum = f" quantum {self.quantum}," if self.emulator == "bochs" else ""
        return f"{self.program} on {self.emulator}, {cpus},{quantum} {self.kernel} kernel, seed {self.seed}"

    def place(self):
        """Where it counts in the summary: row and column."""
        return f"{self.program} ({self.kernel})", f"{self.emulator} {self.cpus}"

    def load(self):
        """The roottask's words on its command line."""
        return f"{self.words} seed={self.seed}".strip()


def attempt(dice, program, kernel, emulator, cpus):
    """A run of that configuration; what is left open by it is thrown."""
    bochs = emulator == "bochs"
    # The heap is small because some fill it. Idle CPUs of an emulator are cheap only if they halt. Bochs's serial line is slow.
    cmdline = "serial heap=4M log=error" if bochs else "serial heap=8M"
    if bochs or dice.randrange(4):
        cmdline += " nomwait"
    return Attempt(program.name, program.words[emulator], kernel, emulator, cpus, cmdline, dice.randrange(1, SEED_MAX),
                   dice.choice(BOCHS_MODELS) if bochs else "max", dice.randint(1, QUANTUM_MAX) if bochs else 16)


def attempts(seed, programs, kernels, emulators, cpus):
    """Runs without end: all configurations, then all again in another order. The same ones for the same seed."""
    dice = random.Random(seed)
    deck = [(program, kernel, emulator, count) for program in programs for kernel in kernels for emulator in emulators
            for count in cpus if program.fits(emulator, count)]
    number = 0
    while deck:
        dice.shuffle(deck)
        for program, kernel, emulator, count in deck:
            number += 1
            yield dataclasses.replace(attempt(dice, program, kernel, emulator, count), number=number)
