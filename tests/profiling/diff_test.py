#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""profiling/diff.py: what changed between two small results; files that are none."""

import copy
import json
import pathlib
import random
import sys
import tempfile
import unittest

import diff
import model
import path
import report

WEIGHTS = model.find_weights("icelake")
NOP, PUSH, POP, LOCK, CR3 = b"\x90", b"\x50", b"\x58", b"\xf0\x48\xff\x00", b"\x0f\x22\xd8"


def made(name, *parts):
    """A path: (symbol, mode, code, kind) of each step."""
    return path.Path(name, [(path.Step(0, code), mode, symbol, kind) for symbol, mode, code, kind in parts], len(parts))


def document(*paths):
    return report.document(paths, WEIGHTS, "qemu", "hypervisor", {})


OLD = document(made("s/call", ("f", "kernel", NOP, None), ("g", "kernel", CR3, "cr3_write"), ("main", "user", PUSH, None)),
               made("s/same", ("f", "kernel", NOP, None)), made("s/gone", ("f", "kernel", NOP, None)))
NEW = document(made("s/call", ("f", "kernel", NOP, None), ("f", "kernel", POP, None), ("h", "kernel", LOCK, "lock"),
                    ("main", "user", PUSH, None)),
               made("s/same", ("f", "kernel", NOP, None)), made("s/fresh", ("f", "kernel", NOP, None)))


def lines(old, new):
    return [" ".join(line.split()) for line in diff.lines(old, new, WEIGHTS, "AB")]


class Differences(unittest.TestCase):
    def test_none(self):
        self.assertEqual(lines(OLD, OLD), ["3 of 3 paths are what they were"])
        self.assertEqual(diff.costs_more(OLD, OLD, WEIGHTS), [])

    def test_all(self):
        lock, cr3, plain = (WEIGHTS.cycles[kind] for kind in ("lock", "cr3_write", "plain"))
        was, now = cr3 + 2 * plain, lock + 3 * plain
        head = "instr. now change loads stores cycles now change expensive instructions"
        self.assertEqual(lines(OLD, NEW), [
            f"path {head}",
            f"s/call 3 4 +1 +2 +1 {was:.0f} {now:.0f} {now - was:+.1f} cr3_write 1 -> 0, lock 0 -> 1", "",
            "s/call",
            f"symbol {head}",
            f"f 1 2 +1 +1 +0 {plain:.0f} {2 * plain:.0f} {plain:+.1f}",
            f"g 1 0 -1 +0 +0 {cr3:.0f} 0 {-cr3:+.1f} cr3_write 1 -> 0",
            f"h 0 1 +1 +1 +1 0 {lock:.0f} {lock:+.1f} lock 0 -> 1", "",
            "only in A: s/gone", "only in B: s/fresh", "1 of 2 paths are what they were"])

    def test_moved(self):
        """From one function to another: the path is as long as before, and not the same."""
        moved = document(made("s/same", ("g", "kernel", NOP, None)))
        self.assertIn("0 of 1 paths are what they were", lines(document(made("s/same", ("f", "kernel", NOP, None))), moved))

    def test_accesses_alone(self):
        old, new = (document(made("s/c", ("f", "user", code, None))) for code in (NOP, PUSH))
        self.assertEqual(lines(old, new)[1].split()[:6], ["s/c", "1", "1", "+0", "+0", "+1"])
        self.assertEqual(lines(old, new)[5].split()[:2], ["f", "(user)"])

    def test_costs_more(self):
        self.assertEqual(diff.costs_more(OLD, NEW, WEIGHTS), ["s/call"])  # one instruction more, though cheaper
        self.assertEqual(diff.costs_more(NEW, OLD, WEIGHTS), ["s/call"])  # shorter, though dearer
        cheaper = document(made("s/call", ("f", "kernel", NOP, None)))
        self.assertEqual(diff.costs_more(OLD, cheaper, WEIGHTS), [])

    def test_events(self):
        """They are no instructions."""
        event = document(made("s/c", ("f", "kernel", NOP, "event"), ("f", "kernel", NOP, None)))
        self.assertEqual(diff.cycles(event["paths"][0]["symbols"][0], WEIGHTS), WEIGHTS.estimate(1, {"event": 1}))


class Files(unittest.TestCase):
    def read(self, data):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "x.json")
            file.write_text(data if isinstance(data, str) else json.dumps(data))
            return diff.read(file)

    def test_good(self):
        self.assertEqual(self.read(OLD), OLD)

    def test_refused(self):
        for data in ("", "{", "[]", "3", {}, {"paths": 3}, {**OLD, "emulator": 7}, {**OLD, "paths": [{}]},
                     {**OLD, "weights": None}):
            with self.assertRaises(model.DataError):
                self.read(data)

    def test_damaged(self):
        """Each member of a path and of a symbol is needed, and of its type."""
        for place in (lambda data: data["paths"][0], lambda data: data["paths"][0]["symbols"][0]):
            for member in place(OLD).keys() - {"cycles", "exceeded"}:
                for value in (None, -1, {"x": 1}, [1]):
                    data = copy.deepcopy(OLD)
                    place(data)[member] = value
                    with self.assertRaises(model.DataError, msg=f"{member} = {value}"):
                        self.read(data)

    def test_cut(self):
        """A result that was cut off anywhere."""
        text, chance = json.dumps(OLD), random.Random(1)
        for _ in range(100):
            with self.assertRaises(model.DataError):
                self.read(text[:chance.randrange(len(text))])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
