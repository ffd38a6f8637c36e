#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
No file is forgotten: what can be compiled or run is named by CMake (by itself, by a glob, or by a name that a list is
put into), headers are included, modules imported, scripts run or described, pages of the manual linked. A test program
is registered by the CMakeLists.txt of its folder or of one above.
usage: orphans_check.py SOURCE
"""

import fnmatch
import os
import pathlib
import re
import sys

import comments
import tree

BUILT = {".c", ".S", ".cc", ".pml", ".ld"}
INCLUDED = {".h", ".inc", ".css", ".js"} | BUILT
SCRIPTS = {".py", ".sh", ""}
ASSEMBLED = {".s"}  # by a test beside it
DATA = {"seeds", "data", "corpus"}  # read by the tests beside them, as folders
# By people, git and tools.
CALLED_BY_OTHERS = {"LICENSE", "CHANGELOG.md", "README.md", ".gitignore", ".clang-format", ".clang-tidy", "run"}
TEST = re.compile(r"(_test\.(c|py|sh)|_(fuzz|stress)\.c|_bench\.cc)$")
CHECKS = pathlib.PurePath("tests/checks")  # its globs name what is looked at, not what is built

INCLUDE = re.compile(r'^\s*(?:#\s*include|\.incbin|\.include)\s+["<]([^">]+)[">]', re.MULTILINE)
IMPORT = re.compile(r"^\s*(?:import|from)\s+(\w+)", re.MULTILINE)
GLOB = re.compile(r"file\((GLOB|GLOB_RECURSE)\s+\w+([^)]*)\)")
SET = re.compile(r"\bset\((\w+)\s+([^\s)]+)\)")
VARIABLE = re.compile(r"\$\{(\w+)\}")
WORD = re.compile(r"[\w./${}-]+")


class CMakeFile:
    """What one CMakeLists.txt speaks of."""

    def __init__(self, path, text):
        self.folder = path.parent
        text = comments.split(path, text)[1]
        values = {"CMAKE_CURRENT_SOURCE_DIR": str(self.folder), "PROJECT_SOURCE_DIR": "."}
        for name, value in SET.findall(text):
            values[name] = VARIABLE.sub(lambda found: values.get(found[1], found[0]), value)
        text = VARIABLE.sub(lambda found: values.get(found[1], found[0]), text)
        self.globs = [] if self.folder == CHECKS else list(self.patterns(text))
        words = set(WORD.findall(GLOB.sub("", text)))
        self.named = {os.path.normpath(base / word) for word in words for base in (pathlib.PurePath(), self.folder)}
        # Of a path that begins with a variable which another file sets, the rest has to do.
        self.ends = tuple(rest for word in words for rest in re.findall(r"^\$\{\w+\}(/[^$]+)$", word))
        self.plain = set(re.findall(r"[\w.-]+", text))
        # ${name}_test.py names a test for each word that may be put into it.
        self.templates = {re.compile(r"([\w.-]+)" + re.escape(tail)) for word in words
                          for tail in re.findall(r"(?:^|/)\$\{\w+\}([\w.-]+)$", word)}

    def patterns(self, text):
        for kind, arguments in GLOB.findall(text):
            for word in arguments.split():
                if "*" in word:
                    base = "" if word.startswith((f"{self.folder}/", "./")) else self.folder
                    pattern = pathlib.PurePath(base, word)
                    yield kind == "GLOB_RECURSE", str(pattern.parent), pattern.name

    def globbed(self, path):
        for deep, folder, name in self.globs:
            if fnmatch.fnmatchcase(path.name, name) and (fnmatch.fnmatchcase(str(path.parent), folder) or
                                                         deep and pathlib.PurePath(folder) in path.parents):
                return True
        return False

    def names(self, path):
        if str(path) in self.named or f"/{path}".endswith(self.ends) or self.globbed(path):
            return True
        return self.folder in path.parents and any(found and found[1] in self.plain for found in
                                                   (template.fullmatch(path.name) for template in self.templates))


class Uses:
    """Who is used by whom."""

    def __init__(self, source):
        self.files = [path for path in tree.files(source) if not DATA & set(path.parts)]
        self.known = {str(path) for path in self.files}
        self.cmake, self.included, self.imported, self.named = [], {}, {}, {}
        for path in self.files:
            self.read(path, (source / path).read_text(encoding="utf-8", errors="replace"))

    def read(self, path, text):
        if path.name == "CMakeLists.txt" or path.suffix == ".cmake":
            self.cmake.append(CMakeFile(path, text))
        for name in INCLUDE.findall(text):
            near = os.path.normpath(path.parent / name)
            self.included.setdefault(near if near in self.known else name, set()).add(path)
        if path.suffix in SCRIPTS:
            for name in IMPORT.findall(text):
                self.imported.setdefault(name, set()).add(path)
        for word in set(re.findall(r"[\w.-]*\w", text)):
            self.named.setdefault(word, set()).add(path)

    @staticmethod
    def by_others(users, path):
        return bool(users - {path})

    def is_included(self, path):
        ends = ("/".join(path.parts[i:]) for i in range(len(path.parts)))
        return any(self.by_others(self.included.get(end, set()), path) for end in ends)

    def is_used(self, path):
        if path.name in CALLED_BY_OTHERS | {"CMakeLists.txt"} or any(file.names(path) for file in self.cmake):
            return True
        if path.suffix in INCLUDED and self.is_included(path):
            return True
        if path.suffix in BUILT | INCLUDED:
            return False
        if path.suffix in ASSEMBLED:
            users = self.named.get(path.suffix, set()) & self.named.get(path.stem, set())
            return any(user.parent == path.parent for user in users - {path})
        if path.suffix == ".py" and self.by_others(self.imported.get(path.stem, set()), path):
            return True
        return self.by_others(self.named.get(path.name, set()), path)

    def is_registered(self, path):
        return any(file.names(path) for file in self.cmake if file.folder in path.parents)


def complaints(source):
    uses = Uses(source)
    found = []
    for path in uses.files:
        if path.suffix in BUILT | INCLUDED | ASSEMBLED | SCRIPTS | {".md", ".cmake"} and not uses.is_used(path):
            found.append(f"{path}: nothing builds, includes, imports, runs or describes it")
        elif TEST.search(path.name) and not uses.is_registered(path):
            found.append(f"{path}: no CMakeLists.txt registers this test")
    return found, len(uses.files)


if __name__ == "__main__":
    tree.report("orphans", *complaints(pathlib.Path(sys.argv[1])))
