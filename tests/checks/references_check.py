#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
What comments, documents and pictures speak of exists: functions (a name with parentheses behind it), identifiers in
backticks in comments, files and folders. A file may be named by any end of its path, as includes are, with * in it.
A document names what it makes up, for an example: <!-- made up: NAME... -->.
usage: references_check.py SOURCE
"""

import fnmatch
import pathlib
import re
import sys
import xml.etree.ElementTree

import comments
import tree

DATA = {"seeds", "data", "corpus", "results"}  # folders with input of tests, and output
FOREIGN = {"compare.py"}  # a part of other software
ON_MEDIA = ("boot/grub/", "boot/hedron", "boot/node/", "boot/payload")  # paths on boot media, not of the tree

FUNCTION = re.compile(r"(?<![\w.>])([A-Za-z_]\w*)\(\)")
IDENTIFIER = re.compile(r"`([A-Za-z_]\w*)`")
SUFFIXES = "c|h|S|cc|inc|ld|py|sh|cmake|pml|md|css|js|svg"
# Not those with <...>, ${...} and the like, which stand for many.
FILE = re.compile(rf"(?<![\w./<>{{}}$@-])((?:[\w*-]+/)*[\w*-]*\w[\w*-]*\.(?:{SUFFIXES}))(?![\w/<-]|\.\w)")
SPAN = re.compile(r"`([^`\s]+)`")
FOLDER = re.compile(r"(?<![\w./<>{}$@:-])((?:[\w-]+/)+)(?![\w.*<{-])")
PLACEHOLDER = re.compile(r"<\w+>|\b[A-Z]+\b")
FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
MERMAID = re.compile(r"^ *```mermaid\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
TEST = re.compile(r"\bTEST\((\w+)\)")
DECLARED = re.compile(r"\bUNIT_(?:TEST|FIXTURE)\((\w+)\)")
GENERATED = re.compile(r"BINARY_DIR\}/([\w.-]+\.\w+)")
MADE_UP = re.compile(r"<!-- made up: (.*?) -->", re.DOTALL)


def without_fences(text):
    return FENCE.sub(lambda block: comments.empty_lines(block[0]), text)


class Tree:
    """What there is to be spoken of."""

    def __init__(self, source):
        self.texts, self.prose, self.functions, self.words, self.tests = {}, {}, set(), set(), set()
        self.elsewhere = set(FOREIGN)
        self.files = tree.files(source)
        self.paths = {"/".join(path.parts[i:]) for path in self.files for i in range(len(path.parts))}
        self.folders = {"/".join(path.parts[i:j]) for path in self.files
                        for j in range(1, len(path.parts)) for i in range(j)}
        self.top = {path.parts[0] for path in self.files if len(path.parts) > 1}
        for path in self.files:
            self.read(path, (source / path).read_text(encoding="utf-8", errors="replace"))

    def read(self, path, text):
        if path.suffix == ".md":
            self.texts[path] = text
            return
        if DATA & set(path.parts) or path.name == "LICENSE" or path.suffix == ".svg":
            return
        self.prose[path], code = comments.split(path, text)
        self.functions |= set(re.findall(r"\b([A-Za-z_]\w*)\s*\(", code)) | set(re.findall(r"^(\w+):", code, re.MULTILINE))
        self.functions |= set(re.findall(r"#\s*define\s+(\w+)", code))
        self.words |= set(re.findall(r"\w+", code))
        if path.name == "CMakeLists.txt":
            self.elsewhere |= set(GENERATED.findall(code))
        if path.suffix == ".c":
            self.tests |= set(TEST.findall(code))
            self.functions |= set(DECLARED.findall(code))

    def has_file(self, name):
        if "*" in name:
            return any(fnmatch.fnmatchcase(path, name) for path in self.paths)
        return name in self.paths or name in self.elsewhere

    def has_path(self, name):
        """Whether a path from the root, perhaps with placeholders, is a file, a folder or the name of a guest's test."""
        name = PLACEHOLDER.sub("*", name).rstrip("/")
        known = self.paths | self.folders
        return name in known or name.partition("/")[2] in self.tests or bool(fnmatch.filter(known, name))


def in_lines(text, pattern):
    """(number of the line, what the pattern finds in it)"""
    for number, line in enumerate(text.split("\n"), 1):
        for name in pattern.findall(line):
            yield number, name


def check_comments(there):
    for path, text in there.prose.items():
        for number, name in in_lines(text, FUNCTION):
            if name not in there.functions:
                yield f"{path}:{number}: there is no function {name}()"
        for number, name in in_lines(text, IDENTIFIER):
            if name not in there.words:
                yield f"{path}:{number}: nothing is called {name}"
        for number, name in in_lines(text, FILE):
            if not there.has_file(name):
                yield f"{path}:{number}: there is no file {name}"


def check_document(there, text):
    """(number of the line, name, complaint)"""
    for number, name in in_lines(text, FUNCTION):
        if name not in there.functions:
            yield number, name, f"there is no function {name}()"
    for number, name in in_lines(text, FILE):
        if not there.has_file(name):
            yield number, name, f"there is no file {name}"
    for number, name in in_lines(text, SPAN):
        first, slash, _ = name.partition("/")
        if slash and first in there.top and not name.startswith(ON_MEDIA) and not there.has_path(name):
            yield number, name, f"there is no {name}"
        if FOLDER.fullmatch(name) and name.rstrip("/") not in there.folders:
            yield number, name, f"there is no folder {name}"


def check_documents(there):
    for path, text in there.texts.items():
        made_up = set(" ".join(MADE_UP.findall(text)).replace("()", "").split())
        for number, name, complaint in check_document(there, without_fences(text)):
            if not made_up & {name, name.rpartition("/")[2]}:
                yield f"{path}:{number}: {complaint}"


def labels(path, text):
    """The words in a picture, by lines."""
    if path.suffix == ".svg":
        elements = xml.etree.ElementTree.fromstring(text).iter()
        return "\n".join(" ".join(element.itertext()) for element in elements if element.tag.endswith("text"))
    if path.suffix == ".mmd":
        return text
    return "\n".join(MERMAID.findall(text))


def check_pictures(source, there):
    for path in there.files:
        if path.suffix not in (".svg", ".mmd", ".md") or DATA & set(path.parts):
            continue
        words = labels(path, (source / path).read_text(encoding="utf-8"))
        for name in FILE.findall(words):
            if not there.has_file(name):
                yield f"{path}: its picture has a file {name}, which does not exist"
        for name in FOLDER.findall(words):
            if name.rstrip("/") not in there.folders:
                yield f"{path}: its picture has a folder {name}, which does not exist"


def complaints(source):
    there = Tree(source)
    return [*check_comments(there), *check_documents(there), *check_pictures(source, there)], len(there.files)


if __name__ == "__main__":
    tree.report("references", *complaints(pathlib.Path(sys.argv[1])))
