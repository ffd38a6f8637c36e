#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
profiling/stacks.py: call stacks of small paths, of mangled ones, and of a recorded one. usage: stacks_test.py BUILD ASSEMBLER
"""

import pathlib
import random
import re
import sys
import unittest

import assembly
import bochs
import model
import path
import stacks

RECORDED = (pathlib.Path(__file__).parent / "data/null.trace").read_text()
WEIGHTS = model.find_weights("icelake")
NOP, SYSCALL, SYSRET, UD2, RET = b"\x90", b"\x0f\x05", b"\x48\x0f\x07", b"\x0f\x0b", b"\xc3"
CALL = b"\xe8\x00\x00\x00\x00"  # where it leads is what follows in a path
VMRESUME = b"\x0f\x01\xc3"
FOLDED = re.compile(r"^[^; ][^;]*(;[^;\s]+)+ [1-9][0-9]*$")


def step(mode, symbol, address, code, kind=None):
    return path.Step(address, code), mode, symbol, kind


def names(*steps):
    """The stack of each step, as text."""
    return [";".join(frames) for frames, _ in stacks.of(path.Path("s/c", list(steps), len(steps)))]


class Flow(unittest.TestCase):
    def test_calls(self):
        """The length of a call is that of the assembler."""
        source = "call .; call *%rax; call *%r15; call *(%rax); call *8(%rbx); call *4096(%rbx); call *(%rsp); call *(%r12);"
        source += "call *64(%rsp,%rax,8); call *4096(%r13); call *foo(%rip); call *4096; call *4096(,%rax,2); call *(%r13);"
        source += "call *%fs:8(%rax)"
        found = assembly.assemble(sys.argv[2], source)
        self.assertEqual(len(found), source.count(";") + 1)
        for code, text in found:
            self.assertEqual(stacks.flow(code + b"\x00" * 8), stacks.CALL, text)
            self.assertEqual(stacks.call_length(code + b"\x00" * 8), len(code), text)

    def test_returns(self):
        for code, _ in assembly.assemble(sys.argv[2], "ret; ret $8; repz ret"):
            self.assertEqual(stacks.flow(code), stacks.RETURN)

    def test_neither(self):
        for code in (b"", b"\xff", NOP, b"\xff\xe0", SYSCALL, b"\xf3", b"\xcf"):
            self.assertIsNone(stacks.flow(code), code)


class Frames(unittest.TestCase):
    def test_call_and_return(self):
        self.assertEqual(names(step("user", "a", 10, CALL), step("user", "b", 100, NOP), step("user", "b", 101, RET),
                               step("user", "a", 15, NOP)), ["a", "a;b", "a;b", "a"])

    def test_recursion(self):
        self.assertEqual(names(step("user", "a", 10, CALL), step("user", "a", 10, CALL), step("user", "a", 30, RET),
                               step("user", "a", 15, RET), step("user", "a", 15, NOP)), ["a", "a;a", "a;a;a", "a;a", "a"])

    def test_jump(self):
        """A jump takes the place, and returns to whom the one before would have returned."""
        self.assertEqual(names(step("user", "a", 10, CALL), step("user", "b", 100, NOP), step("user", "c", 200, RET),
                               step("user", "a", 15, NOP)), ["a", "a;b", "a;c", "a"])

    def test_returns_that_skip(self):
        """Past a frame that was left by another way."""
        self.assertEqual(names(step("user", "a", 10, CALL), step("user", "b", 100, CALL), step("user", "c", 200, RET),
                               step("user", "a", 15, NOP)), ["a", "a;b", "a;b;c", "a"])

    def test_return_as_jump(self):
        self.assertEqual(names(step("user", "a", 10, CALL), step("user", "thunk", 100, RET), step("user", "b", 300, NOP)),
                         ["a", "a;thunk", "a;b"])

    def test_system_call(self):
        self.assertEqual(names(step("user", "a", 10, CALL), step("user", "b", 100, SYSCALL, "syscall"),
                               step("kernel", "entry", 1000, CALL), step("kernel", "f", 2000, SYSRET, "sysret"),
                               step("user", "b", 102, RET), step("user", "a", 15, NOP)),
                         ["a", "a;b", "a;b;entry_[k]", "a;b;entry_[k];f_[k]", "a;b", "a"])

    def test_switch(self):
        """The partner has a stack of its own; each goes on with its own."""
        a_to_b = [step("user", "a", 10, SYSCALL), step("kernel", "k", 1000, SYSRET), step("user", "b", 100, SYSCALL)]
        back = [step("kernel", "k", 1000, SYSRET), step("user", "a", 12, SYSCALL), step("kernel", "k", 1000, SYSRET),
                step("user", "b", 102, NOP)]
        self.assertEqual(names(*a_to_b, *back), ["a", "a;k_[k]", "b", "b;k_[k]", "a", "a;k_[k]", "b"])

    def test_event(self):
        """An exception: no instruction enters, and its handler may have moved the instruction pointer."""
        first = step("kernel", "trap", 1000, CALL)
        self.assertEqual(names(step("user", "a", 10, CALL), step("user", "b", 100, UD2), (*first[:3], "event"), first,
                               step("kernel", "f", 2000, b"\x48\xcf"), step("user", "b", 102, RET), step("user", "a", 15, NOP)),
                         ["a", "a;b", "a;b;trap_[k]", "a;b;trap_[k]", "a;b;trap_[k];f_[k]", "a;b", "a"])

    def test_guest(self):
        steps = [step("user", "a", 10, SYSCALL), step("kernel", "k", 1000, CALL), step("kernel", "run", 2000, VMRESUME),
                 step("guest", "?", 3000, NOP), step("kernel", "exit", 4000, SYSRET), step("user", "a", 12, NOP)]
        self.assertEqual(names(*steps), ["a", "a;k_[k]", "a;k_[k];run_[k]", "a;k_[k];run_[k];[guest]", "a;exit_[k]", "a"])

    def test_mangled(self):
        """Whatever the steps are, there is a stack for each, and its last frame is the symbol's."""
        chance = random.Random(1)
        codes = (NOP, SYSCALL, SYSRET, UD2, RET, CALL, VMRESUME, b"\xff", b"\xff\x14", b"")
        for _ in range(300):
            steps = [step(chance.choice(("user", "kernel", "guest")), chance.choice("abc"), chance.randrange(40),
                          chance.choice(codes), chance.choice((None, None, "event", "lock"))) for _ in range(60)]
            found = list(stacks.of(path.Path("s/c", steps, len(steps))))
            self.assertEqual(len(found), len(steps))
            self.assertTrue(all(frames for frames, _ in found))


class Sums(unittest.TestCase):
    PATH = path.Path("s/c", [step("user", "a b", 10, NOP), step("user", "a b", 11, SYSCALL, "syscall"),
                             step("kernel", "x;y", 1000, CALL), step("kernel", "f", 2000, SYSRET, "sysret")], 4)

    def test_folded(self):
        self.assertEqual(list(stacks.folded([self.PATH], WEIGHTS, "instructions")),
                         ["s/c;a_b 1", "s/c;a_b;[syscall] 1", "s/c;a_b;x:y_[k] 1", "s/c;a_b;x:y_[k];f_[k];[sysret] 1"])
        costs = [WEIGHTS.cycles[kind] for kind in ("syscall", "sysret")]
        self.assertEqual(list(stacks.folded([self.PATH], WEIGHTS, "cycles")),
                         [f"s/c;a_b;[syscall] {costs[0]:.0f}", f"s/c;a_b;x:y_[k];f_[k];[sysret] {costs[1]:.0f}"])

    def test_tree(self):
        rows = stacks.tree(self.PATH, WEIGHTS)
        self.assertEqual([row[:3] for row in rows], [(0, "a b", 4), (1, "[syscall]", 1), (1, "x;y_[k]", 2), (2, "f_[k]", 1),
                                                     (3, "[sysret]", 1)])
        self.assertAlmostEqual(rows[0][3], WEIGHTS.estimate(2, {"syscall": 1, "sysret": 1}))

    def test_recorded(self):
        """What is folded is what was counted."""
        class Names:
            def at(self, address):
                return f"f{address >> 8:x}"

        found = path.analyse("ipc/null", bochs.parse(RECORDED)[0], Names(), Names())
        lines = list(stacks.folded([found], WEIGHTS, "instructions"))
        self.assertTrue(all(FOLDED.match(line) for line in lines), lines)
        self.assertEqual(sum(int(line.rpartition(" ")[2]) for line in lines), found.total)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
