#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
The layers of the kernel: who may include whom, in sources, and who may use whom, in objects. And a prototype stands in one header.
usage: layers_check.py SOURCE [NM FOLDER-WITH-OBJECTS]
"""

import collections
import pathlib
import re
import subprocess
import sys

import tree

# A folder may use those of its own height and below. Tracing records what the core does and shows its CPUs to user land: the core
# calls the one half of it, the other half calls the core.
HEIGHT = {"lib": 0, "platform": 1, "mm": 2, "space": 3, "core": 4, "trace": 4, "syscall": 5, "start": 5}
# What architectures provide, and from which height on it may be asked for: most of it knows PDs or ECs.
CONTRACT = {"cpu": 1, "ports": 1, "memory": 1, "machine": 4, "irq": 4, "space": 3, "switch": 4, "trace": 4, "vcpu": 4}
# What a layer calls that stands above it, with the reason.
UPWARDS = {
    "kobject_unref": "the last reference queues the object for core/reap.c; declared in space/kobject.h",
    "kobject_caps_gone": "so does the last capability",
    "kobject_call_later": "pages of slots are freed after a grace period of core/rcu.c",
    "space_obj_unfinished": "what takes long is begun in core/unfinished.c; declared in space/space_obj_revoke.h",
    "space_obj_unfinished_delegation": "so is this; declared in space/space_obj.h",
}

# Includes that break the rules, with the reason.
EXCEPTIONS = {
    ("kernel/core/regs.h", "arch/x86_64/entry/gpr.h"): "one list of registers, for struct regs and for assembly",
}

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
INCLUDE = re.compile(r'^#\s*include "([^"]+)"', re.MULTILINE)
# Type, name, arguments, attributes, semicolon; from the beginning of a line, in a header.
PROTOTYPE = re.compile(r"^(?!typedef|return|#)[A-Za-z_][\w\s*()]*?[\s*](\w+)\((?:[^;{}()]|\([^()]*\))*\)[\w\s(),]*;", re.MULTILINE)


def layer(path):
    """The folder of kernel/ that a file lies in."""
    return path.parts[1]


def include_complaints(path, text):
    """Includes that look upwards, or into an architecture."""
    own = HEIGHT.get(layer(path))
    if own is None:
        return
    for name in INCLUDE.findall(text):
        folder, _, rest = name.partition("/")
        height = CONTRACT.get(rest.removesuffix(".h")) if folder == "arch" else HEIGHT.get(folder)
        if (str(path), name) in EXCEPTIONS:
            continue
        if height is None:
            yield f"{path} includes {name}, which is the inside of an architecture"
        elif height > own:
            yield f"{path} includes {name}, which stands above it"


def without_comments(text):
    """The code, with each comment as one space."""
    return COMMENT.sub(" ", text)


def prototype_complaints(headers):
    """Names that more than one header declares. Each architecture has headers of its own, the contracts are everybody's."""
    places = collections.defaultdict(set)
    for path, text in headers.items():
        for name in PROTOTYPE.findall(without_comments(text)):
            places[name].add(str(path))
    for name, found in sorted(places.items()):
        if len(found) > 1:
            yield f"{name}() is declared in {' and '.join(sorted(found))}"


def source_complaints(source):
    """Complaints about the sources, and how many there are."""
    texts = {path: (source / path).read_text(encoding="utf-8")
             for path in tree.files(source) if path.parts[0] == "kernel" and path.suffix in {".c", ".h"}}
    complaints = list(prototype_complaints({path: text for path, text in texts.items() if path.suffix == ".h"}))
    for path, text in texts.items():
        complaints += include_complaints(path, text)
    return complaints, len(texts)


def symbols(nm, path):
    """Names that an object defines, and names that it wants."""
    lines = subprocess.run([nm, "--extern-only", "--format=posix", path], check=True, capture_output=True, text=True).stdout
    defined, wanted = set(), set()
    for line in lines.splitlines():
        name, kind = line.split()[:2]
        (wanted if kind == "U" else defined).add(name)
    return defined, wanted


def call_complaints(objects):
    """Objects that want what is defined above them. `objects`: pairs of a layer and what symbols() says, by name."""
    home = {name: own for own, (defined, _) in objects.values() for name in defined}
    for path, (own, (_, wanted)) in sorted(objects.items()):
        for name in sorted(wanted):
            height = HEIGHT.get(home.get(name))
            if own in HEIGHT and height is not None and height > HEIGHT[own] and name not in UPWARDS:
                yield f"{path} uses {name}, which stands above it"


def read_objects(source, nm, folder):
    """The kernel's objects, without those of sources that are gone: layer and symbols, by path."""
    root = pathlib.Path(folder, "CMakeFiles", "hypervisor.dir")
    found = {path.relative_to(root): path for path in root.rglob("*.o")}
    found = {name: path for name, path in found.items() if (source / "kernel" / name).with_suffix("").exists()}
    return {name: (name.parts[0], symbols(nm, path)) for name, path in found.items()}


def main():
    source = pathlib.Path(sys.argv[1])
    complaints, count = source_complaints(source)
    if len(sys.argv) > 2:
        objects = read_objects(source, *sys.argv[2:])
        complaints += call_complaints(objects)
        count += len(objects)
    tree.report("layers", complaints, count)


if __name__ == "__main__":
    main()
