# SPDX-License-Identifier: GPL-2.0-or-later
"""What changed between two results (files of --json): path by path, function by function."""

import decode
import model
import report

COUNTS = ("instructions", "loads", "stores")
NOTHING = {**dict.fromkeys(COUNTS, 0), "kinds": {}}


def is_counted(entry):
    """Whether a path or symbol of a document has the members that are looked at here."""
    return (isinstance(entry, dict) and all(model.is_number(entry.get(count)) for count in COUNTS)
            and isinstance(entry.get("kinds"), dict) and entry["kinds"].keys() <= decode.KINDS.keys()
            and all(model.is_number(count) for count in entry["kinds"].values()))


def is_path(entry):
    return (is_counted(entry) and isinstance(entry.get("name"), str) and isinstance(entry.get("symbols"), list)
            and all(is_counted(one) and isinstance(one.get("symbol"), str) and one.get("mode") in list(report.MODES)
                    for one in entry["symbols"]))


def read(file):
    """A document, checked."""
    document = model.load(file)
    model.want(isinstance(document, dict) and isinstance(document.get("paths"), list), file, "this is no file of --json")
    for member in ("emulator", "weights", "kernel"):
        model.want(isinstance(document.get(member), str), file, f"this is no file of --json: {member} is missing")
    model.want(all(map(is_path, document["paths"])), file, "a path is damaged, or of another version of this program")
    return document


def cycles(entry, weights):
    """The estimate anew: the documents may have been made with different weights."""
    costly = sum(count for kind, count in entry["kinds"].items() if kind != "event")
    return weights.estimate(entry["instructions"] - costly, entry["kinds"])


def kinds(old, new):
    """Words for the kinds whose counts differ."""
    old, new = old["kinds"], new["kinds"]
    pairs = ((kind, old.get(kind, 0), new.get(kind, 0)) for kind in decode.KINDS)
    return ", ".join(f"{kind} {before} -> {after}" for kind, before, after in pairs if before != after)


def is_same(old, new):
    return not kinds(old, new) and all(old[count] == new[count] for count in COUNTS)


def symbols(entry):
    return {(one["mode"], one["symbol"]): one for one in entry["symbols"]}


def differs(old, new):
    """Whether anything changed in a path, if only from one function to another."""
    before, after = symbols(old), symbols(new)
    return before.keys() != after.keys() or not all(is_same(before[key], after[key]) for key in before)


def row(name, old, new, weights):
    """A row of a table: what was, what is, by how much it changed."""
    cells = [name, str(old["instructions"]), str(new["instructions"])]
    cells += [f"{new[count] - old[count]:+}" for count in COUNTS]
    costs = cycles(old, weights), cycles(new, weights)
    return [*cells, *(f"{cost:.0f}" for cost in costs), f"{costs[1] - costs[0]:+.1f}", kinds(old, new)]


def head(name):
    return [name, "instr.", "now", "change", "loads", "stores", "cycles", "now", "change", "expensive instructions"]


def table(rows, indent):
    return [indent + line for line in report.columns(rows, 1, last_left=True)]


def of_path(old, new, weights):
    """The functions that are not what they were."""
    before, after = symbols(old), symbols(new)
    rows = [head("symbol")]
    for key in {**before, **after}:
        one, other = before.get(key, NOTHING), after.get(key, NOTHING)
        if not is_same(one, other):
            mode = report.MODES[key[0]]
            rows.append(row(f"{key[1]} ({mode})" if mode else key[1], one, other, weights))
    return [new["name"], *table(rows, "    ")]


def missing(some, others, which):
    return [f"only in {which}: {name}" for name in some if name not in others]


def lines(old, new, weights, names):
    """From one document to another: all paths that changed, then each by function. `names` are what to call the documents."""
    before, after = ({entry["name"]: entry for entry in document["paths"]} for document in (old, new))
    known = [name for name in before if name in after]
    changed = [name for name in known if differs(before[name], after[name])]
    found = []
    if changed:
        found += table([head("path"), *(row(name, before[name], after[name], weights) for name in changed)], "") + [""]
    for name in changed:
        found += of_path(before[name], after[name], weights) + [""]
    found += missing(before, after, names[0]) + missing(after, before, names[1])
    return [*found, f"{len(known) - len(changed)} of {len(known)} paths are what they were"]


def costs_more(old, new, weights):
    """Names of the paths that execute more instructions or take more cycles."""
    before = {entry["name"]: entry for entry in old["paths"]}
    pairs = ((before[entry["name"]], entry) for entry in new["paths"] if entry["name"] in before)
    return [after["name"] for was, after in pairs
            if after["instructions"] > was["instructions"] or cycles(after, weights) > cycles(was, weights)]
