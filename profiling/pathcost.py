#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a path through a kernel costs, and what differs between two kernels: the command. docs/pathcost.md is its manual."""

import json
import sys

import decode
import diff
import elf
import exits
import kernels
import measure
import model
import options
import path
import report
import source
import stacks
import suite


def is_judged(args):
    """Budgets are those of the kernel of this tree, on the CPU that they were made for."""
    return (not args.kernel or args.judge) and args.cpu in ("", suite.CPU[args.emulator])


def details(paths, show):
    """Lines about each path; `show` makes them."""
    return [line for found in paths for line in (found.name, *show(found), "")]


def chosen_details(paths, weights, files, args):
    """Those that were asked for."""
    if args.steps or args.costly:
        notes = source.Notes(paths, files)
        return details(paths, lambda found: report.by_step(found, notes, args.costly))
    if args.symbols or args.calls:
        return details(paths, lambda found: (report.by_calls if args.calls else report.by_symbol)(found, weights))
    return []


def verdict(paths, complaints, budgets, args):
    """Lines about what is exceeded."""
    if not is_judged(args):
        whose = "kernel of this tree" if args.kernel and not args.judge else f"CPU {suite.CPU[args.emulator]}"
        return [f"no verdict: the budgets are those of the {whose}"]
    if not budgets.paths:
        return [f"no verdict: there are no budgets for the suite {budgets.suite}"]
    bounded = [found for found in paths if found.name in budgets.paths]
    exceeded = [found.name for found in bounded if complaints[found.name]]
    lines = [f"EXCEEDED {name}: {'; '.join(complaints[name])}" for name in exceeded]
    rest = f"; {len(paths) - len(bounded)} without a budget" if len(paths) > len(bounded) else ""
    lines.append(f"{len(bounded) - len(exceeded)} of {len(bounded)} paths with a budget keep to it{rest}")
    return lines + ([f"Where: --case {exceeded[0].partition('/')[2]} --steps"] if exceeded else [])


def check_tighten(args, budgets):
    """Only where what is measured is what budgets are about."""
    model.want(not args.cpu and not args.kernel, args.suite, "budgets are not those of another CPU or kernel")
    model.want(budgets.file and args.emulator not in budgets.allowances, args.suite, f"no budgets to tighten with {args.emulator}")


def write(paths, weights, document, text, args):
    """The files that were asked for; adds a word about them to the text."""
    def put(file, lines):
        if file:
            file.write_text("\n".join([*lines, ""]))

    result = [json.dumps(document, indent="\t")]
    put(args.json, result)
    put(args.folded, stacks.folded(paths, weights, args.unit))
    if args.output:
        functions = details(paths, lambda found: report.by_symbol(found, weights))
        files = {"table.txt": text, "functions.txt": functions, "paths.json": result,
                 **{f"{unit}.folded": stacks.folded(paths, weights, unit) for unit in stacks.UNITS}}
        args.output.mkdir(parents=True, exist_ok=True)
        for name, lines in files.items():
            put(args.output / name, lines)
        text += ["", f"In {args.output}: {', '.join(files)}"]


def show_paths(args):
    """The command without a verb."""
    args.emulator = args.emulator or "qemu"
    budgets = model.find_budgets(args.suite)
    weights = model.find_weights(args.weights or budgets.weights)
    earlier = read_result(args.against, args) if args.against else None
    if args.tighten:
        check_tighten(args, budgets)
    kernel = measure.kernel_of(args)
    paths, left_out = measure.paths(kernel, args, budgets)
    complaints = {found.name: budgets.complaints(found, weights, args.emulator) for found in paths} if is_judged(args) else {}
    document = report.document(paths, weights, args.emulator, kernel.image.name, complaints)
    if args.tighten:
        budgets.tighten(paths)
    lines = [f"{args.emulator} {args.cpu or suite.CPU[args.emulator]}; cycles are an estimate with the weights {weights.name}", ""]
    lines += chosen_details(paths, weights, [kernel.symbols, args.build / budgets.roottask], args)
    lines += report.table(paths, weights)
    lines += [f"left out: {name}: {why}" for name, why in left_out.items()]
    if earlier:
        lines += ["", f"since {args.against}:", *diff.lines(earlier, document, weights, (args.against, "this run"))]
    lines += ["", *verdict(paths, complaints, budgets, args)]
    write(paths, weights, document, lines, args)
    print("\n".join(lines))
    return exits.EXCEEDED if any(complaints.values()) else 0 if paths else exits.SKIPPED


def read_result(file, args):
    """An earlier result of the same emulator."""
    document = diff.read(file)
    args.emulator = args.emulator or document["emulator"]
    model.want(document["emulator"] == args.emulator, file, f"this is a result of {document['emulator']}, not of {args.emulator}")
    return document


def trace_kernel(file, args, budgets, weights):
    """The document of a kernel; says what it cannot do."""
    paths, left_out = measure.paths(kernels.find(file), args, budgets)
    for name, why in left_out.items():
        print(f"left out of {file}: {name}: {why}")
    return report.document(paths, weights, args.emulator, file.name, {})


def is_kernel(file):
    with open(file, "rb") as stream:
        return stream.read(4) == b"\x7fELF"


def show_diff(args):
    """The command `diff`."""
    budgets = model.find_budgets(args.suite)
    weights = model.find_weights(args.weights or budgets.weights)
    files = args.old, args.new
    documents = {file: read_result(file, args) for file in files if not is_kernel(file)}
    args.emulator = args.emulator or "qemu"
    for file in files:
        if file not in documents:
            documents[file] = trace_kernel(file, args, budgets, weights)
    old, new = (documents[file] for file in files)
    print(f"{args.emulator}; cycles are an estimate with the weights {weights.name}\nA: {args.old}\nB: {args.new}\n")
    print("\n".join(diff.lines(old, new, weights, "AB")))
    worse = diff.costs_more(old, new, weights) if args.exit_code else []
    for name in worse:
        print(f"costs more: {name}")
    return exits.EXCEEDED if worse else 0


def main(words):
    try:
        if words[:1] == ["diff"]:
            return show_diff(options.for_diff(words[1:]))
        args = options.for_paths(words)
        if args.kinds:
            print("\n".join(f"{kind:<10} {text}" for kind, text in decode.KINDS.items()))
            return 0
        return show_paths(args)
    except BrokenPipeError:
        raise
    except (model.DataError, OSError) as error:
        print(f"pathcost.py: {error}", file=sys.stderr)
        return exits.USAGE
    except (suite.RunError, path.TraceError, elf.ElfError, kernels.KernelError) as error:
        print(f"pathcost.py: {error}", file=sys.stderr)
        return exits.INVALID


if __name__ == "__main__":
    exits.run(main, "pathcost.py")
