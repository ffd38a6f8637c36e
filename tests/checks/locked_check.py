#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Names tell what happens to locks: a function *_locked has its caller's lock when it begins and when it ends; one that
releases that lock is *_and_unlock. In the order of its text, each unlocking in a *_locked must come after a locking,
as it may take locks of its own; a call to a *_and_unlock is an unlocking.
usage: locked_check.py SOURCE
"""

import pathlib
import re
import sys

import comments
import tree

FUNCTION = re.compile(r"^[a-z_][\w \t*]*?\b(\w+)\([^;{}]*\)\n\{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
CALL = re.compile(r"\b(\w+)\s*\(")
LOCKING = re.compile(r"(?:^|_)(?:try)?lock(?:_|$)")
UNLOCKING = re.compile(r"(?:^|_)unlock(?:_|$)")


def releases(body):
    """The call that releases a lock which the function has not taken, if there is one."""
    taken = 0
    for name in CALL.findall(body):
        if UNLOCKING.search(name):
            taken -= 1
        elif LOCKING.search(name):
            taken += 1
        if taken < 0:
            return name
    return None


def check(path, text):
    """Complaints about one file, and how many functions it has that say something about a lock."""
    complaints, count = [], 0
    for name, body in FUNCTION.findall(comments.split(path, text)[1]):
        call = releases(body)
        count += name.endswith(("_locked", "_and_unlock"))
        if name.endswith("_locked") and call:
            complaints.append(f"{path}: {name}() releases a lock by {call}(): it should be called *_and_unlock")
        if name.endswith("_and_unlock") and not call:
            complaints.append(f"{path}: {name}() releases no lock")
    return complaints, count


def complaints(source):
    found, count = [], 0
    for path in tree.files(source):
        if path.suffix in (".c", ".h"):
            wrong, functions = check(path, (source / path).read_text(encoding="utf-8"))
            found, count = found + wrong, count + functions
    return found, count


if __name__ == "__main__":
    tree.report("locked", *complaints(pathlib.Path(sys.argv[1])))
