#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
The order of the runtime of roottasks (bench-guests/rt): every source has its header, no two files use each other, not even
by way of others, and what they export begins with the words of bench-guests/rt/README.md, which names each file and lists
those that a file uses before it. usage: rt_layers_check.py SOURCE NM LIBRARY
"""

import pathlib
import re
import subprocess
import sys

import tree

INCLUDE = re.compile(r'^#include "([^"]+)"', re.M)
ROW = re.compile(r"^\| (`.*?) \|", re.M)
ANYWHERE = ("rt_", "bench_", "hc_")  # prefixes of the whole runtime
GIVEN = {"_start", "memset", "memcpy", "memmove", "memcmp", "strlen", "strcmp", "strncmp"}  # names others have chosen
NO_HEADER = {"rt.ld"}


def stem(path):
    """Header and sources of one name are one thing."""
    return path.stem


def uses(folder):
    """Of each name the names whose headers its files include; complaints about includes that lead nowhere."""
    graph, complaints = {}, []
    for path in sorted(folder.rglob("*.[chS]")):
        mine = graph.setdefault(stem(path), set())
        for header in INCLUDE.findall(path.read_text(encoding="utf-8")):
            if not header.startswith("rt/") or not (folder.parent / header).exists():
                complaints.append(f'{path.name}: "{header}" is no header of the runtime')
            elif pathlib.Path(header).stem != stem(path):
                mine.add(pathlib.Path(header).stem)
    return graph, complaints


def circles(graph):
    """A circle among the files, if there is one, as a text."""
    done = set()

    def walk(name, path):
        if name in path:
            yield "circle: " + " > ".join(path[path.index(name):] + [name])
        elif name not in done:
            for other in sorted(graph.get(name, ())):
                yield from walk(other, path + [name])
            done.add(name)

    for name in sorted(graph):
        yield from walk(name, [])


def sources_without_header(folder):
    for path in sorted(folder.rglob("*.[cS]")):
        if not path.with_suffix(".h").exists():
            yield f"{path.name}: it has no header beside it"


def order(graph, manual):
    """The manual lists every file, those that a file uses before it."""
    rows = [name for row in ROW.findall(manual) for name in re.findall(r"`([\w.]+)`", row) if name not in NO_HEADER]
    place = {}
    for number, name in enumerate(rows):
        place.setdefault(pathlib.Path(name).stem, number)
    for name in sorted(set(graph) ^ set(place)):
        yield f"README.md: {name} is " + ("missing" if name in graph else "no file of the runtime")
    for name in sorted(graph):
        for other in sorted(graph[name]):
            if place.get(other, -1) > place.get(name, len(rows)):
                yield f"README.md: {name} uses {other}, which is below it"


def exported(nm, library):
    """Pairs of file stem and exported name."""
    listing = subprocess.run([nm, "--extern-only", "--defined-only", library], check=True, capture_output=True, text=True)
    name = None
    for line in listing.stdout.splitlines():
        if line.endswith(":"):
            name = line[:-1].split(".")[0]
        elif line.strip():
            yield name, line.split()[-1]


def strangers(pairs):
    for name, symbol in pairs:
        if symbol not in GIVEN and not symbol.startswith((*ANYWHERE, name.split("_")[0] + "_")):
            yield f"{name}: exports {symbol}"


def main():
    folder = pathlib.Path(sys.argv[1]) / "bench-guests/rt"
    graph, complaints = uses(folder)
    pairs = list(exported(sys.argv[2], sys.argv[3]))
    complaints += [*circles(graph), *sources_without_header(folder), *strangers(pairs),
                   *order(graph, (folder / "README.md").read_text(encoding="utf-8"))]
    tree.report("layers of the runtime", complaints, min(len(graph), len(pairs)))


if __name__ == "__main__":
    main()
