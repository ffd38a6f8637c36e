#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""profiling/model.py: estimates, verdicts, and files that are refused; all files that come with the tool are accepted."""

import collections
import copy
import json
import math
import pathlib
import sys
import tempfile
import unittest

import decode
import model
import path

STEP = path.Step(0, b"")


def made(name, plain=0, **kinds):
    """A path with so many instructions of each kind."""
    flat = [None] * plain + [kind for kind, count in kinds.items() for _ in range(count)]
    return path.Path(name, [(STEP, "kernel", "f", kind) for kind in flat], sum(kind != "event" for kind in flat))


class Files(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def write(self, data):
        file = pathlib.Path(self.folder.name, "x.json")
        file.write_text(data if isinstance(data, str) else json.dumps(data))
        return str(file)

    def weights(self, **changes):
        entries = {name: {"cycles": 1, "source": "here"} for name in (model.PLAIN, *decode.KINDS)}
        entries.update(changes)
        return {"weights": {name: entry for name, entry in entries.items() if entry is not None}}

    def budgets(self, **changes):
        data = {"suite": "s", "roottask": "s.elf", "weights": "icelake", "paths": {"c": {"at_most": {"syscall": 1}}}}
        data.update(changes)
        return {name: entry for name, entry in data.items() if entry is not None}


class OwnFiles(Files):
    def test_weights(self):
        files = list((model.HERE / "weights").glob("*.json"))
        self.assertTrue(files)
        for file in files:
            self.assertGreater(model.Weights.read(file).estimate(1, {"syscall": 1}), 0)
            self.assertTrue(json.loads(file.read_text())["microarchitecture"], file)
            self.assertIn(f"| `{file.stem}` |", (model.HERE.parent / "docs/pathcost.md").read_text())

    def test_budgets(self):
        files = list((model.HERE / "budgets").glob("*.json"))
        self.assertTrue(files)
        for file in files:
            budgets = model.Budgets.read(file)
            self.assertEqual(budgets.suite, file.stem.removesuffix("_smp"))
            model.find_weights(budgets.weights)
            self.assertTrue(all(entry.get("why") for entry in json.loads(file.read_text())["paths"].values()), file)

    def test_by_name(self):
        self.assertEqual(model.find_weights("icelake").name, "icelake")
        self.assertEqual(model.find_budgets("ipc").suite, "ipc")
        self.assertEqual(model.find_budgets("hello").paths, {})
        for find, name in ((model.find_weights, "nothing"), (model.find_budgets, "nothing.json")):
            with self.assertRaises(model.DataError):
                find(name)


class Damaged(Files):
    VALUES = (None, 0, -1, 1e999, "", "x", [], [1], {}, {"x": 1}, True)

    def places(self, data):
        """(container, key) of everything within."""
        if isinstance(data, dict):
            for key, value in data.items():
                yield data, key
                yield from self.places(value)

    def accepted_or_refused(self, data, find):
        for number in range(len(list(self.places(data)))):
            for value in self.VALUES:
                changed = copy.deepcopy(data)
                container, key = list(self.places(changed))[number]
                container[key] = value
                try:
                    find(self.write(changed))
                except model.DataError:
                    pass
        for text in ("", "[]", "3", "null", json.dumps(data)[:-5]):
            with self.assertRaises(model.DataError):
                find(self.write(text))

    def test_weights(self):
        self.accepted_or_refused({"base": "icelake", "weights": {"iret": {"cycles": 7, "source": "x"}}}, model.find_weights)

    def test_budgets(self):
        data = self.budgets(emulators={"qemu": {"xsave": 2, "why": "x"}},
                            paths={"c": {"at_most": {"syscall": 1}, "cycles": 9, "instructions": 9, "why": "x"}})
        self.accepted_or_refused(data, model.find_budgets)


class Weights(Files):
    def refused(self, data, why):
        with self.assertRaisesRegex(model.DataError, why):
            model.find_weights(self.write(data))

    def test_estimate(self):
        entries = {"plain": {"cycles": 0.5, "source": "x"}, "iret": {"cycles": 200, "source": "x"}}
        weights = model.find_weights(self.write(self.weights(**entries)))
        self.assertEqual(weights.estimate(10, collections.Counter(iret=2, lock=3)), 5 + 400 + 3)
        self.assertEqual(weights.name, "x")

    def test_base(self):
        entry = {"cycles": 7, "source": "x"}
        weights = model.find_weights(self.write({"base": "icelake", "weights": {"iret": entry}}))
        self.assertEqual(weights.cycles, {**model.find_weights("icelake").cycles, "iret": 7})
        self.refused({"base": "nothing", "weights": {"iret": entry}}, "No such file")
        self.refused({"base": "icelake", "weights": {"irret": entry}}, "missing or unknown: irret")

    def test_refused(self):
        self.refused(self.weights(iret=None), "missing or unknown: iret")
        self.refused(self.weights(plain=None), "missing or unknown: plain")
        self.refused(self.weights(frobnicate={"cycles": 1, "source": "x"}), "missing or unknown: frobnicate")
        self.refused(self.weights(iret={"cycles": 1}), "iret needs cycles and source")
        self.refused(self.weights(iret={"cycles": "1", "source": "x"}), "cycles are a number")
        for cycles in (-1, float("inf"), float("nan"), True, None):
            self.refused(self.weights(iret={"cycles": cycles, "source": "x"}), "cycles are a number")
        self.refused(self.weights(iret={"cycles": 1, "source": ""}), "the source a text")
        self.refused("{", "Expecting")


class Budgets(Files):
    def complaints(self, found, emulator="bochs", **changes):
        budgets = model.find_budgets(self.write(self.budgets(**changes)))
        return budgets.complaints(found, model.find_weights("icelake"), emulator)

    def test_kept(self):
        self.assertEqual(self.complaints(made("s/c", 10, syscall=1)), [])
        self.assertEqual(self.complaints(made("s/c", 10)), [])

    def test_exceeded(self):
        self.assertEqual(self.complaints(made("s/c", syscall=2)), ["2 syscall, at most 1"])
        self.assertEqual(self.complaints(made("s/c", syscall=2, lock=1)), ["1 lock, at most 0", "2 syscall, at most 1"])

    def test_cpus(self):
        self.assertEqual(model.find_budgets(self.write(self.budgets())).cpus, 1)
        self.assertEqual(model.find_budgets(self.write(self.budgets(cpus=2))).cpus, 2)
        for wrong in (0, 9, "2"):
            with self.assertRaisesRegex(model.DataError, "cpus is a number"):
                model.find_budgets(self.write(self.budgets(cpus=wrong)))

    def test_no_budget(self):
        self.assertEqual(self.complaints(made("s/other", iret=100)), [])

    def test_instructions(self):
        paths = {"c": {"at_most": {}, "instructions": 10}}
        self.assertEqual(self.complaints(made("s/c", 10), paths=paths), [])
        self.assertEqual(self.complaints(made("s/c", 11), paths=paths), ["11 instructions, at most 10"])

    def test_cycles(self):
        paths = {"c": {"at_most": {"syscall": 9}, "cycles": 90}}
        self.assertEqual(self.complaints(made("s/c", syscall=2), paths=paths), [])
        self.assertEqual(self.complaints(made("s/c", 10, syscall=2), paths=paths), ["about 94 cycles, at most 90"])

    def test_cycles_are_those_of_the_budgets(self):
        heavy = model.Weights("heavy", {name: 1000 for name in (model.PLAIN, *decode.KINDS)})
        budgets = model.find_budgets(self.write(self.budgets(paths={"c": {"at_most": {}, "cycles": 90}})))
        self.assertEqual(budgets.complaints(made("s/c", 10), heavy, "bochs"), [])

    def test_allowance(self):
        changes = {"emulators": {"qemu": {"xsave": 2, "why": "x"}}, "paths": {"c": {"at_most": {}, "instructions": 5}}}
        self.assertEqual(self.complaints(made("s/c", xsave=2), "qemu", **changes), [])
        self.assertEqual(self.complaints(made("s/c", xsave=3), "qemu", **changes), ["3 xsave, at most 2"])
        self.assertEqual(self.complaints(made("s/c", xsave=2), "bochs", **changes), ["2 xsave, at most 0"])
        # What comes along with the allowed instructions is not counted twice.
        self.assertEqual(self.complaints(made("s/c", 50), "qemu", **changes), [])
        self.assertEqual(self.complaints(made("s/c", 50), "bochs", **changes), ["50 instructions, at most 5"])

    def test_tighten(self):
        """Lower where there is room, never higher; what is gone from the path is gone from the budget."""
        file = self.write(self.budgets(paths={
            "c": {"at_most": {"syscall": 2, "lock": 5, "iret": 1}, "instructions": 90, "cycles": 1000, "why": "x"},
            "d": {"at_most": {"syscall": 1}, "cycles": 10},
            "e": {"at_most": {"syscall": 7}}}))
        model.find_budgets(file).tighten([made("s/c", 10, syscall=1, lock=9), made("s/d", syscall=2), made("s/other", iret=1)])
        paths = json.loads(pathlib.Path(file).read_text())["paths"]
        cycles = math.ceil(model.SLACK * model.find_weights("icelake").estimate(10, {"syscall": 1, "lock": 9}))
        self.assertEqual(paths["c"], {"at_most": {"syscall": 1, "lock": 5}, "instructions": 90, "cycles": cycles, "why": "x"})
        self.assertEqual(paths["d"], {"at_most": {"syscall": 1}, "cycles": 10})
        self.assertEqual(paths["e"], {"at_most": {"syscall": 7}})
        self.assertIn('"at_most": {"syscall": 1, "lock": 5},\n', pathlib.Path(file).read_text())
        model.find_budgets(file)

    def test_refused(self):
        for changes, why in (({"paths": None}, "paths is missing"), ({"paths": {}}, "paths is missing"),
                             ({"suite": ""}, "suite is missing"),
                             ({"paths": {"c": {}}}, "members are"), ({"paths": {"c": {"at_most": {}, "typo": 1}}}, "members are"),
                             ({"paths": {"c": {"at_most": {"sysCall": 1}}}}, "unknown kind"),
                             ({"paths": {"c": {"at_most": {"lock": "1"}}}}, "not a number"),
                             ({"emulators": {"qemu": {"xsafe": 1}}}, "unknown kind"),
                             ({"emulators": {"bosch": {"xsave": 1}}}, "emulators are bochs, qemu"),
                             ({"paths": [1]}, "paths is missing"), ({"paths": {"c": 1}}, "a path is an object"),
                             ({"paths": {"c": {"at_most": 3}}}, "kinds and their counts"),
                             ({"paths": {"c": {"at_most": {}, "cycles": "9"}}}, "are numbers")):
            with self.assertRaisesRegex(model.DataError, why):
                model.find_budgets(self.write(self.budgets(**changes)))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
