# SPDX-License-Identifier: GPL-2.0-or-later
"""Paths as text and as JSON."""

import decode
import stacks

MODES = {"user": "user", "kernel": "", "guest": "guest"}
GAP = "  "


def columns(rows, left, last_left=False):
    """Rows of texts, aligned; the first `left` columns to the left, and maybe the last, the others to the right."""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    for row in rows:
        to_left = [n < left or last_left and n == len(row) - 1 for n in range(len(row))]
        cells = [text.ljust(width) if is_left else text.rjust(width) for text, width, is_left in zip(row, widths, to_left)]
        yield GAP.join(cells).rstrip()


def in_order(kinds):
    """(kind, count) as decode.KINDS lists them."""
    return [(kind, kinds[kind]) for kind in decode.KINDS if kinds.get(kind)]


def words(kinds):
    return ", ".join(f"{count} {kind}" for kind, count in in_order(kinds))


def cycles(weights, plain, kinds):
    return f"{weights.estimate(plain, kinds):.0f}"


def table(paths, weights):
    """All paths: instructions, accesses to memory, each kind that occurs, cycles."""
    used = [kind for kind in decode.KINDS if any(kind in found.kinds() for found in paths)]
    rows = [["path", "instr.", "loads", "stores", *used, "cycles"]]
    for found in paths:
        kinds = found.kinds()
        counts = [str(kinds[kind]) if kinds[kind] else "." for kind in used]
        numbers = map(str, (found.total, *found.accesses()))
        rows.append([found.name, *numbers, *counts, cycles(weights, found.plain(), kinds)])
    return list(columns(rows, 1))


def by_symbol(found, weights):
    """One path, symbol by symbol in the order of execution."""
    rows = [["instr.", "loads", "stores", "cycles", "symbol", "of these"]]
    for one in found.symbols():
        where = f"{one.symbol} ({MODES[one.mode]})" if MODES[one.mode] else one.symbol
        numbers = map(str, (one.instructions, one.loads, one.stores))
        rows.append([*numbers, cycles(weights, one.plain(), one.kinds), where, words(one.kinds)])
    widest = max(len(row[4]) for row in rows)
    for *numbers, symbol, text in rows:
        yield f"{''.join(f'{number:>8}' for number in numbers)}  {symbol:<{widest}}  {text}".rstrip()


def by_calls(found, weights):
    """One path as a tree of calls; each function with what it called."""
    yield f"{'instr.':>8}{'cycles':>8}  called"
    for depth, name, instructions, cost in stacks.tree(found, weights):
        yield f"{instructions:>8}{cost:>8.0f}  {'  ' * depth}{name}"


def by_step(found, notes, only_kinds=False):
    """One path, instruction by instruction, or the expensive ones of them. `notes` (source.Notes) knows what they are and where
    they come from."""
    last = None
    for step, mode, symbol, kind in found.steps:
        if only_kinds and not kind:
            continue
        if (mode, symbol) != last:
            yield f"{symbol}{f' ({MODES[mode]})' if MODES[mode] else ''}:"
            last = (mode, symbol)
        text = "" if kind == "event" else notes.text(step)
        yield f"  {step.address:016x}  {kind or '':<9}  {text:<52}  {notes.place(step)}".rstrip()


def of_symbol(one, weights):
    return {"symbol": one.symbol, "mode": one.mode, "instructions": one.instructions, "loads": one.loads, "stores": one.stores,
            "cycles": round(weights.estimate(one.plain(), one.kinds), 1), "kinds": dict(in_order(one.kinds))}


def of_path(found, weights, exceeded):
    loads, stores = found.accesses()
    return {"name": found.name, "instructions": found.total, "loads": loads, "stores": stores,
            "cycles": round(weights.estimate(found.plain(), found.kinds()), 1), "kinds": dict(in_order(found.kinds())),
            "symbols": [of_symbol(one, weights) for one in found.symbols()], "exceeded": exceeded}


def document(paths, weights, emulator, kernel, complaints):
    """All of it for programs. `complaints`: what paths exceed, by name; those that are not judged are not there."""
    return {"emulator": emulator, "kernel": kernel, "weights": weights.name,
            "paths": [of_path(found, weights, complaints.get(found.name, [])) for found in paths]}
