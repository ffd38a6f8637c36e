#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Every instruction of the kernel that leads to user mode, into a guest or to sleep lies in a restart range, a row of the table in
the image, where an NMI that sets a hazard makes the exit start over (entry/restart.h), or it is one of those named here, with the
reason why it need not.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

import restart_ranges

EXITS = re.compile(r"(sysret|sysexit|iret|lret|retf)[lqw]?|vmresume|vmlaunch|vmrun|hlt|mwaitx?|umwait|tpause")
TO_KERNEL, END = "goes on in the kernel, which looks at the hazards later", "never comes back"
HELD_BACK = "the global interrupt flag is clear since the look at the hazards; an NMI exits before the guest's first instruction"
# {(function, instruction): why an NMI may hit before it}. The compiler decides where inline functions go.
ALLOWED = {
    ("entry_nested", "iretq"): TO_KERNEL,
    ("entry_irq_nested", "iretq"): TO_KERNEL,
    ("entry_nmi", "iretq"): "an NMI's own, or goes on in the kernel: events of user code are the dispatcher's",
    ("entry_own_stack", "iretq"): "goes on in the kernel: events of user code are the dispatcher's",
    ("unblock_nmis", "iretq"): TO_KERNEL,
    ("exit_kick", "iretq"): "goes to the start of restart_vm_entry",
    ("vmx_event_exit", "iretq"): "goes to the start of restart_vm_entry",
    ("enter", "vmrun"): HELD_BACK,
    ("svm_run_halted", "vmrun"): HELD_BACK,
    ("svm_timer_interrupt", "iretq"): TO_KERNEL,
    ("svm_nmi_come", "iretq"): TO_KERNEL,
    ("svm_nmi_machine_check", "iretq"): TO_KERNEL,
    ("ap_main", "hlt"): END,
    ("smp_own_stack", "hlt"): END,
    ("panic", "hlt"): END,
    ("trap_fatal", "hlt"): END,
    ("follow_orders", "hlt"): END,
    ("arch_halt_others", "hlt"): END,
    ("nmi_halt_if_ordered", "hlt"): END,
}
PLANTED = ("iretq", "sysretq", "lretq", "vmresume", "vmlaunch", "hlt", "mwait")
CODE, FUNCTION = re.compile(r"^\s*([0-9a-f]+):\t(.*)"), re.compile(r"^[0-9a-f]+ <(.+)>:$")


def exits(image):
    """
    [(address, function, instruction)] of those that leave the kernel. Code from before the first user, which is 16 and 32 bits wide
    in parts, has a section of its own.
    """
    function, found = "", []
    for line in restart_ranges.disassemble(image, "-j", ".text").splitlines():
        if name := FUNCTION.match(line):
            function = name[1]
        elif code := CODE.match(line):
            found += [(int(code[1], 16), function, word) for word in code[2].split() if EXITS.fullmatch(word)]
    return found


def strays(found, within):
    """Those that are in no restart range and not named."""
    for address, function, word in found:
        if not any(start <= address < end for start, end in within) and (function, word) not in ALLOWED:
            yield f"{word} at {address:#x} in {function} is in no restart range"


def judge(found, within):
    yield from strays(found, within)
    there = {(function, word) for _, function, word in found}
    for function, word in sorted(set(ALLOWED) - there):
        yield f"{function} has no {word} any more"
    for name, (start, end) in zip(restart_ranges.TESTED, within):
        if not any(start <= address < end for address, _, _ in found):
            yield f"{name} has no way out"


def check_detection(found, within, folder):
    """Whether each kind is found where it does not belong, and each way out of a restart range that ends too early."""
    source, planted = folder / "planted.S", folder / "planted.o"
    source.write_text("planted:\n" + "".join(f"\tnop\n\t{word}\n" for word in PLANTED))
    subprocess.run(["gcc", "-c", "-o", str(planted), str(source)], check=True)
    seen = list(strays(exits(planted), within))
    if len(seen) != len(PLANTED):
        yield f"of {len(PLANTED)} planted instructions {len(seen)} were found: {seen}"
    for name, (start, end) in zip(restart_ranges.TESTED, within):
        for address in (address for address, _, _ in found if start <= address < end):
            if not any(f"{address:#x}" in text for text in strays(found, [(start, address)])):
                yield f"{name} may end before {address:#x} and nobody notices"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    image = parser.parse_args().build / "hypervisor"
    try:
        found, within = exits(image), restart_ranges.limits(image)
    except ValueError as error:  # the table does not fit its labels
        sys.exit(f"FAIL: {error}")
    complaints = list(judge(found, within))
    with tempfile.TemporaryDirectory(prefix="hedron-exits.") as name:
        complaints += check_detection(found, within, pathlib.Path(name))
    if complaints:
        sys.exit("\n".join(f"FAIL: {complaint}" for complaint in complaints))
    print(f"PASS: {len(found)} ways out, {len(ALLOWED)} of them named")


if __name__ == "__main__":
    main()
