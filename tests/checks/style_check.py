#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What docs/style.md asks of each file and a machine can see. usage: style_check.py SOURCE"""

import pathlib
import re
import sys

import tree

LICENCE = "SPDX-License-Identifier: GPL-2.0-or-later"
LICENSED = {".c", ".h", ".S", ".cc", ".py", ".sh", ".cmake", ".lds", ".ld"}
TEXT = LICENSED | {".md", ".txt", ".yml", ".yaml", ".json", ""}
CODE = {".c", ".h", ".S", ".cc", ".py", ".sh"}
FORMATTED = {".c", ".h", ".cc"}  # clang-format sees to the width of these
DATA = {"seeds", "data", "corpus"}  # folders with input of tests
LENGTH_MAX = 500  # lines; beyond, a file has more than one purpose
LENGTH_MAX_TEST = 700  # tests may be long lists of cases
WIDTH_MAX = 132  # columns with tabs of 8, for what no formatter handles
WIDTH_MAX_PROSE = 118  # of documents, but for rows of tables, which cannot be broken
# Spelled so that this file does not contain them.
UNFINISHED = re.compile("|".join((r"\bTO" r"DO\b", r"\bFIX" r"ME\b", r"\bXX" r"X\b", r"\bHA" r"CK\b", "<<<" "<<<<", ">>>" ">>>>")))
BUILDER_PATH = re.compile("(?<![\\w.])/(?:home|ro" "ot|wo" "rk)/")


def first_lines(text):
    """The first two lines: a script's first is its interpreter."""
    return text.split("\n", 2)[:2]


def length_max(path):
    return LENGTH_MAX_TEST if "tests" in path.parts else LENGTH_MAX


def check_line(path, line):
    """Complaints about one line."""
    if line != line.rstrip():
        yield "white space at the end of the line"
    if path.suffix in CODE - FORMATTED and len(line.expandtabs(8)) > WIDTH_MAX:
        yield f"longer than {WIDTH_MAX} columns"
    if UNFINISHED.search(line):
        yield f"unfinished: {line.strip()[:80]}"


def check_prose(lines):
    """(number, complaint) for the lines of a document; what stands in fences is code or comes from a terminal."""
    fenced = False
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        if not fenced and len(line) > WIDTH_MAX_PROSE and not line.lstrip().startswith("|"):
            yield number, f"longer than {WIDTH_MAX_PROSE} columns"


def check(path, text):
    """Complaints about one file."""
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        found = BUILDER_PATH.search(line)
        if found:
            yield f"{path}:{number}: a path of somebody's machine: {line[found.start():][:40]}"
    if DATA & set(path.parts):
        return
    if path.suffix in LICENSED or path.name == "CMakeLists.txt" or text.startswith("#!"):
        if not any(LICENCE in line for line in first_lines(text)):
            yield f"{path}: the licence line is missing at the top"
    if path.suffix in CODE and len(lines) - 1 > length_max(path):
        yield f"{path}: {len(lines) - 1} lines; at most {length_max(path)}"
    if text and not text.endswith("\n") or text.endswith("\n\n"):
        yield f"{path}: does not end with exactly one newline"
    for number, line in enumerate(lines, 1):
        for complaint in check_line(path, line):
            yield f"{path}:{number}: {complaint}"
    if path.suffix == ".md":
        yield from (f"{path}:{number}: {complaint}" for number, complaint in check_prose(lines))


def main():
    source = pathlib.Path(sys.argv[1])
    complaints, count = [], 0
    for path in tree.files(source):
        if path.suffix not in TEXT or path.name == "LICENSE":
            continue
        try:
            text = (source / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        complaints += check(path, text)
        count += 1
    tree.report("style", complaints, count)


if __name__ == "__main__":
    main()
