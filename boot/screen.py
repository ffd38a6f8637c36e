# SPDX-License-Identifier: GPL-2.0-or-later
"""Text on a screen of pixels, read back: pictures that QEMU takes of it, and the font that kernel and runtime draw with."""

import functools
import pathlib
import re

FONT = pathlib.Path(__file__).resolve().parents[1] / "kernel/include/hedron/font.h"
WIDTH, HEIGHT, FIRST = 8, 16, " "  # of a glyph; the first one's character
WANTED, SCALE_MAX = (960, 640), 8  # pixels for each step of enlargement: kernel/include/hedron/textgrid.h
LIT = bytes(int(value >= 0x40) for value in range(256))  # for bytes.translate(): a dot is lit if it is not almost black
UNKNOWN = "\N{REPLACEMENT CHARACTER}"


class ScreenError(ValueError):
    """No picture of a screen."""


@functools.cache
def glyphs():
    """{the dots of a cell, a byte for each: character}"""
    rows = re.findall(r"^\t\{((?:0x[0-9a-f]{2}(?:, )?){16})\}", FONT.read_text(encoding="ascii"), re.MULTILINE)
    found = {}
    for number, row in enumerate(rows):
        lines = (int(value, 16) for value in row.split(", "))
        found[bytes(line >> 7 - dot & 1 for line in lines for dot in range(WIDTH))] = chr(ord(FIRST) + number)
    return found


def read_ppm(data):
    """(width, height, one byte per pixel that says whether it is lit) of a binary PPM file."""
    head = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", data)
    if not head:
        raise ScreenError("not a binary PPM file")
    width, height = int(head[1]), int(head[2])
    pixels = data[head.end():]
    if len(pixels) != 3 * width * height:
        raise ScreenError(f"{len(pixels)} bytes are not {width}x{height} pixels")
    return width, height, bytes(max(part) for part in zip(*(pixels[i::3].translate(LIT) for i in range(3))))


def scale_of(width, height):
    """How many pixels wide and high a dot is, as kernel and runtime compute it."""
    return min(max(min(width // WANTED[0], height // WANTED[1]), 1), SCALE_MAX)


@functools.lru_cache(maxsize=2)
def text(data):
    """The lines of text in a PPM file; what is no glyph becomes UNKNOWN."""
    width, height, lit = read_ppm(data)
    scale, known, lines = scale_of(width, height), glyphs(), []
    columns = width // (WIDTH * scale)
    for top in range(0, height - HEIGHT * scale + 1, HEIGHT * scale):
        rows = [lit[at * width:(at + 1) * width] for at in range(top, top + HEIGHT * scale)]
        cells = []
        for column in range(columns):
            left, right = column * WIDTH * scale, (column + 1) * WIDTH * scale
            dots = [row[left:right] for row in rows]
            small = b"".join(line[::scale] for line in dots[::scale])
            whole = all(line == bytes(dot for dot in small[at // scale * WIDTH:][:WIDTH] for _ in range(scale))
                        for at, line in enumerate(dots)) if scale > 1 else True
            cells.append(known.get(small, UNKNOWN) if whole else UNKNOWN)
        lines.append("".join(cells).rstrip())
    return "\n".join(lines).rstrip() + "\n"
