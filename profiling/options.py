# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line of pathcost.py."""

import argparse
import pathlib

import stacks

HERE = pathlib.Path(__file__).resolve().parent

ABOUT = """\
What a path through a kernel costs: runs a suite of benchmarks in an emulator, traces one operation of each case, and counts its
instructions, loads and stores by function and the expensive instructions by kind. Fails if a path exceeds its budget.
"""

EXAMPLES = """\
examples:
  pathcost.py                             the paths that have a budget, in QEMU; fails if one is exceeded
  pathcost.py --emulator bochs            the same in Bochs, whose extended state is like that of a real CPU
  pathcost.py --case call_reply_cross --symbols
                                          every case whose name begins so, function by function
  pathcost.py --case sm_up_wake --calls   the same as a tree of calls
  pathcost.py --case null --steps         each instruction of a null hypercall
  pathcost.py --costly                    each expensive instruction, with its line of the source
  pathcost.py --case "" --json all.json   all cases of the suite, also for programs
  pathcost.py --folded ipc.folded --unit cycles
                                          call stacks for a flame graph
  pathcost.py --kernel FILE               another kernel
  pathcost.py diff old/hypervisor new/hypervisor
                                          what differs between two kernels; pathcost.py diff --help
  pathcost.py --suite vmexit --emulator bochs
                                          round trips of VM exits
  pathcost.py --weights zen4              cycles of another microarchitecture (profiling/weights, or a file)

exit codes: 0 all is well; 1 a budget is exceeded; 2 wrong usage, or a file is wrong; 4 there is no valid result; 77 this machine or
kernel can do none of the cases
"""

DIFF = """\
What differs between two kernels, path by path and function by function: instructions, loads, stores, expensive instructions,
estimated cycles. A and B are kernels, which are traced, or results (files of --json).
"""

DIFF_EXAMPLES = """\
examples:
  pathcost.py diff old/hypervisor build/release/hypervisor
  pathcost.py diff before.json build/release/hypervisor --case ipc --exit-code

exit codes: 0 all is well; 1 with --exit-code: a path of B executes more instructions than in A or takes more cycles; 2 wrong usage,
or a file is wrong; 4 there is no valid result
"""


def parser(name, about, examples):
    return argparse.ArgumentParser(prog=name, description=about, epilog=examples,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)


def add_run(to):
    """What is run, where, and what its instructions are taken to cost."""
    to.add_argument("--build", type=pathlib.Path, default=HERE.parent / "build/release", metavar="FOLDER",
                    help="with roottasks and, without --kernel, the kernel (default: build/release)")
    to.add_argument("--suite", default="ipc", metavar="NAME",
                    help="a roottask with benchmarks, or a file of budgets for one (default: ipc)")
    to.add_argument("--emulator", choices=("qemu", "bochs"), help="(default: qemu)")
    to.add_argument("--cpu", default="", metavar="MODEL", help="CPU model (default: max in QEMU, tigerlake in Bochs)")
    to.add_argument("--case", metavar="PREFIX,...", help="cases to trace; \"\" traces all (default: those with a budget)")
    to.add_argument("--weights", metavar="NAME", help="one of profiling/weights, or a file (default: what the budgets name)")
    to.add_argument("--timeout", type=float, default=120, metavar="SECONDS", help="for the emulator (default: %(default)g)")


def for_paths(words):
    to = parser("pathcost.py", ABOUT, EXAMPLES)
    add_run(to)
    to.add_argument("--kernel", type=pathlib.Path, metavar="FILE",
                    help="a kernel of 64 bits, with symbols, that GRUB can boot; QEMU takes FILE.elf32 if that is there "
                         "(default: hypervisor of --build)")
    to.add_argument("--symbol-file", type=pathlib.Path, metavar="FILE", help="where the symbols are if they are not in --kernel")
    to.add_argument("--judge", action="store_true",
                    help="with --kernel: judge the budgets, too, which are those of the kernel of this tree")
    how = to.add_mutually_exclusive_group()
    how.add_argument("--symbols", action="store_true", help="show each path function by function")
    how.add_argument("--calls", action="store_true", help="show each path as a tree of calls")
    how.add_argument("--steps", action="store_true", help="show each path instruction by instruction")
    how.add_argument("--costly", action="store_true", help="the same, only the expensive instructions")
    to.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the result to a file, too")
    to.add_argument("--folded", type=pathlib.Path, metavar="FILE", help="write folded call stacks, for flame graphs")
    to.add_argument("--unit", choices=stacks.UNITS, default=stacks.UNITS[0], help="of --folded (default: %(default)s)")
    to.add_argument("--output", type=pathlib.Path, metavar="FOLDER",
                    help="write everything to a folder: text, JSON, folded call stacks")
    to.add_argument("--against", type=pathlib.Path, metavar="FILE", help="show what changed since a file of --json")
    to.add_argument("--tighten", action="store_true",
                    help="lower the budgets to what these paths execute now, and 5%% of cycles above; nothing is raised")
    to.add_argument("--kinds", action="store_true", help="explain the names of expensive instructions, and end")
    return to.parse_args(words)


def for_diff(words):
    to = parser("pathcost.py diff", DIFF, DIFF_EXAMPLES)
    to.add_argument("old", type=pathlib.Path, metavar="A", help="a kernel or a result")
    to.add_argument("new", type=pathlib.Path, metavar="B", help="a kernel or a result")
    add_run(to)
    to.add_argument("--exit-code", action="store_true", help="fail if B costs more than A on any path")
    return to.parse_args(words)
