#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
usage: recipes_test.py SOURCE
The recipes for CI servers do what docs/ci.md says, on good days and on bad ones: gates, the search after a red one, baselines by
review, the lab at night.
"""

import contextlib
import pathlib
import sys
import tempfile
import unittest

import recipes

GATE = "run bench --junit gate.xml --markdown gate.md --json gate.json\n"
SOURCE = ""


def github(place, kind, branch):
    ways = {"gate": ("ci.yml", "gate"), "test": ("ci.yml", "test"), "baselines": ("baseline.yml", "propose"),
            "lab": ("lab.yml", "measure")}
    context = {"github.event_name": "pull_request", "github.event.pull_request.base.sha": place.base,
               "github.event.pull_request.head.sha": place.head, "inputs.reason": recipes.REASON}
    return recipes.Github(place, context).run(*ways[kind], branch)


def gitlab(place, kind, branch):
    variables = {"gate": {"CI_PIPELINE_SOURCE": "merge_request_event", "CI_MERGE_REQUEST_DIFF_BASE_SHA": place.base,
                          "CI_MERGE_REQUEST_IID": "5", "NOTES_TOKEN": "secret"},
                 "baselines": {"CI_PIPELINE_SOURCE": "web", "BASELINE_REASON": recipes.REASON, "PUSH_URL": place.url()},
                 "lab": {"CI_PIPELINE_SOURCE": "schedule", "PUSH_URL": place.url()}}
    server = recipes.Gitlab(place, variables["gate" if kind == "test" else kind])
    assert kind in server.jobs(), f"the rules of {kind} do not hold"
    return server.run(kind, branch)


def jenkins(place, kind, branch):
    variables = {"gate": {"CHANGE_TARGET": "main"}, "baselines": {"BASELINE_REASON": recipes.REASON}, "lab": {}}
    names = {"gate": "merge request", "test": "merge request"}
    return recipes.Jenkins(place, variables["gate" if kind == "test" else kind]).run(names.get(kind, kind), branch)


def buildbot(place, kind, branch):
    names = {"gate": "merge-request", "test": "merge-request"}
    return recipes.Buildbot(place, {"baseline_reason": recipes.REASON}).run(names.get(kind, kind), branch)


SERVERS = (github, gitlab, jenkins, buildbot)


class Recipes(unittest.TestCase):
    @contextlib.contextmanager
    def job(self, server, kind, branch="topic", good=True, before=lambda place: None, **more):
        """One job of one server, in a repository of its own, and whether it came out as expected."""
        with self.subTest(server.__name__), tempfile.TemporaryDirectory(prefix="recipes ") as folder:
            place = recipes.place(SOURCE, folder, **more)
            before(place)
            self.assertEqual(server(place, kind, branch), good, place.said())
            yield place

    def has(self, place, text):
        self.assertIn(text, place.log(), place.said())

    def lacks(self, place, text):
        self.assertNotIn(text, place.log(), place.said())

    def branches(self, place):
        return {line.split("/")[-1]: line.split()[0] for line in place.git("show-ref", "--heads").splitlines()}

    def test_tests(self):
        for server in SERVERS:
            with self.job(server, "test") as place:
                self.has(place, "run test\n")

    def test_a_gate_that_passes(self):
        for server in SERVERS:
            with self.job(server, "gate") as place:
                self.has(place, GATE)
                self.lacks(place, "hbench bisect")
                if server is github:
                    self.assertIn("| null |", (place.folder / "summary").read_text())
                if server is gitlab:
                    self.has(place, "/projects/3/merge_requests/5/notes {  \"body\"")

    def test_a_gate_that_fails_names_the_commit(self):
        for server in SERVERS:
            with self.job(server, "gate", code=1, good=False) as place:
                self.has(place, GATE)
                commit = "HEAD" if server in (jenkins, buildbot) else place.head
                self.has(place, f"hbench bisect {place.base} {commit} --case ipc/null\n")
                self.assertEqual((place.work / "bisect.txt").read_text(), "commit: it is found\n")
                if server is github:
                    self.assertIn("commit: it is found", (place.folder / "summary").read_text())

    def test_a_gate_without_a_verdict_looks_for_nothing(self):
        with self.job(gitlab, "gate", code=4, good=False) as place:
            self.lacks(place, "hbench bisect")

    def test_baselines_that_changed_are_proposed(self):
        for server in SERVERS:
            with self.job(server, "baselines", branch="main", code=1, changed=True) as place:
                self.assertIn("baselines-7", self.branches(place), place.said())
                self.assertEqual(place.git("log", "-1", "--format=%s", "baselines-7"), f"results: {recipes.REASON}")
                self.assertIn("| null | 40 | 41 |", place.git("log", "-1", "--format=%b", "baselines-7"))
                self.assertEqual(place.git("rev-parse", "baselines-7^"), place.base)
                if server is github:
                    self.has(place, "https://api/repos/n/hedron/pulls")
                    self.has(place, f'"title": "results: {recipes.REASON}",  "head": "baselines-7",  "base": "main"')

    def test_baselines_that_did_not_change_are_not(self):
        for server in SERVERS:
            with self.job(server, "baselines", branch="main") as place:
                self.has(place, "hbench baseline update")
                self.assertEqual(set(self.branches(place)), {"main", "topic"}, place.said())
                self.lacks(place, "\ncurl ")

    def test_a_good_night_is_remembered(self):
        for server in SERVERS:
            with self.job(server, "lab") as place:
                self.has(place, f"hbench fleet run -i {recipes.LAB} --suite {recipes.suites(SOURCE)} --boots 5 "
                                f"--git-revision {place.head} -o fleet\n")
                self.assertEqual(self.branches(place)["lab-good"], place.head)

    def test_a_bad_night_names_the_commit(self):
        for server in SERVERS:
            with self.job(server, "lab", code=1, good=False,
                          before=lambda place: place.git("branch", "lab-good", "main")) as place:
                self.assertEqual(self.branches(place)["lab-good"], place.base)
                commit = place.head if server is gitlab else "HEAD"
                self.has(place, f"hbench bisect {place.base} {commit} --case ipc/null --machine nuc --fleet {recipes.LAB}\n")

    def test_a_bad_first_night(self):
        for server in SERVERS:
            with self.job(server, "lab", code=1, good=False) as place:
                self.assertNotIn("lab-good", self.branches(place))
                self.lacks(place, "hbench bisect")

    def test_slurm(self):
        for code in (0, 1):
            with tempfile.TemporaryDirectory(prefix="recipes ") as folder:
                place = recipes.place(SOURCE, folder, code=code)
                self.assertEqual(recipes.slurm(place, "main"), code == 0, place.said())
                self.has(place, "hbench fleet run --slurm")
                self.assertTrue((place.work / "runs/7/report.json").exists())

    def test_container(self):
        with tempfile.TemporaryDirectory(prefix="recipes-") as folder:
            place = recipes.place(SOURCE, folder)
            self.assertTrue(recipes.container(place), place.said())
            self.assertRegex(place.log(), r"apt-get install .*\bqemu-system-x86\b")


if __name__ == "__main__":
    SOURCE = pathlib.Path(sys.argv.pop(1))
    unittest.main()
