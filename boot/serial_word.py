# SPDX-License-Identifier: GPL-2.0-or-later
"""
The word of the kernel's command line that names its serial line: docs/abi.md has its forms. The kernel looks for a line itself if
it does not understand the word; who makes a command line wants to know before.
"""

import dataclasses
import re

CLOCK = 1843200
PORTS = {1: 0x3F8, 2: 0x2F8, 3: 0x3E8, 4: 0x2E8}
PLACE = re.compile(r"(auto)|com0*([1-4])|0x([0-9a-fA-F]+)|mmio:0x([0-9a-fA-F]+)|pci:([0-9a-fA-F]+):([0-9a-fA-F]+)\.0*([0-7])")
SPEED = re.compile(r"([0-9]+)(?:([neo])(?:0*([5-8]))?)?")
REGISTERS = 8


class LineError(Exception):
    """The word is not understood; the text says why."""


@dataclasses.dataclass
class Line:
    """A serial line; what is None is not said."""

    port: int = None  # of a UART in I/O ports that is named
    baud: int = None
    parity: str = "n"
    bits: int = 8
    stride: int = 1
    clock: int = CLOCK


def divisor(clock, baud):
    """What the UART divides its clock by, and by 16; 0 if that is no rate that the other side understands."""
    value = (clock + 8 * baud) // (16 * baud)
    rate = value * 16 * baud
    return value if 0 < value <= 0xFFFF and abs(clock - rate) * 32 <= rate else 0


def set_one(line, text):
    """One of the settings behind the place."""
    found = re.fullmatch(r"stride=0*([124])", text)
    if found:
        line.stride = int(found[1])
        return
    found = re.fullmatch(r"clock=([0-9]+)", text)
    if found and 0 < int(found[1]) < 1 << 32:
        line.clock = int(found[1])
        return
    found = SPEED.fullmatch(text)
    if not found or not 0 < int(found[1]) < 1 << 32:
        raise LineError(f"{text!r} is no rate like 115200n8, no stride=1, 2 or 4, no clock=Hz")
    line.baud, line.parity, line.bits = int(found[1]), found[2] or "n", int(found[3] or 8)


def check_place(found, stride):
    """Whether a UART can be there; `found` is a match of PLACE."""
    port, memory = found[3] and int(found[3], 16), found[4] and int(found[4], 16)
    if port is not None and (stride != 1 or not 0 < port <= 0xFFFF or port % REGISTERS):
        raise LineError("a port is a multiple of 8 up to 0xfff8, and its registers are a byte each")
    if found[2] and stride != 1:
        raise LineError("registers in ports are a byte each")
    if memory is not None and (not 0 < memory < 1 << 64 or memory % (REGISTERS * stride)):
        raise LineError(f"registers in memory are at a multiple of {REGISTERS * stride}")
    if found[5] and (int(found[5], 16) > 0xFF or int(found[6], 16) > 0x1F):
        raise LineError("PCI has buses up to ff and devices up to 1f")


def parse(text):
    """The Line that `serial=TEXT` stands for."""
    place, *settings = text.split(",")
    found, line = PLACE.fullmatch(place), Line()
    if not found:
        raise LineError(f"{place!r} is not auto, com1 to com4, a port (0x3f8), mmio:0xADDRESS or pci:BUS:DEVICE.FUNCTION")
    for setting in settings:
        set_one(line, setting)
    check_place(found, line.stride)
    clock_is_known = not found[1] or any(setting.startswith("clock=") for setting in settings)
    if line.baud and clock_is_known and not divisor(line.clock, line.baud):
        raise LineError(f"{line.baud} baud cannot be made of a clock of {line.clock} Hz")
    line.port = PORTS[int(found[2])] if found[2] else found[3] and int(found[3], 16)
    return line


def of(words):
    """The Line of a kernel with these words on its command line: the last of the kind counts. None: it uses none."""
    line = None
    for word in words:
        if word == "serial":
            line = Line()
        elif word.startswith("serial="):
            try:
                line = parse(word.removeprefix("serial="))
            except LineError as error:
                raise LineError(f"{word}: {error}") from None
    return line
