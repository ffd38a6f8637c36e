# SPDX-License-Identifier: GPL-2.0-or-later
"""The symbols of an ELF file of 64 bits. Manual: System V gABI, chapter 4."""

import bisect
import pathlib
import struct

PROGBITS, SYMTAB = 1, 2
NOTYPE, OBJECT, FUNCTION = 0, 1, 2
HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SECTION = struct.Struct("<IIQQQQIIQQ")
SYMBOL = struct.Struct("<IBBHQQ")
EXECUTABLE = 4  # SHF_EXECINSTR


class ElfError(Exception):
    """The file is not what it should be; the text says why."""


class Symbols:
    """Names of code addresses: `at(address)` is the nearest symbol below, within the same section."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        try:
            self.data = self.path.read_bytes()
            self.sections = self.read_sections()
            self.names = self.read_symbols()
        except (OSError, struct.error, IndexError, ValueError, OverflowError) as error:
            raise ElfError(f"{path}: {error or 'not a complete ELF file'}") from None
        if not self.names:
            raise ElfError(f"{path}: no symbols of code; the file was stripped, or built without them")
        self.starts = sorted(self.names)

    def read_sections(self):
        header = HEADER.unpack_from(self.data)
        if self.data[:6] != b"\x7fELF\x02\x01":
            raise ValueError("not an ELF file of 64 bits")
        offset, size, count = header[6], header[11], header[12]
        return [SECTION.unpack_from(self.data, offset + size * n) for n in range(count)]

    @staticmethod
    def is_code(section, value):
        """Symbols may have any value, also one that lies outside of their section: sizes, for example."""
        return section[2] & EXECUTABLE and section[3] <= value < section[3] + section[5]

    def read_symbols(self):
        """{address: (name, end of its section)}; functions win over labels, exported names over others."""
        best = {}
        for section in self.sections:
            if section[1] != SYMTAB:
                continue
            strings = self.sections[section[6]][4]
            for at in range(section[4], section[4] + section[5], SYMBOL.size):
                name, info, _, index, value, _ = SYMBOL.unpack_from(self.data, at)
                if not 0 < index < len(self.sections) or not self.is_code(self.sections[index], value) or info & 15 > FUNCTION:
                    continue
                end = self.data.index(b"\0", strings + name)
                text = self.data[strings + name:end].decode("ascii", "replace")
                rank = (info & 15 == FUNCTION, info >> 4)
                if text and rank >= best.get(value, ((False, 0),))[0]:
                    best[value] = (rank, text, self.sections[index][3] + self.sections[index][5])
        return {value: entry[1:] for value, entry in best.items()}

    def at(self, address):
        """The symbol an address belongs to, or None."""
        found = bisect.bisect_right(self.starts, address) - 1
        if found < 0:
            return None
        name, end = self.names[self.starts[found]]
        return name if address < end else None

    def code(self, address, size):
        """What the file has at an address; less or nothing where it has nothing."""
        for section in self.sections:
            inside = address - section[3]
            if section[1] == PROGBITS and section[2] & EXECUTABLE and 0 <= inside < section[5]:
                return self.data[section[4] + inside:section[4] + min(inside + size, section[5])]
        return b""

    def address(self, name):
        """Where a symbol is."""
        for start, (text, _) in self.names.items():
            if text == name:
                return start
        raise ElfError(f"{self.path}: no symbol {name}")
