# SPDX-License-Identifier: GPL-2.0-or-later
"""
The recipes for CI servers, executed here: for each server a small interpreter of what its recipes use, which runs the shell in them
in a clone, with the variables that the server sets. What takes long or belongs to the machine (./run, hbench, apt-get, curl) are
stubs that note how they were called.
"""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import types

import yaml

import ci_check

LAB = "/etc/hedron/lab.yaml"
REASON = "exceptions look twice"
HEAVY = {
    # What ./run does, as far as recipes can see: it builds hbench, writes the files it is told to, and has an exit code.
    "run": """#!/usr/bin/env bash
echo "run $*" >>"$RECIPE_LOG"
mkdir -p build/release build/bench build/logs
cp "$RECIPE_STUBS/hbench" build/release/
[[ $1 == bench ]] || exit 0
echo '{}' >build/bench/ipc.json
while shift && (($#)); do
	case $1 in
	--json) cp "$RECIPE_STUBS/gate.json" "$2" ;;
	--junit) echo '<testsuites/>' >"$2" ;;
	--markdown) printf '### ipc\\n| null | 40 | 41 | WORSE |\\n' >"$2" ;;
	esac
done
exit "$RECIPE_CODE"
""",
    "hbench": """#!/usr/bin/env bash
echo "hbench $*" >>"$RECIPE_LOG"
case "$1 $2" in
"baseline update") [[ -z $RECIPE_CHANGED ]] || echo '{"new": 1}' >results/m/ipc.json ;;
"fleet run")
	while [[ $1 != -o ]]; do shift; done
	mkdir -p "$2"
	cp "$RECIPE_STUBS/report.json" "$2"
	touch "$2/junit.xml" "$2/index.html"
	exit "$RECIPE_CODE"
	;;
"bisect "*) echo "commit: it is found" ;;
esac
""",
    "apt-get": '#!/bin/sh\necho "apt-get $*" >>"$RECIPE_LOG"\n',
    "curl": '#!/bin/sh\necho "curl $* $(cat | tr -d \'\\n\')" >>"$RECIPE_LOG"\n',
}
WORSE = '{"name": "ipc/null", "verdict": "WORSE", "gated": true}'
# The first of each is not what is looked for: another suite without a worse case, a machine that was not compared.
GATE = f'[{{"cases": []}}, {{"cases": [{{"name": "ipc/x", "verdict": "same"}}, {WORSE}]}}]'
REPORT = f"""{{"machines": [{{"machine": "off", "suite": "ipc", "verdict": "silent machine", "gate": "", "why": ""}},
 {{"machine": "nuc", "suite": "ipc", "verdict": "ok", "gate": "REGRESSED", "why": "", "comparison": {{"cases": [{WORSE}]}}}}]}}"""


class Place:
    """A repository with the recipes of the source tree and stubs, and one clone of it for each job."""

    def __init__(self, source, folder, code=0, changed=False):
        self.source, self.folder = source, folder
        self.log_file, self.origin, self.work = folder / "log", folder / "origin.git", folder / "work"
        stubs, home = folder / "stubs", folder / "home"
        for path in (stubs, home, folder / "etc/apt/apt.conf.d"):
            path.mkdir(parents=True)
        for name, text in (*HEAVY.items(), ("gate.json", GATE), ("report.json", REPORT)):
            (stubs / name).write_text(text)
            (stubs / name).chmod(0o755)
        self.log_file.touch()
        self.environment = {
            "PATH": f"{stubs}:{os.environ['PATH']}", "HOME": str(home), "LANG": "C.UTF-8", "RECIPE_LOG": str(self.log_file),
            "RECIPE_STUBS": str(stubs), "RECIPE_CODE": str(code), "RECIPE_CHANGED": "yes" if changed else "",
            "GIT_CONFIG_NOSYSTEM": "1"}
        self.environment |= {f"GIT_{who}_{what}": "n@x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        self.tree(folder / "tree", stubs)

    def git(self, *words, cwd=None):
        done = subprocess.run(["git", *map(str, words)], cwd=cwd or self.origin, env=self.environment, capture_output=True,
                              text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""

    def tree(self, tree, stubs):
        """Two commits: main, and a branch with one more."""
        shutil.copytree(self.source / ".ci", tree / ".ci")
        shutil.copy(self.source / ".gitignore", tree)
        (tree / "results/m").mkdir(parents=True)
        (tree / "results/m/ipc.json").write_text('{"old": 1}\n')
        shutil.copy(stubs / "run", tree / "run")
        self.git("init", "-q", "-b", "main", cwd=tree)
        self.git("add", "-A", cwd=tree)
        self.git("commit", "-q", "-m", "base", cwd=tree)
        self.git("clone", "-q", "--bare", tree, self.origin, cwd=self.folder)
        self.git("config", "receive.advertisePushOptions", "true")
        self.git("commit", "-q", "--allow-empty", "-m", "topic", cwd=tree)
        self.git("push", "-q", self.origin, "HEAD:refs/heads/topic", cwd=tree)
        self.base, self.head = self.git("rev-parse", "main"), self.git("rev-parse", "topic")

    def url(self):
        return f"file://{self.origin}"

    def checkout(self, branch, depth=0):
        """As servers do it: the commit, on no branch."""
        self.work.mkdir(exist_ok=True)
        words = ["--depth", depth, "--no-single-branch"] if depth else []
        self.git("clone", "-q", *words, self.url(), self.work, cwd=self.folder)
        self.git("checkout", "-q", "--detach", f"origin/{branch}", cwd=self.work)

    def shell(self, text, interpreter, more):
        """Exit code of a script, with a folder of ours instead of the machine's /etc/apt."""
        self.work.mkdir(exist_ok=True)
        script = self.folder / "script"
        script.write_text(text.replace("/etc/apt", shlex.quote(f"{self.folder}/etc/apt")))
        return self.command([*interpreter, str(script)], more)

    def command(self, words, more):
        done = subprocess.run(words, cwd=self.work, env={**self.environment, **more}, capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL)
        with open(self.folder / "said", "a", encoding="utf-8") as said:
            said.write(f"$ {' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.returncode

    def log(self):
        return self.log_file.read_text()

    def said(self):
        return (self.folder / "said").read_text()


# --- GitHub ---

class Github:
    """A job of a workflow: steps with conditions, expressions, and the actions that are used."""

    def __init__(self, place, context):
        self.place, self.good, self.steps = place, True, {}
        self.context = {"github.token": "secret", "github.run_id": "7", "github.ref_name": "main", "vars.LAB": "yes", **context}
        self.environment = {"GITHUB_WORKSPACE": str(place.work), "GITHUB_STEP_SUMMARY": str(place.folder / "summary"),
                            "GITHUB_SHA": place.head, "GITHUB_API_URL": "https://api", "GITHUB_REPOSITORY": "n/hedron"}

    def value(self, name):
        if found := re.fullmatch(r"steps\.(\w+)\.outcome", name):
            return self.steps.get(found[1], "skipped")
        return self.context[name]

    def fill(self, text):
        return re.sub(r"\$\{\{ *([\w.]+) *\}\}", lambda found: self.value(found[1]), text)

    def holds(self, condition):
        """A condition in GitHub's language; a step without a word about failures is one for good days."""
        def name(found):
            return found[0] if found[0][0] == "'" else repr(self.value(found[0]))

        text = re.sub(r"'[^']*'|[a-z]+(?:\.\w+)+", name, condition)
        text = text.replace("&&", " and ").replace("||", " or ")
        for word, answer in (("always()", True), ("failure()", not self.good), ("success()", self.good)):
            text = text.replace(word, str(answer))
        return (self.good or "()" in condition) and bool(eval(text, {"__builtins__": {}}))  # pylint: disable=eval-used

    def uses(self, step, branch):
        action, words = step["uses"].split("@")[0], step.get("with", {})
        if action == "actions/checkout":
            self.place.checkout(branch, 0 if str(words.get("fetch-depth")) == "0" else 1)
        elif action == "actions/upload-artifact":
            return not any((self.place.work / path).exists() for path in words["path"].split())
        return 0

    def run(self, workflow, name, branch):
        """True when the job is green."""
        job = yaml.load((self.place.source / ".github/workflows" / workflow).read_text(), ci_check.Loader)["jobs"][name]
        environment = {**self.environment, **{key: self.fill(str(value)) for key, value in job.get("env", {}).items()}}
        if not self.holds(job.get("if", "success()")):
            return False
        for step in job["steps"]:
            if not self.holds(step.get("if", "success()")):
                continue
            if "uses" in step:
                code = self.uses(step, branch)
            else:
                more = {key: self.fill(str(value)) for key, value in step.get("env", {}).items()}
                code = self.place.shell(step["run"], ["bash", "-e"], {**environment, **more})
            self.steps[step.get("id")] = "failure" if code else "success"
            self.good = self.good and not code
        return self.good


# --- GitLab ---

class Gitlab:
    """Jobs whose rules hold, each with its script after what all of them begin with."""

    def __init__(self, place, variables):
        self.place = place
        self.pipeline = yaml.load((place.source / ".gitlab-ci.yml").read_text(), ci_check.Loader)
        self.variables = {"CI_PROJECT_DIR": str(place.work), "CI_DEFAULT_BRANCH": "main", "CI_COMMIT_SHA": place.head,
                          "CI_PIPELINE_ID": "7", "CI_API_V4_URL": "https://api", "CI_PROJECT_ID": "3", **variables}

    def holds(self, rule):
        text = re.sub(r"\$(\w+)", lambda found: repr(self.variables.get(found[1])), rule["if"]).replace("null", "None")
        return bool(eval(text.replace("&&", " and ").replace("||", " or "), {"__builtins__": {}}))  # pylint: disable=eval-used

    def jobs(self):
        jobs = [(name, job) for name, job in self.pipeline.items() if name not in ci_check.GITLAB_TOP]
        runs = any(self.holds(rule) for rule in self.pipeline["workflow"]["rules"])
        return [name for name, job in jobs if runs and any(self.holds(rule) for rule in job["rules"])]

    def run(self, name, branch):
        job = self.pipeline[name]
        variables = {key: str(value) for key, value in {**self.variables, **job.get("variables", {})}.items()}
        self.place.checkout(branch, int(variables.get("GIT_DEPTH", 20)))
        lines = job.get("before_script", self.pipeline["default"]["before_script"]) + job["script"]
        return self.place.shell("set -eo pipefail\n" + "\n".join(lines) + "\n", ["bash"], variables) == 0


# --- Jenkins ---

def braces(text, start):
    """What is between the brace at `start` and its partner; in strings they come in pairs."""
    depth = 0
    for at in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return text[start + 1:at]
    raise ValueError("a brace is not closed")


def block(text, name):
    found = re.search(rf"\b{name} *\{{", text)
    return braces(text, found.end() - 1) if found else ""


class Jenkins:
    """A stage: its steps, then what comes after success, failure and always."""

    def __init__(self, place, variables):
        self.place = place
        text = (place.source / "docs/ci/Jenkinsfile").read_text()
        self.stages = {found[1]: braces(text, found.end() - 1) for found in re.finditer(r"stage\('([^']*)'\) *\{", text)}
        self.variables = {"WORKSPACE": str(place.work), "GIT_COMMIT": place.head, "BUILD_NUMBER": "7", **variables}

    def shells(self, text):
        for match in re.finditer(r"\bsh\s+('''|')(.*?)\1", text, re.DOTALL):
            yield match[2].replace("\\\\", "\\")

    def run(self, name, branch):
        stage = self.stages[name]
        environment = {**self.variables, **dict(re.findall(r"(\w+) = '([^']*)'", block(stage, "environment")))}
        self.place.checkout(branch)
        good = all(self.place.shell(text, ["sh", "-xe"], environment) == 0 for text in self.shells(block(stage, "steps")))
        post = block(stage, "post")
        for section in ("success" if good else "failure", "always"):
            for text in self.shells(block(post, section)):
                good = self.place.shell(text, ["sh", "-xe"], environment) == 0 and good
        return good


# --- Buildbot ---

class Buildbot:
    """The builders of master.cfg, which gets classes that only remember what they were told."""

    SUCCESS, FAILURE = 0, 2

    def __init__(self, place, properties):
        self.place, self.results = place, self.SUCCESS
        self.properties = {"buildnumber": "7", "branch": "topic", "got_revision": place.head, **properties}

    def note(self, kind):
        return lambda *words, **more: types.SimpleNamespace(kind=kind, words=words, **more)

    def config(self):
        util = types.SimpleNamespace(
            SUCCESS=self.SUCCESS, FAILURE=self.FAILURE, BuildFactory=list, Property=lambda name: self.properties[name],
            Interpolate=lambda text: re.sub(r"%\(prop:(\w+)\)s", lambda found: self.properties[found[1]], text),
            BuilderConfig=self.note("builder"), StringParameter=self.note("parameter"))
        plugins = types.ModuleType("buildbot.plugins")
        kinds = {"changes": ["GitPoller"], "worker": ["Worker"], "steps": ["ShellCommand", "Git"],
                 "schedulers": ["AnyBranchScheduler", "Nightly", "ForceScheduler"]}
        for name, classes in kinds.items():
            setattr(plugins, name, types.SimpleNamespace(**{one: self.note(one) for one in classes}))
        plugins.util = util
        sys.modules["buildbot"], sys.modules["buildbot.plugins"] = types.ModuleType("buildbot"), plugins
        space = {}
        os.environ["HEDRON_REPOSITORY"] = self.place.url()
        exec((self.place.source / "docs/ci/buildbot.cfg").read_text(), space)  # pylint: disable=exec-used
        return {builder.name: builder for builder in space["c"]["builders"]}

    def run(self, name, branch):
        for step in self.config()[name].factory:
            if step.kind == "Git":
                self.place.checkout(branch)
                continue
            asked = types.SimpleNamespace(build=types.SimpleNamespace(results=self.results), getProperty=self.properties.get)
            if not getattr(step, "doStepIf", lambda step: True)(asked):
                continue
            if self.place.command(step.command, getattr(step, "env", {})):
                self.results = self.FAILURE
                if getattr(step, "haltOnFailure", False):
                    break
        return self.results == self.SUCCESS


# --- Slurm and containers ---

def slurm(place, branch):
    place.checkout(branch)
    place.git("switch", "-q", branch, cwd=place.work)
    words = ["bash", str(place.source / "docs/ci/nightly.sbatch")]
    return place.command(words, {"HEDRON_TREE": str(place.work), "SLURM_JOB_ID": "7"}) == 0


def container(place):
    """The image's one command, with the real list of packages; its files are seen from the clone."""
    text = (place.source / "docs/ci/Containerfile").read_text().replace("\\\n", " ")
    here = place.folder / "image/hedron"
    here.mkdir(parents=True)
    shutil.copy(place.source / "run", here)
    line = re.search(r"^RUN (.*)$", text, re.MULTILINE)[1].replace("/tmp/hedron", "../image/hedron").replace("/var/lib", "..")
    return place.shell(line, ["sh", "-e"], {}) == 0


def suites(source):
    """All of them, as ./run bench measures them."""
    return ",".join(re.search(r"^readonly SUITES=\((.*)\)$", (source / "run").read_text(), re.MULTILINE)[1].split())


def place(source, folder, **more):
    return Place(pathlib.Path(source).resolve(), pathlib.Path(folder), **more)
