# SPDX-License-Identifier: GPL-2.0-or-later
"""The lines of the benchmark protocol in what came over a serial port: docs/bench-protocol.md."""

import json
import re
import zlib

PREFIX = "HBENCH "
TRACE_PREFIX = "HTRACE "
SEAL = re.compile(r',"crc":"([0-9a-f]{8})"}')
SEAL_LENGTH = len(',"crc":"xxxxxxxx"}')
UNSEALED = 1  # the version of the protocol whose lines have no checksums


class LineError(ValueError):
    """A line is not the one that was written, or one is missing; the text says which."""


def is_sealed(text):
    """Whether the line carries a checksum; an error if it is not the right one."""
    seal = SEAL.fullmatch(text[-SEAL_LENGTH:])
    if not seal:
        return False
    # What is not ASCII was not written by a roottask; its length in bytes does not matter then.
    if zlib.crc32(text[:-SEAL_LENGTH].encode("utf-8", "surrogateescape")) != int(seal[1], 16):
        raise LineError("its checksum is wrong")
    return True


def parse(text):
    """(object, whether it is sealed)."""
    sealed = is_sealed(text)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LineError(f"not JSON: {error}") from None
    return found, sealed


def check_seal(found, number, sealed, all_sealed):
    """A line has a checksum if the first one has, and a `run` line as its version wants it; the numbers follow one another."""
    is_run = isinstance(found, dict) and found.get("type") == "run"
    if sealed != all_sealed or (is_run and sealed != (found.get("protocol") != UNSEALED)):
        raise LineError("its checksum is missing, or it has one and others have none")
    if sealed and (not isinstance(found, dict) or found.get("line") != number):
        raise LineError(f"line {number} of the protocol was due: lines were lost or came twice")


def objects(serial, prefix=PREFIX):
    """The JSON of each line with this prefix, in order. LineError at the first one that is damaged or out of order."""
    all_sealed, number = None, 0
    for at, line in enumerate(serial.split("\n"), 1):
        _, found, text = line.partition(prefix)
        if not found:
            continue
        try:
            value, sealed = parse(text.rstrip("\r"))
            all_sealed = sealed if all_sealed is None else all_sealed
            check_seal(value, number, sealed, all_sealed)
        except LineError as error:
            raise LineError(f"line {at} of the serial port: {error}: {line[:100]}") from None
        yield value
        number += 1
