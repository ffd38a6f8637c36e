#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What measure-weights writes is a file of weights, with figures of the right order. usage: measure_test.py PROGRAM"""

import pathlib
import subprocess
import sys
import tempfile
import unittest

import model

PROGRAM = sys.argv[1]
# Bounds that any x86 of the last fifteen years keeps to, also under an emulator's clock or on a busy machine.
BOUNDS = {"lock": (2, 500), "rdtsc": (2, 5000), "mfence": (2, 2000), "pause": (1, 2000), "div": (1, 500), "rep": (2, 1000)}


class Measure(unittest.TestCase):
    def test_weights(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "here.json")
            file.write_text(subprocess.run([PROGRAM], check=True, capture_output=True, text=True).stdout)
            weights = model.find_weights(str(file))
        for kind, (low, high) in BOUNDS.items():
            self.assertTrue(low <= weights.cycles[kind] <= high, f"{kind}: {weights.cycles[kind]}")

    def test_usage(self):
        self.assertEqual(subprocess.run([PROGRAM, "--help"], capture_output=True, check=True).stdout[:6], b"usage:")
        with open("/dev/full", "w", encoding="utf-8") as full:  # a result that cannot be written is none
            self.assertEqual(subprocess.run([PROGRAM], stdout=full, stderr=subprocess.PIPE, check=False).returncode, 1)
        self.assertEqual(subprocess.run([PROGRAM, "x"], capture_output=True, check=False).returncode, 2)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
