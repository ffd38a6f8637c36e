# SPDX-License-Identifier: GPL-2.0-or-later
"""What instructions cost (weights/*.json) and what paths may cost (budgets/*.json)."""

import dataclasses
import json
import math
import pathlib
import re

import decode

HERE = pathlib.Path(__file__).resolve().parent
PLAIN = "plain"  # in weights: every instruction that is of no kind
SLACK = 1.05  # of cycles, when budgets are tightened: the kinds are what is guarded
FLAT = re.compile(r'"(?:at_most|qemu|bochs)": \{[^}]*\}')  # what is written on one line
EMULATORS = {"qemu", "bochs"}
WEIGHT_MEMBERS = {"cycles", "source"}
PATH_MEMBERS = {"at_most", "instructions", "cycles", "why"}


class DataError(Exception):
    """A file of weights or budgets is wrong; the text says how."""


def load(file):
    try:
        return json.loads(pathlib.Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: {error}") from None


def want(condition, file, complaint):
    if not condition:
        raise DataError(f"{file}: {complaint}")


def load_members(file, members):
    """An object with these members, none of them empty, of these types."""
    data = load(file)
    want(isinstance(data, dict), file, "this is no object")
    for member, kind in members.items():
        want(data.get(member) and isinstance(data[member], kind), file, f"{member} is missing")
    return data


def on_one_line(match):
    return re.sub(r"\s+", " ", match[0]).replace("{ ", "{").replace(" }", "}")


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


@dataclasses.dataclass
class Weights:
    """Cycles of a plain instruction and of one of each kind."""

    name: str
    cycles: dict

    @classmethod
    def read(cls, file):
        """Complete or refused: a kind without a weight would be free. What is missing comes from `base`, if there is one."""
        file = pathlib.Path(file)
        data = load_members(file, {"weights": dict})
        base = load_members(HERE / "weights" / f"{data['base']}.json", {"weights": dict})["weights"] if "base" in data else {}
        entries = {**base, **data["weights"]}
        names = {PLAIN, *decode.KINDS}
        want(entries.keys() == names, file, f"missing or unknown: {', '.join(sorted(entries.keys() ^ names))}")
        for name, entry in entries.items():
            want(isinstance(entry, dict) and entry.keys() == WEIGHT_MEMBERS, file, f"{name} needs cycles and source")
            sourced = entry["source"] and isinstance(entry["source"], str)
            want(is_number(entry["cycles"]) and sourced, file, f"{name}: cycles are a number, the source a text")
        return cls(file.stem, {name: entry["cycles"] for name, entry in entries.items()})

    def estimate(self, plain, kinds):
        """Cycles, of a number of plain instructions and a Counter of kinds."""
        return plain * self.cycles[PLAIN] + sum(self.cycles[kind] * count for kind, count in kinds.items())


def find_weights(name):
    """A file, or the name of one of those that come with this tool."""
    return Weights.read(name if "/" in name or name.endswith(".json") else HERE / "weights" / f"{name}.json")


@dataclasses.dataclass
class Budget:
    """What one path may cost. A kind that is not listed may not occur at all."""

    at_most: dict
    instructions: object  # or None
    cycles: object  # or None; meant for the weights that the file names

    def complaints(self, found, weights, allowed):
        """What is exceeded. `allowed`: of each kind so many more, because the emulator is not like a real CPU."""
        for kind, count in sorted(found.kinds().items()):
            most = self.at_most.get(kind, 0) + allowed.get(kind, 0)
            if count > most:
                yield f"{count} {kind}, at most {most}"
        if self.instructions is not None and not allowed and found.total > self.instructions:
            yield f"{found.total} instructions, at most {self.instructions}"
        if self.cycles is not None and not allowed:
            cycles = weights.estimate(found.plain(), found.kinds())
            if cycles > self.cycles:
                yield f"about {cycles:.0f} cycles, at most {self.cycles}"


@dataclasses.dataclass
class Budgets:
    """Those of one suite."""

    suite: str
    roottask: str
    weights: str
    paths: dict  # name, as hbench has it: Budget
    allowances: dict  # emulator: {kind: count per path}
    file: object = None  # where they come from
    cpus: int = 1  # of the machine, if it is Bochs

    @classmethod
    def read(cls, file):
        data = load_members(file, {"suite": str, "roottask": str, "weights": str, "paths": dict})
        allowances = data.get("emulators", {})
        want(isinstance(allowances, dict) and allowances.keys() <= EMULATORS, file, f"emulators are {', '.join(sorted(EMULATORS))}")
        want(all(isinstance(entry, dict) for entry in data["paths"].values()), file, "a path is an object")
        bounds = {name: entry.get("at_most", {}) for name, entry in data["paths"].items()}
        for what, counts in [*allowances.items(), *bounds.items()]:
            want(isinstance(counts, dict), file, f"{what}: kinds and their counts")
            counts = {kind: count for kind, count in counts.items() if kind != "why"}
            unknown = sorted(counts.keys() - decode.KINDS.keys())
            want(not unknown, file, f"{what}: unknown kind {', '.join(unknown)}")
            want(all(is_number(count) for count in counts.values()), file, f"{what}: a count is not a number")
        for name, entry in data["paths"].items():
            known = "at_most" in entry and entry.keys() <= PATH_MEMBERS
            want(known, file, f"{name}: members are {', '.join(sorted(PATH_MEMBERS))}; at_most is needed")
            bounds = [entry[member] for member in ("instructions", "cycles") if member in entry]
            want(all(map(is_number, bounds)), file, f"{name}: instructions and cycles are numbers")
        paths = {f"{data['suite']}/{name}": Budget(entry["at_most"], entry.get("instructions"), entry.get("cycles"))
                 for name, entry in data["paths"].items()}
        cpus = data.get("cpus", 1)
        want(isinstance(cpus, int) and cpus in range(1, 9), file, "cpus is a number from 1 to 8")
        return cls(data["suite"], data["roottask"], data["weights"], paths, allowances, pathlib.Path(file), cpus)

    def cases(self):
        """What makes the roottask run those that have a budget (and maybe others whose names begin alike)."""
        return tuple(name.partition("/")[2] for name in self.paths)

    def complaints(self, found, weights, emulator):
        """What a path exceeds; empty for one without a budget."""
        budget = self.paths.get(found.name)
        allowed = {kind: count for kind, count in self.allowances.get(emulator, {}).items() if kind != "why"}
        if not budget:
            return []
        return list(budget.complaints(found, weights if weights.name == self.weights else find_weights(self.weights), allowed))


    def tighten(self, found):
        """Lower what is more than these paths need, in the file, too. Nothing is raised."""
        data = load(self.file)
        weights = find_weights(self.weights)
        for one in found:
            entry = data["paths"].get(one.name.partition("/")[2])
            if entry:
                kinds = one.kinds()
                entry["at_most"] = {kind: min(most, kinds[kind]) for kind, most in entry["at_most"].items() if kinds[kind]}
                if "cycles" in entry:
                    entry["cycles"] = min(entry["cycles"], math.ceil(SLACK * weights.estimate(one.plain(), kinds)))
        text = FLAT.sub(on_one_line, json.dumps(data, indent="\t", ensure_ascii=False))
        self.file.write_text(text + "\n", encoding="utf-8")


def find_budgets(suite):
    """A file of budgets, or those of a suite that come with this tool; there may be none."""
    if suite.endswith(".json"):
        return Budgets.read(suite)
    file = HERE / "budgets" / f"{suite}.json"
    return Budgets.read(file) if file.exists() else Budgets(suite, f"{suite}.elf", "icelake", {}, {})
