#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
An NMI at every instruction. A thread goes a way through the kernel again and again (tests/guest/step); each time it is
stopped one instruction later, another CPU wakes a more important thread of this CPU, and the CPU goes on with the NMI that
was sent. Before any other user instruction, and before the CPU sleeps, the more important thread has to run.

Then the kernel loses its redirection of interrupted exits, and exactly the instructions behind each test of the hazards must
be found to lose wake-ups.
"""

import collections

import debugger
import restart_ranges
from stepper import FIRST, KERNEL_HALF, SECOND, WAYS, Stepper

LONGEST = 20000  # instructions of a way
WARM = 3  # rounds until every page and list is as it will be: the last is the way
TURNS = 3  # of a loop; the others are like these
TRIES = 100  # rounds in which an instruction has to be met: some only come when a list runs empty
RANGES = [name for name in restart_ranges.TESTED if name != "restart_vm_entry"]  # QEMU has no VMX
# An instruction, which of its executions, and what comes next.
Point = collections.namedtuple("Point", "address turn after")


def user_edges(steps):
    """User code where the kernel is entered, which it may try again, and where it goes on."""
    pairs = [pair for pair in zip(steps, steps[1:]) if (pair[0] < KERNEL_HALF) != (pair[1] < KERNEL_HALF)]
    return {address for pair in pairs for address in pair if address < KERNEL_HALF}


class Walk:
    """
    A way, from `begin()` to where other user code goes on or the CPU sleeps. `strike()` makes an NMI pending, and
    `served(address)` tells whether the CPU, which has come there, has noticed what it was about. `exact`: there is one NMI, and
    it interrupts the instruction at which the CPU stands.
    """

    def __init__(self, stepper, name, begin, strike, served, exact=True, stops_asleep=True):
        self.stepper, self.name = stepper, name
        self.begin, self.strike, self.served, self.exact = begin, strike, served, exact
        self.taken = set()  # what NMIs have interrupted
        for _ in range(WARM):
            self.steps = self.record()
        self.ends = {stepper.chosen, *stepper.sleepers} | user_edges(self.steps)
        if stops_asleep:
            self.ends |= {address for address in self.steps if stepper.sleeps_at(address)}
        turns = collections.Counter()
        self.points = []
        for address, after in zip(self.steps, [*self.steps[1:], 0]):
            turns[address] += 1
            if address >= KERNEL_HALF and turns[address] <= TURNS:
                self.points.append(Point(address, turns[address], after))

    def record(self):
        stepper, steps = self.stepper, []
        self.begin()
        while not self.is_end(steps):
            if len(steps) == LONGEST:
                raise debugger.machine.MachineError(f"{self.name} takes more than {LONGEST} instructions")
            steps.append(stepper.step() if steps else stepper.where())
        self.finish()
        return steps

    def is_end(self, steps):
        """With several CPUs QEMU's MWAIT does not sleep: it has ended when it comes again."""
        if not steps:
            return False
        at = steps[-1]
        if self.stepper.sleeps_at(at):
            return self.stepper.halts_at(at) or steps.count(at) > 1
        return at in (self.stepper.chosen, *self.stepper.sleepers)

    def finish(self):
        """Back to where the next round begins. If the victim sleeps, it is woken up."""
        stepper = self.stepper
        if stepper.sleeps_at(stepper.where()):
            stepper.wake(FIRST)
        if stepper.where() != stepper.chosen:
            stepper.run(stepper.chosen)

    def rescue(self):
        """After a wake-up was lost: by another NMI, unless a work item does."""
        if self.strike == self.stepper.inject:
            self.finish()
            return
        self.stepper.inject()
        self.stepper.run(self.stepper.chosen)

    def reach(self, point):
        """False: this round did not come there."""
        stepper = self.stepper
        self.begin()
        for turn in range(point.turn):
            if turn:
                stepper.step()
            if stepper.where() != point.address and stepper.run(point.address, stepper.chosen) != point.address:
                return False
        return True

    def meet(self, point):
        for _ in range(TRIES):
            if self.reach(point):
                return
            self.finish()
        raise debugger.machine.MachineError(f"{self.name} does not come to {self.stepper.name(point.address)} any more")

    def take(self, point):
        """The CPU goes on with the NMI. False: it has interrupted another instruction, or none."""
        stepper = self.stepper
        if stepper.run(stepper.nmi, *self.ends) != stepper.nmi:
            return not self.exact
        at = stepper.interrupted()
        self.taken.add(at)
        stepper.run(*self.ends)
        return at == point.address or not self.exact

    def strike_at(self, point, blunt=False):
        """What is wrong, or None."""
        stepper = self.stepper
        self.meet(point)
        self.strike()
        if blunt:
            stepper.blunt(True)
        hit = self.take(point)
        if blunt:
            stepper.blunt(False)
        at = stepper.where()
        if not self.served(at):
            self.rescue()
            return f"{self.name}: after an NMI at {stepper.name(point.address)} the CPU went on at {stepper.name(at)}"
        self.finish()
        return None if hit else f"{self.name}: {stepper.name(point.address)} was not interrupted"

    def strike_everywhere(self):
        complaints = [text for point in self.points if (text := self.strike_at(point))]
        print(f"{self.name}: {len(self.points)} NMIs, at {len(self.taken)} instructions of {len(set(self.points))}")
        return complaints


class Ranges:
    """Their instructions."""

    def __init__(self, stepper):
        self.all = {name: restart_ranges.instructions(stepper.image, name) for name in RANGES}
        self.late = {at for name in RANGES for at in restart_ranges.late(stepper.image, name)}

    def hold(self, address):
        return any(address in span for span in self.all.values())

    def loses(self, point, late):
        """Without redirection. If there is a hazard already, the way from its test leads out of the range, to the dispatcher."""
        return point.address in late and (point.after < KERNEL_HALF or self.hold(point.after))

    def check_detection(self, walk, late=()):
        """Without redirection, wake-ups are lost at just those instructions that are late."""
        for point in walk.points:
            if self.hold(point.address):
                lost = walk.strike_at(point, blunt=True) is not None
                if lost != self.loses(point, late or self.late):
                    yield f"{walk.name}: without redirection {'a' if lost else 'no'} wake-up was lost at " + \
                        walk.stepper.name(point.address)

    def not_in(self, taken, stepper):
        for name, span in self.all.items():
            missing = [stepper.name(address) for address in span if address not in taken]
            if missing:
                yield f"no NMI hit {', '.join(missing)} in {name}"


def walk_of(stepper, way):
    """A way of the victim; the first sleeper is woken on it."""
    return Walk(stepper, way, lambda: stepper.choose(way), lambda: stepper.wake(FIRST), lambda at: at == stepper.sleepers[FIRST])


def walk_from_nmi(stepper, name, lead):
    """What follows a first wake-up. The second comes on the way, and what is kept back by the handler is taken behind it."""
    def begin():
        lead()
        stepper.wake(FIRST)
        stepper.run(stepper.nmi)
    return Walk(stepper, name, begin, lambda: stepper.wake(SECOND), lambda at: at == stepper.sleepers[SECOND], exact=False)


def walk_to_mwait(stepper):
    """Into a sleep that a work item ends without an NMI."""
    return Walk(stepper, "sleep", lambda: stepper.choose("sleep"), lambda: stepper.wake(FIRST),
                lambda at: at == stepper.sleepers[FIRST], exact=False, stops_asleep=False)


def walk_to_mwait_struck(stepper):
    """The same with NMIs, which ask for something else: that nobody has sent them is to be mentioned."""
    return Walk(stepper, "sleep", lambda: stepper.choose("sleep"), stepper.inject, lambda _: not stepper.hazard())


def strike_asleep(stepper):
    """The one instruction that is not stopped at: the NMI ends the sleep."""
    stepper.choose("sleep")
    stepper.fall_asleep()
    at = stepper.where()
    stepper.wake(FIRST)
    hit = stepper.run(stepper.nmi, stepper.sleepers[FIRST]) == stepper.nmi and stepper.interrupted() == at
    woken = stepper.run(stepper.sleepers[FIRST], stepper.chosen) == stepper.sleepers[FIRST]
    stepper.run(stepper.chosen)
    return at, [] if hit and woken else ["a wake-up did not end the sleep"]


def lead_to_sleep(stepper):
    stepper.choose("sleep")
    stepper.run(stepper.halt)


def check_halting(args, session):
    """All ways, and idle CPUs halt."""
    stepper = Stepper(args, session)
    within = Ranges(stepper)
    walks = [walk_of(stepper, way) for way in WAYS[1:]]
    walks.append(walk_from_nmi(stepper, "preemption", lambda: None))
    walks.append(walk_from_nmi(stepper, "awakening", lambda: lead_to_sleep(stepper)))
    complaints = [text for walk in walks for text in walk.strike_everywhere()]
    at, asleep = strike_asleep(stepper)
    args.taken |= {at}.union(*(walk.taken for walk in walks))
    complaints += asleep
    for walk in walks:
        complaints += within.check_detection(walk)
    return complaints


def check_mwait(args, session):
    stepper = Stepper(args, session)
    within = Ranges(stepper)
    walks = [walk_to_mwait(stepper), walk_to_mwait_struck(stepper)]
    walks[1].points.append(Point(within.all["restart_idle"][-1], 1, 0))  # behind MWAIT; a single step goes past it
    complaints = [text for walk in walks for text in walk.strike_everywhere()]
    args.taken |= set().union(*(walk.taken for walk in walks))
    complaints += within.check_detection(walks[1], late=within.all["restart_idle"][1:-1])  # no work item: only hazards tell
    return complaints + list(within.not_in(args.taken, stepper))


def main():
    args = debugger.parser(__doc__).parse_args()
    args.taken = set()
    for check, cmdline in ((check_halting, "serial nomwait log=error"), (check_mwait, "serial log=error")):
        debugger.judged(args, check, "step.elf", cpus=2, cmdline=cmdline)


if __name__ == "__main__":
    main()
