#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Numbers in the manual are those that were recorded. Tables that look as those of hbench ("case ...") show the counts of results/
and the goals of bench/suites; tables of path costs ("path ...", "instr. ...") show what pathcost.py --json wrote into the FILEs,
and are looked at only where there are some. A table is of the result that a line "SUITE on MACHINE: ..." above it in its block
names, or the document, before the block: <!-- numbers: results/MACHINE/SUITE.json -->. Instead of a result a test may be named
there, which then holds the block against what hbench prints. What a comparison's B differs by is an
example's own; other systems are those of results/peers. --update writes the tables anew.
usage: numbers_check.py SOURCE [--update] [FILE...]
"""

import json
import pathlib
import re
import sys

import tree

FENCE = re.compile(r"(^ *```[^\n]*\n)(.*?)(^ *```)", re.MULTILINE | re.DOTALL)
MARK = re.compile(r"<!-- numbers: (\S+) -->\s*\Z")
TITLE = re.compile(r"^(\w+) on ([\w-]+): ")
ALL = re.compile(r"^\d+ suites, \d+ cases: \d+ same;")
TALLY = re.compile(r"^\d+ cases: \d+ same\.$")
GAP = re.compile(r" {2,}")
HBENCH = re.compile(r"^case {2,}")
PATHS = re.compile(r"^path {2,}instr\. {2,}loads")
SYMBOLS = re.compile(r"^ +instr\. +loads +stores")
ORIGIN = re.compile(r"^  (kernel|image|roottask|revision|emulator|measured) +\S")
LEFT = {"case", "path", "verdict", "goal is", "symbol", "of these"}


class Unknown(Exception):
    """A table of something that was not recorded."""


class Recorded:
    """A result with the goals of its suite."""

    def __init__(self, source, name):
        path = source / name
        if not path.is_file():
            raise Unknown(f"there is no {name}")
        data = json.loads(path.read_text())
        self.name, self.context = name, data["context"]
        self.cases = {entry["name"].split("/", 1)[1]: entry for entry in data["benchmarks"]}
        self.goals = {}
        others = [json.loads(path.read_text()) for path in sorted((source / "results/peers").glob("*.json"))]
        self.peers = {peer["title"]: peer["cases"] for peer in others
                      if self.context["machine"] in (peer["machine"], *peer.get("beside", ()))}
        suite = source / "bench/suites" / f"{self.context['suite']}.json"
        for case in json.loads(suite.read_text())["cases"] if suite.is_file() else ():
            self.goals[case["case"]] = case.get("goal_on", {}).get(self.context["machine"], case.get("goal"))

    def case(self, name):
        if name not in self.cases:
            raise Unknown(f"{self.name} has no {name}")
        return self.cases[name]

    def goal(self, name):
        """What the project wants of a case, or None."""
        case, *words = name.split("/")
        goal, params = self.goals.get(case), dict(word.split(":", 1) for word in words)
        if isinstance(goal, dict) and "at" in goal:
            found = [values[params[key]] for key, values in goal["at"].items() if params.get(key) in values]
            return found[0] if found else None
        if isinstance(goal, dict):
            return goal["base"] + sum(factor * float(params.get(key, 0)) for key, factor in goal["per"].items())
        return goal

    def origin(self, label):
        """What hbench says of where the numbers come from."""
        keys = {"kernel": "kernel_boot_line", "revision": "git_revision", "emulator": "emulator_version", "measured": "date"}
        if label in keys:
            return self.context.get(keys[label], "")
        kind = {"image": "kernel"}.get(label, label)
        return f"{self.context[f'{kind}_file']}, SHA-256 {self.context[f'{kind}_sha256'][:16]}..."


def aligned(titles, rows):
    """Lines of a table as hbench and pathcost.py print them."""
    rows = [titles, *rows]
    widths = [max(len(row[n]) for row in rows) for n in range(len(titles))]
    for row in rows:
        cells = [text.ljust(width) if title in LEFT else text.rjust(width) for title, text, width in zip(titles, row, widths)]
        yield "  ".join(cells).rstrip()


def hbench_row(recorded, titles, line):
    name = line.split()[0]
    entry, goal = recorded.case(name), recorded.goal(name)
    change = next((int(word) for word in line.split()[1:] if re.fullmatch(r"[+-]\d+", word)), 0)
    now = entry["min"] + change
    cells = {"case": name, **{key: str(entry[key]) for key in ("min", "p50", "p99", "max", "n")}, "A": str(entry["min"]),
             "B": str(now), "change": f"{change:+d}" if change else "0",
             "%": f"{100 * change / entry['min']:+.2f}%" if change else "",
             "threshold": "0%", "seen": f"{100 / entry['min']:.2f}%",  # exact: one instruction is seen
             "verdict": "WORSE" if change > 0 else "better" if change else "same",
             "goal": "" if goal is None else f"{goal:.0f}" if abs(goal - round(goal)) < 0.05 else f"{goal:.1f}",
             "goal is": "" if goal is None else "met" if now <= goal else "not met"}
    for title, cases in recorded.peers.items():
        theirs = cases.get(f"{recorded.context['suite']}/{name}")
        cells[title] = "" if not theirs else f"!{theirs}" if theirs < now else str(theirs)
    unknown = [title for title in titles if title not in cells]
    if unknown:
        raise Unknown(f"nothing is known of a column {unknown[0]}")
    return [cells[title] for title in titles]


def path_row(path, titles):
    known = {"path": path["name"], "instr.": path["instructions"], "loads": path["loads"], "stores": path["stores"],
             "cycles": f"{path['cycles']:.0f}"}
    return [str(known.get(title, path["kinds"].get(title) or ".")) for title in titles]


def symbol_rows(path):
    for one in path["symbols"]:
        where = one["symbol"] + (f" ({one['mode']})" if one["mode"] in ("user", "guest") else "")
        kinds = ", ".join(f"{count} {kind}" for kind, count in one["kinds"].items())
        yield [*(str(one[key]) for key in ("instructions", "loads", "stores")), f"{one['cycles']:.0f}", where, kinds]


def symbol_table(path):
    rows = list(symbol_rows(path))
    widest = max(len(row[4]) for row in rows)
    for *numbers, symbol, kinds in [["instr.", "loads", "stores", "cycles", "symbol", "of these"], *rows]:
        yield f"{''.join(f'{number:>8}' for number in numbers)}  {symbol:<{widest}}  {kinds}".rstrip()


class Block:
    """The lines of a block, written anew."""

    def __init__(self, source, mark, paths):
        self.source, self.paths, self.recorded = source, paths, Recorded(source, mark) if mark else None
        self.tables, self.above = 0, ""

    def table(self, lines):
        """The first of the lines is that of titles."""
        if HBENCH.match(lines[0]):
            if not self.recorded:
                raise Unknown("of which result is this table? <!-- numbers: results/MACHINE/SUITE.json --> tells")
            titles = GAP.split(lines[0])
            return list(aligned(titles, [hbench_row(self.recorded, titles, line) for line in lines[1:]]))
        if not self.paths:
            return lines
        if PATHS.match(lines[0]):
            titles = GAP.split(lines[0])
            return list(aligned(titles, [path_row(self.path(line.split()[0]), titles) for line in lines[1:]]))
        return list(symbol_table(self.path(self.above)))

    def path(self, name):
        if name not in self.paths:
            raise Unknown(f"no path {name} was measured")
        return self.paths[name]

    def line(self, text):
        if title := TITLE.match(text):
            self.recorded = Recorded(self.source, f"results/{title[2]}/{title[1]}.json")
        elif self.recorded and (origin := ORIGIN.match(text)):
            return f"  {origin[1]:<9} {self.recorded.origin(origin[1])}"
        elif self.recorded and TALLY.match(text):
            count = len(self.recorded.cases)
            return f"{count} cases: {count} same."
        elif ALL.match(text):
            found = [json.loads(path.read_text()) for path in self.source.glob("results/*/*.json")]
            counts = [len(result["benchmarks"]) for result in found if "benchmarks" in result]
            return ALL.sub(f"{len(counts)} suites, {sum(counts)} cases: {sum(counts)} same;", text)
        self.above = text or self.above
        return text

    def lines(self, lines):
        lines, done = list(lines), []
        while lines:
            if any(kind.match(lines[0]) for kind in (HBENCH, PATHS, SYMBOLS)):
                end = next((n for n, line in enumerate(lines) if not line or line == "..."), len(lines))
                done += self.table(lines[:end])
                self.tables += end - 1
                lines = lines[end:]
            else:
                done.append(self.line(lines.pop(0)))
        return done


def is_tested(source, name, test):
    """True when a block is the business of a test, which has to name the document."""
    if not test.endswith(".c"):
        return False
    path = source / test
    if not path.is_file() or pathlib.Path(name).name not in path.read_text():
        raise Unknown(f"{test} does not look at this document")
    return True


def renew(source, name, text, paths):
    """(the text with the numbers of today, rows of tables, complaints)"""
    rows, complaints = 0, []

    def block(match):
        nonlocal rows
        mark = MARK.search(text[:match.start()])
        line = text.count("\n", 0, match.start()) + 1
        try:
            if mark and is_tested(source, name, mark[1]):
                return match[0]
            one = Block(source, mark and mark[1], paths)
            new = "\n".join(one.lines(match[2].splitlines())) + "\n" if match[2] else ""
        except Unknown as fault:
            complaints.append(f"{line}: {fault}")
            return match[0]
        rows += one.tables
        for old, now in zip(match[2].splitlines(), new.splitlines()):
            if old != now:
                complaints.append(f"{line}: `{old}` should be `{now}` (--update writes it)")
                break
        return match[1] + new + match[3]

    return FENCE.sub(block, text), rows, complaints


def documents(source):
    return [path for path in tree.files(source) if path.suffix == ".md" and "adr" not in path.parts]


def complaints(source, paths=None, update=False):
    """(complaints, rows that were looked at)"""
    found, count = [], 0
    for name in documents(source):
        text = (source / name).read_text()
        new, rows, faults = renew(source, name, text, paths or {})
        count += rows
        if update and new != text:
            (source / name).write_text(new)
            _, _, faults = renew(source, name, new, paths or {})
        found += [f"{name}:{fault}" for fault in faults]
    return found, count


def main():
    words = [word for word in sys.argv[1:] if word != "--update"]
    paths = {}
    for name in words[1:]:
        paths |= {path["name"]: path for path in json.loads(pathlib.Path(name).read_text())["paths"]}
    tree.report("numbers", *complaints(pathlib.Path(words[0]), paths, "--update" in sys.argv))


if __name__ == "__main__":
    main()
