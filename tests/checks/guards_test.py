#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The checks of the tree themselves: a small tree in which all is well, then one fault a test, which has to be found."""

import pathlib
import tempfile
import unittest

import comments
import docs_check
import locked_check
import names_check
import orphans_check
import references_check
import style_check

LICENCE = "SPDX-License-" "Identifier: GPL-2.0-or-later"
WELL = {
    "CMakeLists.txt": "set(core kernel/core)\nadd_executable(k ${core}/sm.c)\nfile(GLOB more kernel/lib/*.c)\n"
                      "foreach(name sm)\n  add_executable(${name}_test tests/unit/${name}_test.c)\nendforeach()\n",
    "README.md": "See [the map](docs/map.md), `kernel/core/sm.c`, `kernel/core/*.h`, `results/<machine>/SUITE.json`.\n"
                 "`./run` runs `tests/guest`.\n\n```\ncat not-ours.c\n```\n",
    "docs/map.md": "| `kernel/core/sm.c` | `kernel/lib/`, `tests/`, `docs/`, `results/` |\n\n"
                   "```mermaid\na[core/sm.c] --> b[lib/]\n```\n"
                   "![](layers.svg)\n",
    "docs/layers.svg": '<svg><rect/><text x="1">sm.c sc_*.c <tspan>core/</tspan> call/reply</text></svg>\n',
    "kernel/core/sm.c": '#include "core/sm.h"\n/* sm_up() wakes, see core/sm.h and `waiters`. */\n'
                        'void sm_up(int n)\n{\n\tsay("sm_gone()");\n}\n',
    "kernel/core/sm.h": "void sm_up(int waiters);\n",
    "kernel/core/sc_a.c": "",
    "kernel/lib/list.c": "",
    "results/here/ipc.json": "{}",
    "tests/unit/sm_test.c": '#include "core/sm.h"\n',
    "tests/unit/CMakeLists.txt": "",
    "tests/guest/say.py": '"""Used by all. say() speaks."""\nSTRING = "a()"  # of say.py\n\ndef say(text):\n    print(text)\n',
    "tests/guest/main.sh": "# say.py is run\npython3 say.py\n",
    "tests/guest/again.py": "import say\n",
    "tests/guest/CMakeLists.txt": "add_test(NAME guest COMMAND main.sh)\nadd_test(NAME again COMMAND again.py)\n",
}
WELL["CMakeLists.txt"] += "add_executable(a ${elsewhere}/core/sc_a.c)\n"


class Guards(unittest.TestCase):
    """A tree for each test."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="hedron-guards.")
        self.addCleanup(scratch.cleanup)
        self.source = pathlib.Path(scratch.name)
        for name, text in WELL.items():
            self.write(name, text)

    def write(self, name, text):
        path = self.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def finds(self, check, *expected):
        """The check has a complaint for each expected text, and no more."""
        found = check(self.source)
        found = found[0] if isinstance(found, tuple) else list(found)
        self.assertEqual(len(found), len(expected), found)
        for text, complaint in zip(expected, found):
            self.assertIn(text, complaint)


class References(Guards):
    """Names in prose."""

    def finds(self, *expected):
        super().finds(references_check.complaints, *expected)

    def test_all_is_well(self):
        self.finds()

    def test_functions(self):
        self.write("kernel/lib/list.c", "int a; /* one line */ // and\n/*\n * list_gone() */\n")
        self.finds("list.c:3: there is no function list_gone()")

    def test_function_only_in_a_string(self):
        self.write("kernel/lib/list.c", "/* sm_gone() */\n")
        self.finds("sm_gone()")

    def test_functions_of_python_and_assembly(self):
        self.write("tests/guest/say.py", 'def say():\n    """hear() listens."""\n')
        self.write("kernel/lib/list.S", "label: ret\n/* label() and\n no_label() */\n")
        self.finds("no_label()", "hear()")

    def test_identifiers(self):
        self.write("kernel/lib/list.c", "/* `sleepers` */\n")
        self.finds("list.c:1: nothing is called sleepers")

    def test_files_in_comments(self):
        self.write("kernel/lib/list.c", "/* See core/gone.c, sm.c, <machine>/x.py and sc_*.c, but not tm_*.c. */\n")
        self.finds("no file core/gone.c", "no file tm_*.c")

    def test_generated_files(self):
        self.write("kernel/CMakeLists.txt", "set(made ${CMAKE_CURRENT_BINARY_DIR}/made.h)\n")
        self.write("kernel/lib/list.c", "/* made.h, not_made.h */\n")
        self.finds("no file not_made.h")

    def test_scripts(self):
        self.write("tests/guest/main.sh", "echo ${#x} # gone.py\n")
        self.finds("main.sh:1: there is no file gone.py")

    def test_documents(self):
        self.write("README.md", "gone.py, `kernel/gone`, `kernel/core/s?`, `gone/`, `lib/`, `results/<machine>/<suite>.csv`\n"
                                "gone()\n")
        self.finds("gone()", "gone.py", "kernel/gone", "kernel/core/s?", "no folder gone/", "csv")

    def test_made_up(self):
        self.write("README.md", "docs/map.md <!-- made up: sys_new() new.c\nold.c --> sys_new(), a/new.c, `kernel/old.c`, old.h\n")
        self.finds("no file old.h")

    def test_pictures(self):
        self.write("docs/layers.svg", "<svg><text>gone.c</text><g><text><tspan>core/gone/</tspan></text></g></svg>\n")
        self.write("docs/map.md", "```mermaid\na[kernel/gone.h]\n```\n")
        self.write("docs/boot.mmd", "a[old/]\n")
        self.finds("old/", "file gone.c", "folder core/gone/", "kernel/gone.h")


class Locked(Guards):
    """Functions that say what they do to locks."""

    def finds(self, body, *expected):
        self.write("kernel/core/sm.c", body)
        super().finds(locked_check.complaints, *expected)

    def test_all_is_well(self):
        self.finds("static void a_locked(struct sm *s,\n\t int n)\n{\n\tif (lock(s))\n\t\tunlock(s);\n}\n\n"
                   "void b_and_unlock(void)\n{\n\tspin_unlock(x);\n}\n")

    def test_released(self):
        self.finds("static void a_locked(struct sm *s)\n{\n\tspin_unlock(s);\n\tspin_lock(s);\n}\n", "a_locked() releases")

    def test_released_by_another(self):
        self.finds("static void a_locked(struct sm *s)\n{\n\tb_and_unlock(s);\n}\n", "by b_and_unlock()")

    def test_not_released(self):
        self.finds("static int b_and_unlock(struct sm *s)\n{\n\tunlocked(block(s)); /* unlock(s) */\n}\n", "releases no lock")


class Orphans(Guards):
    """Files that nobody uses."""

    def finds(self, *expected):
        super().finds(orphans_check.complaints, *expected)

    def test_all_is_well(self):
        self.finds()

    def test_source(self):
        self.write("kernel/core/gone.c", "")
        self.finds("kernel/core/gone.c")

    def test_source_in_a_folder_below_a_glob(self):
        self.write("kernel/lib/deep/list.c", "")
        self.finds("kernel/lib/deep/list.c")

    def test_header_included_by_itself(self):
        self.write("kernel/core/gone.h", '#include "core/gone.h"\n')
        self.finds("kernel/core/gone.h")

    def test_header_of_the_same_name(self):
        """What is beside the file is meant."""
        self.write("tests/unit/list.h", "")
        self.write("kernel/lib/list.h", "")
        self.write("kernel/lib/list.c", '#include "list.h"\n')
        self.finds("tests/unit/list.h")

    def test_scripts(self):
        self.write("tests/guest/gone.py", "# gone.py\n")
        self.write("tests/guest/gone", "#!/bin/sh\n")
        self.finds("guest/gone:", "guest/gone.py")

    def test_test_of_no_cmake_file(self):
        self.write("tests/unit/sc_test.c", "")
        self.write("tests/guest/more_test.sh", "")
        self.write("README.md", "`more_test.sh` `main.sh` [](docs/map.md)\n")
        self.finds("more_test.sh: no CMakeLists.txt registers", "tests/unit/sc_test.c")

    def test_document(self):
        self.write("docs/gone.md", "")
        self.finds("docs/gone.md")


class Manual(Guards):
    """The map and the form of documents."""

    def test_folders(self):
        self.finds(docs_check.check_folders)

    def test_folder_without_a_row(self):
        self.write("docs/map.md", "| `results/` | `docs/map.md` | `tests/` | `kernel/core/sm.c` |\n")
        self.finds(docs_check.check_folders, "kernel/lib")

    def test_files(self):
        self.write("docs/map.md", "| Where | file |\n|---|---|\n| one | `lib/gone.c` |\n| two | `gone` |\n")
        self.finds(docs_check.check_map, "lib/gone.c does not exist", "no file in the row")

    def test_links(self):
        self.write("docs/map.md", "[](../README.md#top) [](https://x.org/a) [](gone.md)\n")
        self.finds(docs_check.check_links, "gone.md leads nowhere")

    def test_paths_in_strings(self):
        self.write("kernel/lib/list.c", 'say("kernel/core/sm.c kernel/core/gone.c docs/<name>.md");\n')
        self.finds(docs_check.check_comments, "speaks of kernel/core/gone.c")

    def test_tests(self):
        self.write("tests/guest/ipc.c", "TEST(call)\n")
        self.write("tests/guest/README.md", "| `ipc/call` | `ipc/reply` |\n")
        self.finds(docs_check.check_tests, "no test ipc/reply")

    def test_interface(self):
        lists = {name: f"#define {name}(X) \\\n\tX(0, ONE) \\\n\tX(1, TWO)\n\n" for name in docs_check.HEADERS}
        self.write("kernel/include/hedron/abi.h", lists["HC_LIST"] + lists["STATUS_LIST"])
        self.write("kernel/include/hedron/utcb.h", lists["MTD_LIST"])
        self.write("docs/abi.md", "### ONE (0)\n### TWO (2)\n| 0 | `ONE` |\n| 0 | `TWO` |\n")
        self.finds(docs_check.check_interface, "hypercall 1, TWO", "status 1, TWO", "bit 1 of the transfer descriptor, TWO")

    def test_example(self):
        self.write("bench-guests/root/vmm.c", "/* licence */\n/* head */\nint main(void);\n")
        self.write("docs/vmm.md", "int main();\n")
        self.finds(docs_check.check_example, "its example is not")

    def test_width(self):
        wide, table = "word " * 30, "| word " * 30
        lines = [wide, table, "```", wide, "```", wide.strip(), "word " * 20]
        self.assertEqual([number for number, _ in style_check.check_prose(lines)], [1, 6])

    def test_style(self):
        path = pathlib.PurePath("kernel/core/sm.S")
        faults = f"/* {LICENCE} */\nint a; \n{'x' * 133}\n" + "TO" "DO\n" + "/ho" "me/me\n"
        self.assertEqual(len(list(style_check.check(path, faults))), 4)
        self.assertEqual(len(list(style_check.check(path, "ret"))), 2)


class Names(unittest.TestCase):
    """Exported symbols."""

    def test_stem(self):
        stems = {"space_mem", "space_mem_phys", "sm"}
        for name, source, expected in (("sm_up", "sm.c", True), ("smart", "sm.c", False), ("ec_up", "sm.c", False),
                                       ("arch_x", "sm.c", True), ("space_mem_a", "space_mem_phys.c", True),
                                       ("entry_a", "sm.S", True), ("entry_a", "sm.c", False)):
            self.assertEqual(names_check.allowed(name, source, stems), expected, name)


class Comments(unittest.TestCase):
    """What is comment, what is code."""

    def split(self, name, text):
        found = comments.split(pathlib.PurePath(name), text)
        self.assertEqual({part.count("\n") for part in found}, {text.count("\n")})
        return found

    def test_c(self):
        self.assertEqual(self.split("a.c", "a /* b\n */ c // d\n\"/* e */\" '\"' /* f */"),
                         ("/* b\n */// d\n/* f */", 'a \n c  \n"" ""  '))

    def test_python(self):
        self.assertEqual(self.split("a.py", 'a = "#"  # b\n"""c\nd"""\n'), ('# b\n"""c\nd"""\n', 'a = ""  \n""\n\n'))

    def test_shell(self):
        self.assertEqual(self.split("a.sh", "a ${#b} # c\n"), ("# c\n", "a ${#b} \n"))


if __name__ == "__main__":
    unittest.main()
