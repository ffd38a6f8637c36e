#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
`./run bench`, `.ci/bisect` and `.ci/baseline`, with programs that only note how they were called, in a tree of its own.
usage: front_test.py SOURCE
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(sys.argv.pop(1)).resolve()
SUITES = ("ipc", "sched", "sm", "space", "scale", "latency", "vmexit")
OTHERS = {"vmexit-qemu-EPYC": "--target qemu --cpu EPYC", "vmexit-bochs-ryzen": "--target bochs --cpu ryzen"}
NOTES = '#!/bin/sh\necho "$@" >>"$NOTES"\n'


class Tree(unittest.TestCase):
    """A tree with `run` and such programs."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.tree = pathlib.Path(folder.name).resolve()
        self.home = self.tree / "home"
        self.home.mkdir()
        shutil.copy(SOURCE / "run", self.tree)
        self.program("bin/cmake", "#!/bin/sh\nexit 0\n")
        self.program("build/release/hbench", NOTES + '[ "$1" != gate ] || exit "${GATE_CODE:-0}"\n')
        self.program("profiling/pathcost.py", "#!/bin/sh\nexit ${COST_CODE:-0}\n")

    def program(self, name, text):
        path = self.tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def bench(self, *words, folder=None, **variables):
        """(exit code, everything it said, the calls of hbench)"""
        notes = self.tree / "notes"
        notes.write_text("")
        surroundings = {"PATH": f"{self.tree}/bin:/usr/bin:/bin", "HEDRON_SKIP_PACKAGES": "1", "NOTES": str(notes),
                        "HOME": str(self.home), "GIT_CEILING_DIRECTORIES": str(self.tree.parent), **variables}
        done = subprocess.run([self.tree / "run", "bench", *words], env=surroundings, cwd=folder or self.tree,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return done.returncode, done.stdout, notes.read_text().splitlines()

    def git(self, *words):
        """what git says to that"""
        env = {**os.environ, "HOME": str(self.home), "GIT_CONFIG_NOSYSTEM": "1"}
        return subprocess.run(["git", "-c", "user.name=n", "-c", "user.email=e@x", *words], cwd=self.tree, env=env, check=True,
                              capture_output=True, text=True).stdout.strip()


class Bench(Tree):
    def test_all_suites_with_one_gate(self):
        code, _, calls = self.bench()
        self.assertEqual(code, 0)
        for suite in SUITES:
            self.assertTrue(any(line.startswith("run ") and f"--suite {suite} " in line for line in calls), suite)
        gates = [line for line in calls if line.startswith("gate ")]
        self.assertEqual(len(gates), 1)
        for name in (*SUITES, *OTHERS):
            self.assertIn(f"build/bench/{name}.json", gates[0])
        for name, words in OTHERS.items():
            self.assertTrue(any(f"{words} " in line and line.endswith(f"-o build/bench/{name}.json") for line in calls), name)

    def test_exit_codes(self):
        self.assertEqual(self.bench(GATE_CODE="1")[0], 1)
        self.assertEqual(self.bench(GATE_CODE="4")[0], 4)
        self.assertEqual(self.bench(COST_CODE="1")[0], 1)
        self.assertEqual(self.bench(COST_CODE="2")[0], 3)

    def test_history_is_not_in_build(self):
        _, _, calls = self.bench()
        self.assertFalse([line for line in calls if "--db" in line or "--no-db" in line])

    def test_files_are_the_callers(self):
        other = self.tree / "else where"
        other.mkdir()
        code, _, calls = self.bench("--junit", "a.xml", "--markdown=b.md", "--json", "/tmp/c.json", "--badge", "d.json",
                                    folder=other)
        self.assertEqual(code, 0)
        gate = next(line for line in calls if line.startswith("gate "))
        self.assertIn(f"--junit {other}/a.xml --markdown {other}/b.md --json /tmp/c.json --badge {other}/d.json", gate)

    def test_wrong_words(self):
        for words in (["--junit"], ["--junit="], ["--xml", "x"], ["x"], ["--json", "no/such/folder/x"]):
            code, _, calls = self.bench(*words)
            self.assertEqual((code, calls), (2, []), words)

    def revision(self, **variables):
        _, _, calls = self.bench(**variables)
        words = next(line for line in calls if line.startswith("run ")).split()
        return words[words.index("--git-revision") + 1] if "--git-revision" in words else None

    def test_revision_of_ci_servers(self):
        self.assertIsNone(self.revision())
        for name in ("GITHUB_SHA", "CI_COMMIT_SHA", "GIT_COMMIT"):
            self.assertEqual(self.revision(**{name: "abc123"}), "abc123", name)

    def test_revision_of_git(self):
        if not shutil.which("git"):
            self.skipTest("git is not installed")
        self.git("init", "-q")
        self.git("add", "run")
        self.git("commit", "-q", "-m", "m")
        head = self.git("rev-parse", "HEAD")
        self.assertEqual(self.revision(CI_COMMIT_SHA="other"), head)
        with open(self.tree / "run", "a", encoding="utf-8") as file:
            file.write("# changed\n")
        self.assertEqual(self.revision(), f"{head}-dirty")

    def test_revision_of_a_folder_around(self):
        """The tree is unpacked within somebody else's working tree: that one's revision means nothing."""
        if not shutil.which("git"):
            self.skipTest("git is not installed")
        self.git("init", "-q")
        self.git("commit", "-q", "--allow-empty", "-m", "m")
        inner = self.tree / "inner"
        inner.mkdir()
        for name in ("run", "build", "profiling", "bin"):
            shutil.move(self.tree / name, inner / name)
        self.tree = inner
        self.assertEqual(self.revision(CI_COMMIT_SHA="abc"), "abc")


@unittest.skipUnless(shutil.which("git") and shutil.which("jq"), "git or jq is not installed")
class Bisect(Tree):
    """`.ci/bisect` asks for the first case that got worse, between the commit where a branch began and its end."""

    def setUp(self):
        super().setUp()
        (self.tree / ".ci").mkdir()
        shutil.copy(SOURCE / ".ci/bisect", self.tree / ".ci")
        self.git("init", "-q", "-b", "main")
        self.base = self.commit("base")
        self.git("checkout", "-q", "-b", "topic")
        self.head = self.commit("topic")
        self.git("checkout", "-q", "main")
        self.commit("main goes on")

    def commit(self, subject):
        self.git("commit", "-q", "--allow-empty", "-m", subject)
        return self.git("rev-parse", "HEAD")

    def bisect(self, good, bad, *verdicts):
        """(exit code, the calls of hbench), after a gate with these verdicts"""
        notes = self.tree / "notes"
        notes.write_text("")
        cases = [{"name": f"ipc/c{number}", "verdict": verdict} for number, verdict in enumerate(verdicts)]
        (self.tree / "gate.json").write_text(json.dumps([{"cases": []}, {"cases": cases}]))
        env = {**os.environ, "NOTES": str(notes), "HOME": str(self.home), "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run([".ci/bisect", "gate.json", good, bad], cwd=self.tree, env=env, check=False, capture_output=True)
        return done.returncode, notes.read_text().splitlines()

    def test_between_branches(self):
        call = f"bisect {self.base} {self.head} --case ipc/c1"
        for good in (self.base, "main"):
            self.assertEqual(self.bisect(good, self.head, "same", "WORSE", "WORSE"), (0, [call]), good)

    def test_nothing_is_worse(self):
        self.assertEqual(self.bisect("main", self.head, "same", "MISSING"), (0, []))

    def test_revision_that_is_not_there(self):
        self.assertEqual(self.bisect("no-such-branch", self.head, "WORSE"), (2, []))


@unittest.skipUnless(shutil.which("git"), "git is not installed")
class Baseline(Tree):
    """`.ci/baseline` in a fresh clone, where nothing has been built or measured."""

    def setUp(self):
        super().setUp()
        self.program("build/release/hbench", '''#!/bin/sh
echo "$@" >>"$NOTES"
last=
for word in "$@"; do
    [ "$last" != --markdown ] || printf '### ipc\\n| null | 41 | WORSE |\\n| sm_up | 44 | same |\\n' >"$word"
    last=$word
done
case $1 in
gate) exit "$GATE_CODE" ;;
baseline) echo "$RECORDED" >results/ipc.json ;;
esac
''')
        (self.tree / ".ci").mkdir()
        shutil.copy(SOURCE / ".ci/baseline", self.tree / ".ci")
        (self.tree / "results").mkdir()
        (self.tree / "results/ipc.json").write_text("old\n")
        self.git("init", "-q", "-b", "main")
        self.git("add", "results")
        self.git("commit", "-q", "-m", "m")

    def baseline(self, recorded, gate_code):
        """its exit code; the commit's message, if there is a new one"""
        env = {"PATH": f"{self.tree}/bin:/usr/bin:/bin", "HEDRON_SKIP_PACKAGES": "1", "NOTES": str(self.tree / "notes"),
               "HOME": str(self.home), "GIT_CEILING_DIRECTORIES": str(self.tree.parent), "GIT_CONFIG_NOSYSTEM": "1",
               "RECORDED": recorded, "GATE_CODE": str(gate_code)}
        done = subprocess.run([".ci/baseline", "new", "shorter"], cwd=self.tree, env=env, check=False, capture_output=True)
        return done.returncode, self.git("log", "--format=%B", "main..HEAD")

    def test_new_numbers(self):
        self.assertEqual(self.baseline("new", 1), (0, "results: shorter\n\n### ipc\n| null | 41 | WORSE |"))
        self.assertEqual(self.git("rev-parse", "--abbrev-ref", "HEAD"), "new")

    def test_same_numbers(self):
        self.assertEqual(self.baseline("old", 0), (0, ""))

    def test_not_measured(self):
        code, message = self.baseline("new", 4)
        self.assertNotEqual(code, 0)
        self.assertEqual(message, "")


class Test(unittest.TestCase):
    """`./run test` shows what the gates compared."""

    def test_gates_are_shown(self):
        report = ('<testsuite tests="2">\n<testcase name="gate.ipc" status="run">\n\t<system-out>ipc in qemu: 64 cases: 64 same.\n'
                  '</system-out>\n</testcase>\n<testcase name="other">\n<system-out>5 cases: 5 same.\n</system-out>\n</testcase>\n'
                  '</testsuite>\n')
        text = (SOURCE / "run").read_text()
        begin = text.index("show_gates() {")
        function = text[begin:text.index("\n}\n", begin) + 3]
        with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
            file.write(report)
            file.flush()
            done = subprocess.run(["bash", "-c", f'{function}\nshow_gates "$0"', file.name], check=True, capture_output=True,
                                  text=True)
        self.assertEqual(done.stdout, "      gate: ipc in qemu: 64 cases: 64 same.\n")


if __name__ == "__main__":
    unittest.main()
