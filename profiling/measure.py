# SPDX-License-Identifier: GPL-2.0-or-later
"""From a kernel and a suite of benchmarks to paths: traces, checks that the trace is of what was measured, and of which kernel."""

import elf
import kernels
import path
import suite

ENOUGH = 0.5  # of the code that ran is that of the file: kernels replace some of it when they start


def kernel_of(args):
    """The Kernel to look at."""
    file = args.kernel or args.build / "hypervisor"
    if not args.kernel and not file.is_file():
        raise suite.RunError(f"{file} is missing: ./run build makes it")
    return kernels.find(file, args.symbol_file)


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


def check_symbols(traced, symbols):
    """That the kernel which ran is the one of the file."""
    ran = {step for one in traced for step in path.operation(one.steps) if path.is_kernel(step)}
    known = [step for step in ran if symbols.at(step.address) is not None]
    if ran and not known:
        raise elf.ElfError(f"{symbols.path}: no symbol is near what the kernel executed: it is not the file of this kernel")
    same = sum(symbols.code(step.address, len(step.code)) == step.code for step in known)
    if same < ENOUGH * len(known):
        raise elf.ElfError(f"{symbols.path}: its code is not that which ran: it is not the file of this kernel")


def analyse(traced, symbols, cpus):
    """An exit without an instruction (a timer's) is a tick more of the clock, which with several CPUs counts all of them."""
    found = path.analyse(traced.name, traced.steps, *symbols)
    if cpus == 1 and not 0 <= traced.measured - found.total <= found.kinds()["vmentry"]:
        raise path.TraceError(f"{found.total} instructions were traced, but {traced.measured} measured")
    return found


def paths(kernel, args, budgets):
    """[Path] of the cases that were asked for; without a choice, of those with a budget. And {name: why} of those left out."""
    roottask = (args.build / budgets.roottask).resolve()
    run = suite.Run(kernel, roottask, chosen(args.case, budgets), args.emulator, args.cpu, args.timeout,
                    cpus=budgets.cpus)
    symbols = elf.Symbols(kernel.symbols), elf.Symbols(roottask)
    traced, left_out = suite.trace(run)
    if args.case is None and budgets.paths:
        traced, left_out = with_budget(traced, left_out, budgets.paths)
    found = []
    for one in traced:
        try:
            found.append(analyse(one, symbols, budgets.cpus))
        except path.TraceError as error:
            if one.name in budgets.paths:
                raise suite.RunError(f"{one.name}: {error}") from None
            left_out[one.name] = str(error)
    done = {one.name for one in found}
    check_symbols([one for one in traced if one.name in done], symbols[0])
    return found, left_out
