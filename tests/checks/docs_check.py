#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
The manual against the tree: docs/abi.md has a chapter for each hypercall, a row for each status and each bit of the transfer
descriptor; docs/map.md names files that exist and leaves out no folder, tests/guest/README.md names tests; links between
pages, and paths in comments, lead somewhere; the example of docs/vmm.md is the program it speaks of.
usage: docs_check.py SOURCE
"""

import pathlib
import re
import sys

import tree

LIST = r"#define {}\(X\)((?:.*\\\n)*.*\n)"
ENTRY = re.compile(r"X\((\d+), (\w+)")
HEADERS = {"HC_LIST": "abi.h", "STATUS_LIST": "abi.h", "MTD_LIST": "utcb.h"}
CODE_SPAN = re.compile(r"`([^`\s]+)`")
PLANTED = {"guards_test.py"}  # speaks of files that are not there on purpose
SOURCES = {".c", ".h", ".S", ".cc", ".py", ".sh", ".cmake", ".txt"}
# A path of this tree in a comment. Those with <...>, * and the like do not match.
PATH = re.compile(r"(?<![\w./-])((?:kernel|tests|bench|bench-guests|host|boot|docs|cmake)/[\w/.-]+\.[A-Za-z]\w*)(?![\w/*<])")
TEST = re.compile(r"\bTEST\((\w+)\)")
NAMED_TEST = re.compile(r"`([a-z_]+/[a-z_0-9]+)`")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def entries(source, name):
    """(number, NAME) of each entry of a list in the public headers."""
    text = (source / "kernel/include/hedron" / HEADERS[name]).read_text()
    found = ENTRY.findall(re.search(LIST.format(name), text)[1])
    return [(int(number), entry) for number, entry in found]


def check_interface(source):
    text = (source / "docs/abi.md").read_text()
    for number, name in entries(source, "HC_LIST"):
        if not re.search(rf"^###+ .*\b{name}\b.*\b{number}\b", text, re.MULTILINE):
            yield f"docs/abi.md: no chapter for hypercall {number}, {name}"
    for number, name in entries(source, "STATUS_LIST"):
        if not re.search(rf"^\| *{number} *\| *`{name}` *\|", text, re.MULTILINE):
            yield f"docs/abi.md: no row for status {number}, {name}"
    for number, name in entries(source, "MTD_LIST"):
        if not re.search(rf"\| *{number} *\| *`{name}`( \*)? *\|", text):
            yield f"docs/abi.md: no entry for bit {number} of the transfer descriptor, {name}"


def check_folders(source):
    """Each folder with files is in the map: by itself, by something in it, or as a part of one that is named as a whole."""
    spans = CODE_SPAN.findall((source / "docs/map.md").read_text())
    whole = {pathlib.PurePath(name) for name in spans if name.endswith("/")}
    named = whole | {pathlib.PurePath(name).parent for name in spans}
    named |= {parent for folder in named for parent in folder.parents}
    for folder in sorted({path.parent for path in tree.files(source)}):
        if folder not in named and not whole & set(folder.parents):
            yield f"docs/map.md: the folder {folder} is missing"


def check_map(source):
    """Each row of the tables in docs/map.md: a question, then files."""
    text = (source / "docs/map.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("|") and not re.match(r"\|[\s:|-]+$", line)]
    for row in rows[1:]:
        names = CODE_SPAN.findall(row)
        places = [name for name in names if "/" in name]
        if row.count("|") == 3 and not places and "Where" not in row:
            yield f"docs/map.md: no file in the row: {row}"
        for name in places:
            if not (source / name).exists():
                yield f"docs/map.md: {name} does not exist"


def check_links(source):
    for page in sorted([*(source / "docs").rglob("*.md"), *source.glob("*.md")]):
        for target in LINK.findall(page.read_text()):
            if not re.match(r"[a-z]+:", target) and not (page.parent / target).exists():
                yield f"{page.relative_to(source)}: the link to {target} leads nowhere"


def check_comments(source):
    """Files that comments, strings and scripts speak of with their whole paths."""
    for path in tree.files(source):
        bases = (source, source / path.parent, source / "kernel", source / "kernel/arch/x86_64")
        if path.suffix in SOURCES and path.name not in PLANTED:
            for name in PATH.findall((source / path).read_text(encoding="utf-8", errors="replace")):
                if not any((folder / name).exists() for folder in bases):
                    yield f"{path}: speaks of {name}, which does not exist"


def check_tests(source):
    """`suite/test` in a table of tests/guest/README.md is a test that some roottask has."""
    folder = source / "tests/guest"
    known = {name for path in folder.rglob("*.c") for name in TEST.findall(path.read_text())}
    rows = [line for line in (folder / "README.md").read_text().splitlines() if line.startswith("|")]
    for name in NAMED_TEST.findall("".join(rows)):
        if name.partition("/")[2] not in known:
            yield f"tests/guest/README.md: there is no test {name}"


def check_example(source):
    """The worked example is the program that the tests run."""
    program = (source / "bench-guests/root/vmm.c").read_text().split("*/\n", 2)[2]
    if program not in (source / "docs/vmm.md").read_text():
        yield "docs/vmm.md: its example is not what bench-guests/root/vmm.c says"


def main():
    source = pathlib.Path(sys.argv[1])
    checks = (check_interface, check_map, check_folders, check_links, check_comments, check_tests, check_example)
    complaints = [text for check in checks for text in check(source)]
    tree.report("manual", complaints, len(entries(source, "HC_LIST")))


if __name__ == "__main__":
    main()
