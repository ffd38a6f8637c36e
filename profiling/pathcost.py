#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
What a path through the kernel costs besides executed instructions: runs a suite of benchmarks in an emulator, traces one
operation of each case, and counts its instructions by symbol and the expensive ones by kind. Fails if a path exceeds its budget.
"""

import argparse
import json
import os
import pathlib
import sys

import decode
import elf
import model
import path
import report
import source
import suite

HERE = pathlib.Path(__file__).resolve().parent
EXCEEDED, USAGE, INVALID, SKIPPED = 1, 2, 4, 77

EXAMPLES = """\
examples:
  pathcost.py                             the paths that have a budget, in QEMU; fails if one is exceeded
  pathcost.py --emulator bochs            the same in Bochs, whose extended state is like that of a real CPU
  pathcost.py --case call_reply_cross --symbols
                                          every case whose name begins so, symbol by symbol
  pathcost.py --case null --steps         each instruction of a null hypercall
  pathcost.py --case "" --json all.json   all cases of the suite, also for programs
  pathcost.py --json old.json             before a change; and after it, what it did to which function:
  pathcost.py --against old.json
  pathcost.py --suite vmexit --emulator bochs
                                          round trips of VM exits
  pathcost.py --weights mine.json         cycles of another microarchitecture (profiling/README.md)

exit codes: 0 all is well; 1 a budget is exceeded; 2 wrong usage, or a file of weights or budgets is wrong; 4 there is no valid
result; 77 this machine or kernel can do none of the cases
"""


def arguments():
    parser = argparse.ArgumentParser(prog="pathcost.py", description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent / "build/release", metavar="FOLDER",
                        help="with hypervisor and roottasks (default: build/release)")
    parser.add_argument("--suite", default="ipc", metavar="NAME",
                        help="a roottask with benchmarks, or a file of budgets for one (default: ipc)")
    parser.add_argument("--emulator", choices=("qemu", "bochs"), default="qemu", help="(default: qemu)")
    parser.add_argument("--cpu", default="", metavar="MODEL",
                        help="CPU model; budgets are only judged with the default (max in QEMU, tigerlake in Bochs)")
    parser.add_argument("--case", metavar="PREFIX,...", help="cases to trace; an empty text: all (default: those with a budget)")
    parser.add_argument("--weights", metavar="NAME", help="one of profiling/weights, or a file (default: what the budgets name)")
    parser.add_argument("--symbols", action="store_true", help="show each path symbol by symbol")
    parser.add_argument("--steps", action="store_true", help="show each path instruction by instruction")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the result to a file, too")
    parser.add_argument("--against", type=pathlib.Path, metavar="FILE", help="show what changed since a file of --json")
    parser.add_argument("--tighten", action="store_true",
                        help="lower the budgets to what these paths execute now, and 5%% of cycles above; nothing is raised")
    parser.add_argument("--timeout", type=float, default=120, metavar="SECONDS", help="for the emulator (default: %(default)g)")
    parser.add_argument("--kinds", action="store_true", help="explain the names of expensive instructions, and end")
    return parser.parse_args()


def chosen(text, budgets):
    """Prefixes of the cases to trace."""
    return budgets.cases() if text is None else tuple(name for name in text.split(",") if name)


def with_budget(found, skipped, budgets):
    """Those of the cases that have a budget, and all of them."""
    found = [one for one in found if one.name in budgets]
    skipped = {name: why for name, why in skipped.items() if name in budgets}
    missing = budgets.keys() - {one.name for one in found} - skipped.keys()
    if missing:
        raise suite.RunError(f"there is a budget, but no measurement: {', '.join(sorted(missing))}")
    return found, skipped


def analyse(traced, symbols):
    """An exit without an instruction, such as a timer's, is a tick more of the clock."""
    found = path.analyse(traced.name, traced.steps, *symbols)
    if not 0 <= traced.measured - found.total <= found.kinds()["vmentry"]:
        raise path.TraceError(f"{found.total} instructions were traced, but {traced.measured} measured")
    return found


def measure(args, budgets):
    """[Path] of the cases that were asked for; without a choice, of those with a budget. And {name: why} of those left out."""
    run = suite.Run(args.build, budgets.roottask, chosen(args.case, budgets), args.emulator, args.cpu, args.timeout)
    found, left_out = suite.trace(run)
    symbols = elf.Symbols(args.build / "hypervisor"), elf.Symbols(args.build / budgets.roottask)
    if args.case is None and budgets.paths:
        found, left_out = with_budget(found, left_out, budgets.paths)
    paths = []
    for one in found:
        try:
            paths.append(analyse(one, symbols))
        except path.TraceError as error:
            if one.name in budgets.paths:
                raise suite.RunError(f"{one.name}: {error}") from None
            left_out[one.name] = str(error)
    return paths, left_out


def read_document(file, args):
    """An earlier result of the same emulator."""
    document = model.load(file)
    model.want(isinstance(document, dict) and "paths" in document, file, "this is no file of --json")
    model.want(document.get("emulator") == args.emulator, file, f"this is a result of {document.get('emulator')}")
    return document


def show(paths, left_out, weights, files, args):
    print(f"{args.emulator} {args.cpu or suite.CPU[args.emulator]}; cycles are an estimate with the weights {weights.name}\n")
    if args.symbols or args.steps:
        notes = source.Notes(paths, files) if args.steps else None
        for found in paths:
            rows = report.by_step(found, notes) if args.steps else report.by_symbol(found, weights)
            print("\n".join([found.name, *rows]), end="\n\n")
    print("\n".join(report.table(paths, weights)))
    for name, why in left_out.items():
        print(f"left out: {name}: {why}")


def verdict(paths, complaints, budgets, args):
    """Print what is exceeded; the exit code."""
    if args.cpu not in ("", suite.CPU[args.emulator]):
        print(f"\nno verdict: the budgets are those of the CPU {suite.CPU[args.emulator]}")
        return 0 if paths else SKIPPED
    bounded = [found for found in paths if found.name in budgets.paths]
    exceeded = [found for found in bounded if complaints[found.name]]
    print()
    for found in exceeded:
        print(f"EXCEEDED {found.name}: {'; '.join(complaints[found.name])}")
    rest = f"; {len(paths) - len(bounded)} without a budget" if len(paths) > len(bounded) else ""
    print(f"{len(bounded) - len(exceeded)} of {len(bounded)} paths with a budget keep to it{rest}")
    if exceeded:
        print(f"Where: --case {exceeded[0].name.partition('/')[2]} --steps")
    return EXCEEDED if exceeded else 0 if paths else SKIPPED


def check_tighten(args, budgets):
    """Only where what is measured is what budgets are about."""
    model.want(not args.cpu, args.suite, "budgets are not those of another CPU")
    model.want(budgets.file and args.emulator not in budgets.allowances, args.suite, f"no budgets to tighten with {args.emulator}")


def main():
    args = arguments()
    if args.kinds:
        print("\n".join(f"{kind:<10} {text}" for kind, text in decode.KINDS.items()))
        return 0
    try:
        budgets = model.find_budgets(args.suite)
        weights = model.find_weights(args.weights or budgets.weights)
        earlier = read_document(args.against, args) if args.against else None
        if args.tighten:
            check_tighten(args, budgets)
        paths, left_out = measure(args, budgets)
        complaints = {found.name: budgets.complaints(found, weights, args.emulator) for found in paths}
        document = report.document(paths, weights, args.emulator, complaints)
        if args.tighten:
            budgets.tighten(paths)
        if args.json:
            args.json.write_text(json.dumps(document, indent="\t") + "\n")
    except (model.DataError, OSError) as error:
        print(f"pathcost.py: {error}", file=sys.stderr)
        return USAGE
    except (suite.RunError, path.TraceError, elf.ElfError) as error:
        print(f"pathcost.py: {error}", file=sys.stderr)
        return INVALID
    show(paths, left_out, weights, [args.build / "hypervisor", args.build / budgets.roottask], args)
    if earlier:
        print("\n".join([f"\nsince {args.against}:", *report.differences(earlier, document)]))
    return verdict(paths, complaints, budgets, args)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:  # whoever reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(INVALID)
    except KeyboardInterrupt:
        sys.exit("pathcost.py: interrupted")
