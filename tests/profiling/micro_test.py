#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
profiling/micro.py, perf.py and callgrind.py: what tools write, also damaged; and with a benchmark of two loops whose
instructions are known. usage: micro_test.py COMPILER
"""

import json
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import callgrind
import micro
import perf

COMPILER = sys.argv[1]
PROGRAM = """
#include <benchmark/benchmark.h>
static void ten(benchmark::State &state)
{
	for (auto _ : state)
		asm volatile(".rept 10\\n\\tnop\\n\\t.endr");
}
BENCHMARK(ten);
BENCHMARK(ten)->Threads(2);
__attribute__((noinline)) static void work(int64_t count)
{
	for (int64_t i = 0; i < count; i++)
		asm volatile("");
}
static void many(benchmark::State &state)
{
	for (auto _ : state)
		work(state.range(0));
}
BENCHMARK(many)->ArgName("n")->Arg(1000)->Arg(100000);
static void bad(benchmark::State &state)
{
	state.SkipWithError("no luck");
	for (auto _ : state)
		;
}
#ifdef BAD
BENCHMARK(bad);
#endif
"""

STAT = """# started on Sun Nov 22 21:00:00 2026

1234567,,instructions:u,1000,100.00,1.20,insn per cycle
<not supported>,,cycles:u,0,100.00,,
<not counted>,,branch-misses:u,0,0.00,,
42,,cache-misses:u,99,50.00,,
0.98,msec,task-clock,980000,100.00,0.6,CPUs utilized
"""

SCRIPT = """prog 1234  5.678:     250000 cpu-clock:u:
\t         55d0c4 inner(int)+0x14 (/x/prog)
\t         55d0ff outer; odd+0x3f (/x/prog)
\t         7f3a10 [unknown] ([unknown])

prog 1234  5.679:     250000 cpu-clock:u:
\t         55d0c8 inner(int)+0x18 (/x/prog)
\t         55d0ff outer; odd+0x3f (/x/prog)
\t         7f3a10 [unknown] ([unknown])

prog 1234  5.680:     250000 cpu-clock:u:
\t         55d0ff main+0x3f (/x/prog)
"""

DUMPS = {"out": "totals: 9\n", "out.1": "desc: Trigger: --dump-after=x\n\ntotals: 500\n",
         "out.2": "desc: Trigger: --dump-before=x\n\ntotals: 10\n", "out.10": "desc: Trigger: --dump-before=x\n\ntotals: 1000\n"}


class Perf(unittest.TestCase):
    def test_stat(self):
        self.assertEqual(perf.parse_stat(STAT), {"instructions": 1234567, "cycles": None, "branch-misses": None, "cache-misses": 42,
                                                 "task-clock": None})
        self.assertEqual(perf.parse_stat(""), {})

    def test_fold(self):
        self.assertEqual(perf.fold(SCRIPT), {"[unknown];outer:_odd;inner(int)": 2, "main": 1})

    def test_top(self):
        self.assertEqual(perf.top(["a;b 3", "c;b 3", "a 2"], 5), [(0.75, "b"), (0.25, "a")])
        self.assertEqual(perf.top([], 5), [])

    def test_damaged(self):
        """Cut off or mangled anywhere, it is less, and never an exception."""
        chance = random.Random(1)
        for text, parse in ((STAT, perf.parse_stat), (SCRIPT, perf.fold)):
            for length in range(len(text)):
                parse(text[:length])
            for _ in range(300):
                parse("".join(chance.choice((letter, chr(chance.randrange(256)))) for letter in text))

    def test_reason(self):
        """Either it counts here, or it says why not."""
        self.assertRegex(perf.why_not(), r"^$|not installed|no hardware counters|permits no counters")


class Callgrind(unittest.TestCase):
    def loops(self, files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                pathlib.Path(folder, name).write_text(text)
            return callgrind.loops(folder)

    def test_loops(self):
        """In the order of their numbers."""
        self.assertEqual(self.loops(DUMPS), [10, 1000])

    def test_per_iteration(self):
        self.assertEqual(callgrind.per_iteration([890, 900, 1880], 100), 10)
        self.assertEqual(callgrind.per_iteration([5000000], 1), 5000000)

    def test_damaged(self):
        for files in ({}, {"out": DUMPS["out"]}, {**DUMPS, "out.10": DUMPS["out.10"][:-12]}):
            with self.assertRaises(callgrind.CallgrindError):
                self.loops(files)


class Results(unittest.TestCase):
    FILE = pathlib.Path("x_bench")

    def test_good(self):
        entry = {"name": "a/1", "iterations": 7, "cpu_time": 2.5, "time_unit": "us"}
        self.assertEqual(micro.results(json.dumps({"benchmarks": [entry]}), self.FILE), {"a/1": (7, 2500)})

    def test_damaged(self):
        text = json.dumps({"benchmarks": [{"name": "a", "iterations": 7, "cpu_time": 2.5, "time_unit": "us"}]})
        cut = [text[:length] for length in range(len(text))]
        for broken in [*cut, "[]", "{}", text.replace("us", "hours"), '{"benchmarks": 3}']:
            with self.assertRaisesRegex(micro.MicroError, "did not write a result"):
                micro.results(broken, self.FILE)

    def test_table(self):
        rows = [{"program": "x", "name": "a", "nanoseconds": 1.25, "counts": {"instructions": 7, "cycles": 2.5}},
                {"program": "x", "name": "bb", "nanoseconds": 100, "counts": {}}]
        self.assertEqual([line.split() for line in micro.table(rows)],
                         [["benchmark", "ns", "instr.", "cycles"], ["x/a", "1.2", "7.0", "2.5"], ["x/bb", "100.0", ".", "."]])


class Command(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        programs = cls.folder / "bench/micro"
        programs.mkdir(parents=True)
        (cls.folder / "x.cc").write_text(PROGRAM)
        for name, options in (("known", []), ("bad", ["-DBAD"])):
            command = [COMPILER, "-O2", "-fno-omit-frame-pointer", "-w", *options, "-o", programs / f"{name}_bench"]
            libraries = ["-lbenchmark_main", "-lbenchmark", "-lpthread"]
            subprocess.run([*command, cls.folder / "x.cc", *libraries], check=True)

    def run_it(self, *words):
        done = subprocess.run([sys.executable, micro.HERE / "micro.py", "--build", self.folder, "--output", self.folder / "out",
                               "--min-time", "0.02", *words], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def test_callgrind(self):
        if callgrind.why_not():
            self.skipTest(callgrind.why_not())
        code, out, error = self.run_it("--program", "known", "--filter", "^ten|1000$", "--counters", "callgrind")
        self.assertEqual((code, error), (0, ""))
        self.assertIn("counts by callgrind", out)
        rows = {row["name"]: row for row in json.loads((self.folder / "out/results.json").read_text())["benchmarks"]}
        self.assertEqual(rows.keys(), {"ten", "ten/threads:2", "many/n:1000"})
        self.assertEqual(rows["ten/threads:2"]["counts"], {})  # its threads cannot be told apart
        self.assertTrue(11 <= rows["ten"]["counts"]["instructions"] <= 14, rows)
        self.assertTrue(2000 < rows["many/n:1000"]["counts"]["instructions"] < 4100, rows)
        self.assertTrue(all(row["nanoseconds"] > 0 for row in rows.values()))
        self.assertRegex(out, r"(?m)^known/ten/threads:2 +[0-9.]+ +\.$")
        self.assertTrue(out.startswith((self.folder / "out/table.txt").read_text()))

    def test_auto(self):
        """Whatever this machine can do, it says how it counts."""
        code, out, error = self.run_it("--program", "known", "--filter", "ten$")
        self.assertEqual((code, error), (0, ""))
        self.assertRegex(out, r"(?m)^counts by (perf|callgrind), |^no counts by callgrind")
        self.assertRegex(out, r"(?m)^known/ten +\d+\.\d")

    def test_perf(self):
        """Where there are counters, they count what is known; elsewhere it is refused, with the reason."""
        code, out, error = self.run_it("--program", "known", "--filter", "10000", "--counters", "perf")
        if perf.why_not():
            self.assertEqual((code, out), (4, ""))
            self.assertIn("no counts by perf: ", error)
        else:
            found = re.search(r"known/many/n:100000 +\S+ +(\d+)", out)
            self.assertTrue(150000 < float(found[1]) < 450000, out)

    def test_record(self):
        if not shutil.which("perf"):
            self.skipTest("perf is not installed")
        code, out, error = self.run_it("--program", "known", "--filter", "100000", "--record")
        if "perf_event_open" in error or "Permission" in error or "paranoid" in error:
            self.skipTest("samples are not permitted here")
        self.assertEqual((code, error), (0, ""))
        self.assertRegex(out, r"(?m)^ +\d+\.\d%  (work|many)")
        self.assertGreater((self.folder / "out/known_bench.perf.data").stat().st_size, 1000)
        for line in (self.folder / "out/known_bench.folded").read_text().splitlines():
            self.assertRegex(line, r"^[^; ]+(;[^; ]+)* [1-9][0-9]*$")

    def test_record_callgrind(self):
        if callgrind.why_not():
            self.skipTest(callgrind.why_not())
        code, out, error = self.run_it("--program", "known", "--filter", "100000", "--record", "--counters", "callgrind")
        self.assertEqual((code, error), (0, ""))
        self.assertRegex(out, r"(?m)%\)  .*(work|many)")

    def test_failures(self):
        for words, want, why in ((["--program", "bad"], 4, "bad failed"), (["--filter", "("], 2, "--filter"),
                                 (["--program", "nothing"], 4, "no program nothing; there are: bad, known"),
                                 (["--filter", "frobnicate"], 4, "no benchmark matches frobnicate"),
                                 (["--build", "/nonexistent"], 4, "there is no program in"), (["--counters", "x"], 2, "usage")):
            code, _, error = self.run_it(*words)
            self.assertEqual(code, want, f"{words}: {error}")
            self.assertIn(why, error)


if __name__ == "__main__":
    if not pathlib.Path("/usr/include/benchmark/benchmark.h").exists():
        print("Google Benchmark is not installed")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
