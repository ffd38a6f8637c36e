# SPDX-License-Identifier: GPL-2.0-or-later
"""Paths as text and as JSON."""

import decode

MODES = {"user": "user", "kernel": "", "guest": "guest"}
GAP = "  "


def columns(rows, left):
    """Rows of texts, aligned; the first `left` columns to the left, the others to the right."""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    for row in rows:
        cells = [text.ljust(width) if n < left else text.rjust(width) for n, (text, width) in enumerate(zip(row, widths))]
        yield GAP.join(cells).rstrip()


def in_order(kinds):
    """(kind, count) as decode.KINDS lists them."""
    return [(kind, kinds[kind]) for kind in decode.KINDS if kinds.get(kind)]


def words(kinds):
    return ", ".join(f"{count} {kind}" for kind, count in in_order(kinds))


def cycles(weights, plain, kinds):
    return f"{weights.estimate(plain, kinds):.0f}"


def table(paths, weights):
    """All paths: instructions, each kind that occurs, cycles."""
    used = [kind for kind in decode.KINDS if any(kind in found.kinds() for found in paths)]
    rows = [["path", "instr.", *used, "cycles"]]
    for found in paths:
        kinds = found.kinds()
        counts = [str(kinds[kind]) if kinds[kind] else "." for kind in used]
        rows.append([found.name, str(found.total), *counts, cycles(weights, found.plain(), kinds)])
    return list(columns(rows, 1))


def by_symbol(found, weights):
    """One path, symbol by symbol in the order of execution."""
    rows = [["instr.", "cycles", "symbol", "of these"]]
    for mode, symbol, count, kinds in found.symbols():
        plain = count - sum(n for kind, n in kinds.items() if kind != "event")
        where = f"{symbol} ({MODES[mode]})" if MODES[mode] else symbol
        rows.append([str(count), cycles(weights, plain, kinds), where, words(kinds)])
    turned = [[symbol, text, count, cost] for count, cost, symbol, text in rows]
    widest = max(len(row[0]) for row in turned)
    for symbol, text, count, cost in turned:
        yield f"{count:>8}{cost:>8}  {symbol:<{widest}}  {text}".rstrip()


def by_step(found, notes):
    """One path, instruction by instruction. `notes` (source.Notes) knows what they are and where they come from."""
    last = None
    for step, mode, symbol, kind in found.steps:
        if (mode, symbol) != last:
            yield f"{symbol}{f' ({MODES[mode]})' if MODES[mode] else ''}:"
            last = (mode, symbol)
        text = "" if kind == "event" else notes.text(step)
        yield f"  {step.address:016x}  {kind or '':<9}  {text:<52}  {notes.place(step)}".rstrip()


def document(paths, weights, emulator, complaints):
    """The same for programs."""
    return {"emulator": emulator, "weights": weights.name, "paths": [{
        "name": found.name,
        "instructions": found.total,
        "cycles": round(weights.estimate(found.plain(), found.kinds()), 1),
        "kinds": dict(in_order(found.kinds())),
        "symbols": [{"symbol": symbol, "mode": mode, "instructions": count, "kinds": dict(in_order(kinds))}
                    for mode, symbol, count, kinds in found.symbols()],
        "exceeded": complaints[found.name],
    } for found in paths]}


def by_name(entry):
    """{(mode, symbol): (instructions, kinds)} of a path in a document."""
    return {(one["mode"], one["symbol"]): (one["instructions"], one["kinds"]) for one in entry["symbols"]}


def changed_kinds(old, new):
    """Words for the kinds whose counts differ."""
    return [f"{kind} {old.get(kind, 0)} -> {new.get(kind, 0)}" for kind in decode.KINDS if old.get(kind, 0) != new.get(kind, 0)]


def changed_path(old, new):
    """What changed in a path, symbol by symbol; nothing if it did not."""
    before, after = by_name(old), by_name(new)
    lines = []
    for key in {**before, **after}:
        (count, kinds), (now, kinds_now) = before.get(key, (0, {})), after.get(key, (0, {}))
        words = [f"{count} -> {now}"] if count != now else []
        words += changed_kinds(kinds, kinds_now)
        if words:
            lines.append(f"    {key[1]}: {', '.join(words)}")
    if lines:
        numbers = [f"{old[what]:g} -> {new[what]:g} {what}" for what in ("instructions", "cycles")]
        yield f"{new['name']}: {', '.join(numbers)}"
        yield from lines


def differences(old, new):
    """Between two documents. Cycles were estimated with the weights of their time."""
    before = {entry["name"]: entry for entry in old["paths"]}
    known = [entry for entry in new["paths"] if entry["name"] in before]
    lines = [line for entry in known for line in changed_path(before[entry["name"]], entry)]
    same = sum(not any(changed_path(before[entry["name"]], entry)) for entry in known)
    return [*lines, f"{same} of {len(known)} paths are what they were"]
