#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
The rooms of hbench (bench/README.md): every source lies in one, includes are written "<room>/<file>.h" and go one way,
no file has a name that says nothing, and a room's README.md names each source. Before it looks at the tree it has to find
the faults in PLANTED.
usage: bench_layers_check.py SOURCE
"""

import pathlib
import re
import sys
import tempfile

import tree

# Who may include whom, besides its own room. What is measured does not know what it means, nor the other way round.
MAY_INCLUDE = {
    "host": (),
    "result": ("host",),
    "stats": ("result", "host"),
    "history": ("stats", "result", "host"),
    "report": ("history", "stats", "result", "host"),
    "measure": ("result", "host"),
    "fleet": ("measure", "report", "history", "stats", "result", "host"),
    "bisect": ("measure", "stats", "result", "host"),
    "cmd": ("bisect", "fleet", "measure", "report", "history", "stats", "result", "host"),
}
BESIDE = {"bench/main.c": "cmd"}  # the only source outside of a room, and the room it counts as
ELSEWHERE = {"micro", "suites", "tests"}  # folders of bench/ that are no part of the program
VAGUE = {"util", "utils", "misc", "common", "helper", "helpers", "stuff", "shared", "tools"}
SOURCES = {".c", ".h", ".S"}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
# Folders with files and their text. GOOD are right, all others are wrong, each in one way.
GOOD = {"good.c", "README.md"}
PLANTED = {
    "bench": {"stray.c": ""},
    "bench/result": {"upwards.c": '#include "stats/stats.h"\n'},
    "bench/measure": {"sideways.c": '#include "host/error.h"\n#include "report/report.h"\n'},
    "bench/stats": {"bare.c": '#include "stats.h"\n', "parent.c": '#include "../host/mem.h"\n',
                    "deep.c": '#include "report/deep/nested"\n'},
    "bench/history": {"README.md": "| `good.c` | what is well known |", "good.c": "", "unnamed.c": ""},
    "bench/report": {"report_common.c": ""},
    "bench/report/deep": {"nested.c": ""},
    "bench/fleet": {"good.c": '#include "fleet/plan.h"\n\n#include "measure/child.h"\n#include "host/mem.h"\n#include <stdio.h>\n'},
    "bench/cellar": {"unknown.c": ""},
    "bench/tests": {"unsorted_test.c": ""},
    "bench/tests/cellar": {"unknown_test.c": ""},
    "bench/tests/stats": {"misc_test.c": ""},
    "host": {"upwards.h": '#  include "result/sample.h"\n', "util.h": ""},
}


def vague(path):
    """Whether a word of the file's name says nothing about what is in it."""
    return VAGUE & set(re.split(r"[_.]", path.name))


def room_of(path):
    """The room of a source; None: it is in none. What is no part of the program is not asked about."""
    folders = path.parts[:-1]
    if str(path) in BESIDE:
        return BESIDE[str(path)]
    room = "host" if folders == ("host",) else folders[1] if len(folders) == 2 and folders[0] == "bench" else None
    return room if room in MAY_INCLUDE else None


def check_test(path):
    """Tests lie in the folder of the room they are about; what several of them need lies beside these folders."""
    folders = path.parts[2:-1]
    if path.stem.endswith("_test") and (len(folders) != 1 or folders[0] not in MAY_INCLUDE):
        yield f"{path}: the test is not in the folder of a room: {', '.join(MAY_INCLUDE)}"


def check_includes(path, room, text):
    for name in INCLUDE.findall(text):
        target = name.partition("/")[0]
        if name.count("/") != 1:
            yield f'{path}: includes "{name}", which does not name a room'
        elif target != room and target not in MAY_INCLUDE[room]:
            yield f'{path}: includes "{name}", but {room}/ must not know {target}/'


def check(path, text):
    """Complaints about one file."""
    if vague(path):
        yield f"{path}: the name does not say what the file is for"
    if path.parts[:2] == ("bench", "tests"):
        yield from check_test(path)
    elif path.suffix in SOURCES and not (path.parts[0] == "bench" and path.parts[1] in ELSEWHERE):
        room = room_of(path)
        if room:
            yield from check_includes(path, room, text)
        else:
            yield f"{path}: is in no room: {', '.join(MAY_INCLUDE)}"


def check_readme(source, path):
    """A room's README.md, if it has one, names each source."""
    readme = source / path.parent / "README.md"
    if path.suffix == ".c" and room_of(path) and str(path) not in BESIDE and readme.exists():
        if f"`{path.name}`" not in readme.read_text():
            yield f"{path}: README.md beside it does not name it"


def check_tree(source):
    """Complaints about all files, by path, and the number of files."""
    paths = [path for path in tree.files(source) if path.parts[0] in ("bench", "host")]
    found = {path: [*check(path, (source / path).read_text(errors="replace")), *check_readme(source, path)] for path in paths}
    return {str(path): complaints for path, complaints in found.items() if complaints}, len(paths)


def check_planted():
    """What is wrong with the check itself."""
    planted = {f"{folder}/{name}": text for folder, files in PLANTED.items() for name, text in files.items()}
    wrong = {name for name in planted if pathlib.Path(name).name not in GOOD}
    with tempfile.TemporaryDirectory() as source:
        for name, text in planted.items():
            path = pathlib.Path(source, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        found, _ = check_tree(pathlib.Path(source))
    yield from (f"planted and not found: {name}" for name in sorted(wrong - found.keys()))
    yield from (f"planted once and found {len(found[name])} times: {name}" for name in found if len(found[name]) > 1)
    yield from (f"found where all is well: {name}" for name in found.keys() - wrong)


def main():
    found, count = check_tree(pathlib.Path(sys.argv[1]))
    complaints = [*check_planted(), *(complaint for of_file in found.values() for complaint in of_file)]
    tree.report("bench layers", complaints, count)


if __name__ == "__main__":
    main()
