#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What layers_check.py has to find: small trees with one fault each, and one without."""

import pathlib
import tempfile

import layers_check
import tree

GOOD = {
    "kernel/lib/list.h": '#include "lib/types.h"\nvoid list_init(struct list *l);\n',
    "kernel/mm/page.c": '#include "mm/page.h"\n#include "arch/cpu.h"\n#include "lib/list.h"\n#include "platform/panic.h"\n',
    "kernel/core/ec.c": '#include "arch/switch.h"\n#include "space/pd.h"\n#include "trace/trace.h"\n',
    "kernel/arch/x86_64/boot/init.c": '#include "start/roottask.h"\n#include "cpu/desc.h"\n',
    "kernel/arch/trace.h": "static always_inline u64 arch_now(void);\n",
    "kernel/arch/host/trace_inline.h": "static always_inline u64 arch_now(void)\n{\n\treturn arch_old();\n}\n",
}
# File, text, and what the complaint says.
FAULTS = [
    ("kernel/lib/bits.h", '#include "platform/panic.h"\n', "above it"),
    ("kernel/lib/bits.h", '#include "arch/cpu.h"\n', "above it"),
    ("kernel/platform/uart.c", '#include "mm/page.h"\n', "above it"),
    ("kernel/mm/slab.h", '#include "core/percpu.h"\n', "above it"),
    ("kernel/mm/slab.c", '#include "arch/space.h"\n', "above it"),
    ("kernel/space/mdb.c", '#include "core/ec.h" /* why not */\n', "above it"),
    ("kernel/space/mdb.c", '#  include "arch/switch.h"\n', "above it"),
    ("kernel/core/sm.c", '#include "syscall/syscall.h"\n', "above it"),
    ("kernel/core/sm.c", '#include "cpu/fpu.h"\n', "inside of an architecture"),
    ("kernel/space/pd.h", "void list_init(struct list *l);\n", "declared in"),
    ("kernel/space/pd.h", "must_check enum status\nlist_init(struct list *l,\n\t  void (*f)(void)) printf_like(1, 2);\n",
     "declared in"),
    ("kernel/arch/host/cpu_inline.h", "u64 arch_now(void);\n", "declared in"),
]
OBJECTS = [
    ({"space/a.c.o": ("space", ({"space_a"}, {"kobject_unref", "mm_b", "arch_c"})),
      "core/reap.c.o": ("core", ({"kobject_unref"}, {"space_a"})),
      "mm/b.c.o": ("mm", ({"mm_b"}, set())), "arch/c.c.o": ("arch", ({"arch_c"}, {"ec_d"}))}, 0),
    ({"space/a.c.o": ("space", (set(), {"ec_d"})), "core/d.c.o": ("core", ({"ec_d"}, set()))}, 1),
]


def complaints_about(files):
    """What layers_check says of a tree with these files."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return layers_check.source_complaints(pathlib.Path(folder))[0]


def main():
    wrong = [f"without a fault: {text}" for text in complaints_about(GOOD)]
    for name, text, expected in FAULTS:
        found = complaints_about(GOOD | {name: text})
        if len(found) != 1 or expected not in found[0]:
            wrong.append(f"{name} with {text!r}: {found}")
    for objects, expected in OBJECTS:
        found = list(layers_check.call_complaints(objects))
        if len(found) != expected:
            wrong.append(f"objects: {found}")
    tree.report("faults of layers", wrong, len(FAULTS) + len(OBJECTS))


if __name__ == "__main__":
    main()
