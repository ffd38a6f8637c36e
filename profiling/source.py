# SPDX-License-Identifier: GPL-2.0-or-later
"""Where instructions come from: the words of objdump, the source lines of addr2line (both of binutils)."""

import re
import subprocess

LINE = re.compile(r"^\s*([0-9a-f]+):\s+(.*?)\s*$")


def run(command, text=""):
    """What a program prints; nothing if it is missing or fails: then less is shown."""
    try:
        return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


def disassembly(file):
    """{address: text}"""
    found = (LINE.match(line) for line in run(["objdump", "-d", "-w", "--no-show-raw-insn", file]).splitlines())
    return {int(match[1], 16): match[2] for match in found if match}


def lines(file, addresses):
    """{address: "file:line"}; of inlined code the innermost line."""
    addresses = sorted(addresses)
    answers = run(["addr2line", "-e", file], "".join(f"{address:x}\n" for address in addresses)).splitlines()
    if len(answers) != len(addresses):
        return {}
    places = (answer.partition(" (")[0].rpartition("/./")[2].removeprefix("./") for answer in answers)
    return {address: place for address, place in zip(addresses, places) if "?" not in place}


class Notes:
    """For the instructions of some paths: text and place."""

    def __init__(self, paths, files):
        addresses = {step.address for found in paths for step, *_ in found.steps}
        self.texts, self.places = {}, {}
        for file in files:
            texts = disassembly(file)
            self.texts.update(texts)
            self.places.update(lines(file, addresses & texts.keys()))

    def text(self, step):
        return re.sub(r"\s+", " ", self.texts.get(step.address, step.code.hex()).partition("#")[0]).strip()

    def place(self, step):
        return self.places.get(step.address, "")
