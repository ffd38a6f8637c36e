# SPDX-License-Identifier: GPL-2.0-or-later
"""Instructions from the assembler and the disassembler, for the tests of decoders."""

import pathlib
import re
import subprocess
import tempfile

LINE = re.compile(r"^\s*[0-9a-f]+:\t((?:[0-9a-f]{2} )+)\s*\t(.*)$")


def disassemble(file):
    """(bytes, text) of each instruction."""
    text = subprocess.run(["objdump", "-d", "-w", "-j", ".text", file], check=True, capture_output=True, text=True).stdout
    for line in text.splitlines():
        found = LINE.match(line)
        if found:
            yield bytes.fromhex(found[1]), found[2].partition("#")[0].strip()


def assemble(assembler, source):
    """(bytes, text) of each instruction of a list with semicolons."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "x.s")
        file.write_text(source.replace(";", "\n") + "\n")
        subprocess.run([assembler, "-c", "-o", file.with_suffix(".o"), file], check=True)
        return list(disassemble(file.with_suffix(".o")))
