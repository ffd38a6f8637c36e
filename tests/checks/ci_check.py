#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
usage: ci_check.py SOURCE HBENCH
The recipes for CI servers: their form, the shell in them (by shellcheck), and that each command and option of ./run and hbench that
they and docs/ci.md name exists.
"""

import pathlib
import re
import shutil
import subprocess
import sys

import yaml

GITHUB_TOP = {"name", "on", "permissions", "concurrency", "env", "defaults", "jobs"}
GITHUB_JOB = {"name", "if", "needs", "runs-on", "timeout-minutes", "container", "env", "permissions", "steps", "strategy"}
GITHUB_STEP = {"name", "id", "if", "uses", "with", "run", "env", "working-directory", "continue-on-error"}
GITLAB_TOP = {"workflow", "default", "stages", "variables", "include"}
GITLAB_JOB = {"stage", "rules", "timeout", "script", "before_script", "after_script", "artifacts", "variables", "tags", "cache",
              "image", "needs", "interruptible"}
PLACEHOLDER = re.compile(r"\$\{\{.*?\}\}", re.DOTALL)


class Loader(yaml.SafeLoader):
    """YAML without booleans among the keys: GitHub's `on` is a word."""


Loader.yaml_implicit_resolvers = {first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:bool"]
                                  for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}


class Recipes:
    """Complaints about the recipes of a tree, and the shell found in them."""

    def __init__(self, source):
        self.source = source
        self.complaints = []
        self.shell = []  # (where, text)

    def wrong(self, where, text):
        self.complaints.append(f"{where}: {text}")

    def load(self, path):
        try:
            return yaml.load(path.read_text(encoding="utf-8"), Loader)
        except yaml.YAMLError as error:
            self.wrong(path.name, f"no YAML: {error}")
            return {}

    def unknown(self, where, have, known):
        for key in set(have) - known:
            self.wrong(where, f"unknown key {key!r}")

    def github_step(self, where, step):
        self.unknown(where, step, GITHUB_STEP)
        if ("run" in step) == ("uses" in step):
            self.wrong(where, "a step has either `run` or `uses`")
        if "uses" in step and not re.fullmatch(r"[\w.-]+/[\w./-]+@v\d+", step["uses"]):
            self.wrong(where, f"{step['uses']!r} names no version of an action")
        if "run" in step:
            self.shell.append((where, PLACEHOLDER.sub("placeholder", step["run"])))
            for found in PLACEHOLDER.findall(step["run"]):
                self.wrong(where, f"{found} in a script: what others write would be executed; it belongs into env")

    def github(self, path):
        workflow = self.load(path)
        self.unknown(path.name, workflow, GITHUB_TOP)
        for needed in ("name", "on", "permissions", "jobs"):
            if needed not in workflow:
                self.wrong(path.name, f"`{needed}` is missing")
        jobs = workflow.get("jobs", {})
        for name, job in jobs.items():
            where = f"{path.name}: {name}"
            self.unknown(where, job, GITHUB_JOB)
            if "runs-on" not in job or "timeout-minutes" not in job or not job.get("steps"):
                self.wrong(where, "a job has runs-on, timeout-minutes and steps")
            for need in [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", []):
                if need not in jobs:
                    self.wrong(where, f"it needs {need!r}, which is no job")
            for number, step in enumerate(job.get("steps", []), 1):
                self.github_step(f"{where}: step {number}", step)

    def gitlab(self, path):
        pipeline = self.load(path)
        default = pipeline.get("default", {})
        self.shell.append((f"{path.name}: default", "\n".join(default.get("before_script", []))))
        for name, job in pipeline.items():
            if name in GITLAB_TOP:
                continue
            where = f"{path.name}: {name}"
            self.unknown(where, job, GITLAB_JOB)
            if job.get("stage") not in pipeline.get("stages", []):
                self.wrong(where, f"there is no stage {job.get('stage')!r}")
            if not job.get("script"):
                self.wrong(where, "a job has a script")
            for line in job.get("script", []) + job.get("before_script", []):
                if not isinstance(line, str):
                    self.wrong(where, f"a line of the script is no text: {line!r}")
            self.shell.append((where, "\n".join(map(str, job.get("script", [])))))

    def jenkins(self, path):
        text = path.read_text(encoding="utf-8")
        for number, match in enumerate(re.finditer(r"\bsh\s+('''|')(.*?)\1", text, re.DOTALL), 1):
            self.shell.append((f"{path.name}: sh {number}", match.group(2).replace("\\\\", "\\")))
        bare = re.sub(r"'''.*?'''", "", text, flags=re.DOTALL)
        bare = re.sub(r"'[^'\n]*'|//[^\n]*", "", bare)
        for first, last in ("{}", "()", "[]"):
            if bare.count(first) != bare.count(last):
                self.wrong(path.name, f"{bare.count(first)} {first} and {bare.count(last)} {last}")

    def containers(self, path):
        text = path.read_text(encoding="utf-8").replace("\\\n", " ")
        for line in re.findall(r"^RUN (.*)$", text, re.MULTILINE):
            self.shell.append((path.name, line))

    def scripts(self):
        for path in [*sorted((self.source / ".ci").iterdir()), self.source / "docs/ci/nightly.sbatch"]:
            self.shell.append((path.name, path.read_text(encoding="utf-8")))

    def buildbot(self, path):
        text = path.read_text(encoding="utf-8")
        compile(text, str(path), "exec")
        words = re.sub(r'",\s*"', " ", text)  # a command's words as one text, for known_commands()
        self.shell.append((path.name + " (words)", "\n".join(re.findall(r"command\(\"\w+\", \"(.*?)\"[,)]", words, re.DOTALL))))
        if shutil.which("buildbot"):
            done = subprocess.run(["buildbot", "checkconfig", str(path)], capture_output=True, text=True, check=False)
            if done.returncode:
                self.wrong(path.name, done.stdout + done.stderr)

    def shellcheck(self):
        for where, text in self.shell:
            if where.endswith("(words)"):
                continue
            done = subprocess.run(["shellcheck", "-s", "bash", "-e", "SC1091,SC2046", "-"], input=text, capture_output=True,
                                  text=True, check=False)
            if done.returncode:
                self.wrong(where, done.stdout)


def help_of(*words):
    done = subprocess.run([*map(str, words), "--help"], capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


def known_commands(recipes, hbench):
    """Every ./run command and hbench verb, with its long options, must be one that there is."""
    manual = (recipes.source / "docs/ci.md").read_text(encoding="utf-8")
    run_help = help_of(recipes.source / "run")
    helps = {}
    for where, text in [*recipes.shell, ("docs/ci.md", manual)]:
        text = text.replace("\\\n", " ")
        for line in text.splitlines():
            for name, rest in re.findall(r"\./run ([a-z]+)((?: +--?[a-z-]+ \S+)*)", line):
                block = re.search(rf"^  {name}\b.*?(?=^  \S|^$)", run_help, re.MULTILINE | re.DOTALL)
                if not block:
                    recipes.wrong(where, f"there is no ./run {name}")
                for option in re.findall(r"--[a-z-]+", rest):
                    if block and option not in block.group():
                        recipes.wrong(where, f"./run {name} knows no {option}")
            for verb, rest in re.findall(r"\bhbench ([a-z]+)\b((?:(?!hbench|[|;&]).)*)", line):
                helps.setdefault(verb, help_of(hbench, verb))
                if not helps[verb] and where != "docs/ci.md":
                    recipes.wrong(where, f"there is no hbench {verb}")
                for option in re.findall(r"(?<= )--[a-z-]+", rest):
                    if helps[verb] and option + "\n" not in helps[verb] and not re.search(rf"{option}[=\[ ,]", helps[verb]):
                        recipes.wrong(where, f"hbench {verb} knows no {option}")


def main():
    source, hbench = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    recipes = Recipes(source)
    workflows = sorted((source / ".github/workflows").glob("*.yml"))
    for path in workflows:
        recipes.github(path)
    recipes.gitlab(source / ".gitlab-ci.yml")
    recipes.jenkins(source / "docs/ci/Jenkinsfile")
    recipes.containers(source / "docs/ci/Containerfile")
    recipes.buildbot(source / "docs/ci/buildbot.cfg")
    recipes.scripts()
    recipes.shellcheck()
    known_commands(recipes, hbench)
    for complaint in recipes.complaints:
        print(f"FAIL: {complaint}")
    if recipes.complaints:
        sys.exit(1)
    print(f"PASS: {len(workflows)} workflows, {len(recipes.shell)} scripts")


if __name__ == "__main__":
    main()
