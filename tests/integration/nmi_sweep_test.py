#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
NMIs at the instructions that lead into a guest and out of it, in Bochs, which has VMX: tests/guest/step/sweep.c sends one
after the other, each a little later, and notices wake-ups that are lost. None may be, and each instruction of the restart
range into the guest has to be hit. With a kernel that has lost its redirection of interrupted entries, just those behind the
test of the hazards must be found.
"""

import argparse
import collections
import pathlib
import re
import sys
import tempfile

import guest  # first: it finds image, job and machine
import elf
import image
import job
import machine
import restart_ranges

RET = b"\xc3"
HIT = re.compile(r"^NMI (\w+) ([0-9a-f]+) (\d+) (\d+)$", re.MULTILINE)
RANGE = "restart_vm_entry"
UNREACHED = 2  # from the range's end: the jump behind VMRESUME, which does not fail

Hits = collections.namedtuple("Hits", "times lost")  # {address: how often}


def blunted(kernel, folder):
    """A copy of the image that does not redirect what an NMI has interrupted."""
    symbols, copy = elf.Symbols(kernel), folder / "hypervisor"
    at = restart_ranges.labels(kernel)["redirect_frame"]
    section = next(one for one in symbols.sections if symbols.is_code(one, at))
    data, offset = bytearray(symbols.data), section[4] + at - section[3]
    data[offset:offset + 1] = RET
    copy.write_bytes(data)
    return copy


def boot(args, kernel, words, folder):
    """What the serial line says. One CPU for each part of sweep.c."""
    iso = folder / "image.iso"
    loads = job.make(kernel, "serial nomwait heap=4M log=error", [(str(args.build / "sweep.elf"), words)])
    image.make_iso(str(iso), [loads], efi=False, verify=False)
    vm = machine.Machine(emulator="bochs", cpu="tigerlake", cpus=3, iso=str(iso))
    return machine.run(vm, timeout=args.timeout, doom="PANIC: .*$").serial


def hits(serial):
    times, lost = collections.Counter(), collections.Counter()
    for _, address, how_often, of_these in HIT.findall(serial):
        times[int(address, 16)] += int(how_often)
        lost[int(address, 16)] += int(of_these)
    return Hits(times, +lost)


def judge(kernel, serial):
    """Of the kernel as it is."""
    yield from guest.judge_tests(serial)
    span = restart_ranges.instructions(kernel, RANGE)
    del span[-UNREACHED]
    found = hits(serial)
    print(f"{sum(found.times.values())} NMIs hit {len(found.times)} instructions of the kernel")
    missed = [f"{address:#x}" for address in span if address not in found.times]
    if missed:
        yield f"no NMI hit {', '.join(missed)} in {RANGE}"


def judge_blunted(kernel, serial):
    """Of the one that does not redirect: what is lost is lost in restart ranges, nearly everywhere in that into a guest."""
    late = restart_ranges.late(kernel, RANGE)
    del late[-UNREACHED]
    found = hits(serial)
    kept = [f"{address:#x}" for address in late if not found.lost[address]]
    # The short sweep of this boot does not meet each of them on its way into a guest; where it does depends on the code's length.
    if 4 * len(kept) > len(late):
        yield f"without redirection no wake-up was lost at {', '.join(kept)} in {RANGE}"
    anywhere = {address for name in restart_ranges.TESTED for address in restart_ranges.late(kernel, name)}
    beyond = [f"{address:#x}" for address in found.lost if address not in anywhere]
    if beyond:
        yield f"without redirection wake-ups were lost at {', '.join(beyond)}, behind no test of hazards"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=lambda path: pathlib.Path(path).resolve(), required=True)
    parser.add_argument("--timeout", type=float, default=240)
    args = parser.parse_args()
    kernel = args.build / "hypervisor"
    with tempfile.TemporaryDirectory(prefix="hedron-sweep.") as name:
        folder = pathlib.Path(name)
        serial = boot(args, kernel, "trace=1", folder)
        complaints = list(judge(kernel, serial))
        without = boot(args, blunted(kernel, folder), "trace=1 brief=1 test=out_and_in_again,an_exit,a_first_entry", folder)
        complaints += judge_blunted(kernel, without)
    if complaints:
        print(f"--- serial line ---\n{serial}\n--- without redirection ---\n{without}\n---")
        sys.exit("\n".join(f"FAIL: {complaint}" for complaint in complaints))
    print("PASS")


if __name__ == "__main__":
    main()
