#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Bounds and kinds without branches (docs/design/speculation.md), looked for in the kernel's machine code.

Follows what user land and guests choose (arguments of hypercalls, registers of ECs and vCPUs, UTCBs and state pages, what VMREAD
tells) through registers and stack along every branch and call. Branches do not count as checks. Complains about

- a number of theirs in an address, or as the count of a string instruction, that no mask, shift or CMOV has bounded;
- a capability from the window that is used as a pointer before CMOVs have replaced an empty one, and then one of another kind,
  by kobject_nothing.

Values that went through other memory are lost sight of. Before it looks at the kernel it has to find the faults in PLANTED.
"""

import argparse
import collections
import pathlib
import re
import subprocess
import sys
import tempfile

# Who gets something of user land's, and in which registers. E: an EC, V: a vCPU, T: theirs to choose.
ROOTS = {
    "entry_fastcall": {"rdi": "T", "rsi": "T", "rdx": "T", "rax": "T", "r8": "T"},
    "syscall_dispatch": {"rdi": "T", "rsi": "T", "rdx": "T", "rcx": "E", "r8": "T"},
    "ipc_call": {"rdi": "T", "rsi": "E"},
    "ipc_reply": {"rdi": "T", "rsi": "E"},
    "exception_raise": {"rsi": "E"},
    "vmx_exit": {"rsi": "V"},
    "vmx_entry_failed": {"rsi": "V"},
    "arch_vcpu_run": {"rsi": "E"},
}
# The same as code: each fault that is planted has a label that begins with bad_, and `and $7` is what makes it good.
PLANTED = """
    .globl entry_fastcall
entry_fastcall:
    mov %rdi, %rax; cmp $9, %rax; ja 9f
bad_branch_only: mov table(, %rax, 8), %rcx
    mov %rsi, %rdx; cmp $0x4000000, %rdx; cmovae %r11, %rdx; mov table(, %rdx, 8), %rcx
    mov %rsi, %rdx; cmp $64, %rdx; sbb %rcx, %rcx; and %rcx, %rdx; mov table(, %rdx, 8), %rcx
    and $7, %eax; mov table(, %rax, 8), %rcx
    mov %esi, %ecx; shr $25, %ecx; mov table(, %rcx, 8), %rax
    mov %esi, %ecx; shr $8, %ecx
bad_shift: mov table(, %rcx, 8), %rax
    mov %rsi, %rcx
bad_count: rep movsq
    movabs $WINDOW, %r11; mov %rdi, %rcx; shr $12, %rcx; cmp $0x4000000, %rcx; cmovae %r11, %rcx; shl $5, %rcx
    mov (%r11, %rcx), %rcx; test $1, %cl; je 9f; and $-64, %rcx
bad_may_be_null: cmpb $5, (%rcx)
    jne 9f
bad_kind: mov 0x28(%rcx), %rax
    test $1, %cl; cmovz kobject_nothing(%rip), %rcx; cmpb $5, (%rcx); cmovne kobject_nothing(%rip), %rcx; jne 9f
    mov 0x28(%rcx), %rax
    push %rdi; sub $8, %rsp; call callee; add $8, %rsp; pop %rdx
bad_spilled: incl table(%rdx)
9:  ret
callee:
    cmp $9, %rdi; ja 9f
bad_in_callee: mov table(, %rdi, 8), %rax
9:  ret
    .globl ipc_call
ipc_call:
    mov EC_RAX(%rsi), %rax
bad_register: mov table(, %rax, 8), %rcx
    mov EC_UTCB(%rsi), %rdx; mov 8(%rdx), %eax
bad_word: mov table(, %rax, 8), %rcx
    mov EC_RIP(%rsi), %rax; jmp tail
tail:
bad_after_jump: mov %rcx, table(, %rax, 8)
    ret
    .globl vmx_exit
vmx_exit:
    vmread %rax, %rcx
bad_vmread: mov table(, %rcx, 8), %rcx
    mov VCPU_STATE(%rsi), %rcx; movzbl 16(%rcx), %eax; mov table(, %rax, 8), %rax
    mov 16(%rcx), %rax
bad_state: mov table(, %rax, 8), %rax
    ret
    .data
kobject_nothing: .quad 0
table: .quad 0
"""

SMALL = 16  # bits: a number of so many is meant to be bounded
NOTHING = "<kobject_nothing>"
REGISTERS = {}
for _legacy in ("ax", "bx", "cx", "dx", "si", "di", "bp", "sp"):
    for _name, _bits in (("r" + _legacy, 64), ("e" + _legacy, 32), (_legacy, 16),
                         (_legacy[0] + "l" if _legacy.endswith("x") else _legacy + "l", 8)):
        REGISTERS[_name] = ("r" + _legacy, _bits)
    if _legacy.endswith("x"):
        REGISTERS[_legacy[0] + "h"] = ("r" + _legacy, 8)
for _number in range(8, 16):
    for _suffix, _bits in (("", 64), ("d", 32), ("w", 16), ("b", 8)):
        REGISTERS[f"r{_number}{_suffix}"] = (f"r{_number}", _bits)

PRESERVING = ("<tlb_refresh_wrapper>",)  # functions that leave all registers alone
NO_RETURN = ("<arch_dispatch>", "<arch_return_trap>", "<panic>")
CLOBBERED = ("rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11")
KEEPS_FLAGS = re.compile(r"(mov|lea|push|pop|cmov|set|j|nop|not|lfence|mfence|vmread)")
LINE = re.compile(r"^\s*([0-9a-f]+):\t(.*)$")
SYMBOL = re.compile(r"^([0-9a-f]+) <(.+)>:$")
MEMORY = re.compile(r"^\*?(?:%[c-g]s:)?(-?0x[0-9a-f]+|-?\d+)?\((%\w+)?(?:,(%\w+)(?:,(\d))?)?\)$")
PREFIXES = ("lock", "rep", "repz", "repnz", "cs", "ds", "es", "notrack", "data16", "bnd")
NONE = frozenset()

Insn = collections.namedtuple("Insn", "prefixes op operands note")


def split(text):
    """Operands at the commas that are not in parentheses."""
    found, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if c == "," and not depth:
            found.append(text[start:i])
            start = i + 1
    return found + [text[start:]] if text else []


def parse(text):
    text, _, note = text.partition("#")
    words = text.split(None)
    prefixes = []
    while words and words[0] in PREFIXES:
        prefixes.append(words.pop(0))
    rest = " ".join(words[1:])
    target = re.search(r"<[^>]+>", rest)
    if target:
        rest = rest.replace(target[0], "").strip()
    return Insn(tuple(prefixes), words[0] if words else "nop", split(rest.replace(" ", "")),
                note + (target[0] if target else ""))


class Code:
    """The instructions of a file by address, in order, and its symbols."""

    def __init__(self, objdump, file):
        text = subprocess.run([objdump, "-d", "-w", "--no-show-raw-insn", file], check=True, capture_output=True,
                              text=True).stdout
        self.insns, self.names = {}, {}
        for line in text.splitlines():
            if found := SYMBOL.match(line):
                self.names[int(found[1], 16)] = found[2]
            elif found := LINE.match(line):
                self.insns[int(found[1], 16)] = parse(found[2])
        order = sorted(self.insns)
        self.following = dict(zip(order, order[1:]))
        self.where, name = {}, "?"
        for address in order:
            name = self.names.get(address, name)
            self.where[address] = name

    def address(self, name):
        return next((a for a, n in self.names.items() if n == name), None)

    def is_function(self, address):
        return address in self.names and ".cold" not in self.names[address]


class State:
    """What registers and stack slots may hold; the flags, if they are worth remembering."""

    def __init__(self, regs=None, slots=None, depth=0, flags=None):
        self.regs, self.slots, self.depth, self.flags = dict(regs or {}), dict(slots or {}), depth, flags

    def copy(self):
        return State(self.regs, self.slots, self.depth, self.flags)

    def entry(self):
        """Of a function that is called: it looks at no stack and at none of the registers that it preserves."""
        return State({r: tags for r, tags in self.regs.items() if r in CLOBBERED})

    def merge(self, other):
        """True if there is something new."""
        before = (dict(self.regs), dict(self.slots), self.flags)
        for mine, others in ((self.regs, other.regs), (self.slots, other.slots)):
            for key, tags in others.items():
                mine[key] = mine.get(key, NONE) | tags
        if self.flags != other.flags:
            self.flags = None
        return before != (self.regs, self.slots, self.flags)

    def get(self, name):
        return self.regs.get(REGISTERS[name.lstrip("%")][0], NONE)

    def set(self, name, tags):
        self.regs[REGISTERS[name.lstrip("%")][0]] = frozenset(tags)


def number(text):
    return int(text, 0)


def signed(value):
    value &= 2**64 - 1
    return value - 2**64 if value >> 63 else value


def is_register(operand):
    return operand.startswith("%") and operand[1:] in REGISTERS


def bits_of(insn, operand):
    if is_register(operand):
        return REGISTERS[operand[1:]][1]
    return {"b": 8, "w": 16, "l": 32, "q": 64}.get(insn.op[-1], 64)


class Search:
    def __init__(self, code, layout):
        self.code, self.layout = code, layout
        self.states, self.todo, self.found = {}, [], {}

    def run(self):
        for name, tags in ROOTS.items():
            address = self.code.address(name)
            if address is not None:
                self.flow(address, State({r: frozenset(t) for r, t in tags.items()}))
        while self.todo:
            address = self.todo.pop()
            self.step(address, self.states[address].copy())
        return self.found

    def flow(self, address, state):
        if address not in self.code.insns:
            return
        if self.code.is_function(address):
            state = state.entry()
        if address not in self.states:
            self.states[address] = state.copy()
            self.todo.append(address)
        elif self.states[address].merge(state):
            self.todo.append(address)

    # ---- memory ----

    def slot(self, state, operand):
        """The key of a word on the stack, or None."""
        m = MEMORY.match(operand)
        if m and m[2] == "%rsp" and not m[3]:
            return state.depth + number(m[1] or "0")
        return None

    def complain(self, address, what):
        self.found.setdefault(address, what)

    def visit(self, address, insn, state, operand):
        """An operand in memory: may its address be theirs?"""
        m = MEMORY.match(operand)
        if not m:
            return
        for register in (m[2], m[3]):
            tags = state.get(register) if register and is_register(register) else NONE
            if "T" in tags:
                self.complain(address, f"{register} is theirs to choose, and not bounded")
            is_kind = insn.op == "cmpb" and insn.operands[0].startswith("$") and not number(m[1] or "0")
            if "C0" in tags:
                self.complain(address, f"{register} may be an empty capability")
            elif "C1" in tags and not is_kind:
                self.complain(address, f"{register} may be an object of another kind")

    def loaded(self, state, operand, bits):
        """What a word in memory may be."""
        key = self.slot(state, operand)
        if key is not None:
            return state.slots.get(key, NONE)
        m = MEMORY.match(operand)
        if not m:
            return NONE
        at = number(m[1] or "0")
        tags = set()
        for register in (m[2], m[3]):
            tags |= state.get(register) if register and is_register(register) else NONE
        if "W" in tags:
            return frozenset({"C0"})
        found = set()
        if "E" in tags:
            if at == self.layout["EC_UTCB"]:
                found.add("U")
            elif self.layout["EC_RAX"] <= at <= self.layout["EC_CR2"]:
                found.add("T")
        if "V" in tags:
            if at == self.layout["VCPU_STATE"]:
                found.add("U")
            elif self.layout["VCPU_RAX"] <= at <= self.layout["VCPU_R15"]:
                found.add("T")
        if "U" in tags:
            found.add("T")
        return frozenset(found) if bits > SMALL else NONE

    def value(self, state, operand, bits):
        if operand.startswith("$"):
            return frozenset("W") if number(operand[1:]) == self.layout["OBJ_WINDOW"] else NONE
        if is_register(operand):
            tags = state.get(operand)
            return tags if bits > SMALL else tags - {"T"}
        return self.loaded(state, operand, bits)

    # ---- instructions ----

    def step(self, address, insn_state):
        insn, state = self.code.insns[address], insn_state
        op, operands = insn.op, insn.operands
        if not op.startswith(("lea", "nop", "invlpg")): # these do not access what they name
            for operand in operands:
                self.visit(address, insn, state, operand)
        if op.startswith(("movs", "stos", "lods", "cmps", "scas")) and insn.prefixes and "T" in state.get("%rcx"):
            self.complain(address, "the count is theirs to choose, and not bounded")
        if op.startswith("j"):
            return self.jump(insn, address, state)
        if op.startswith("call"):
            return self.call(insn, address, state)
        if op.startswith(("ret", "iret", "sysret", "ud2")):
            return None
        self.change(insn, state)
        return self.flow(self.code.following.get(address), state)

    def jump(self, insn, address, state):
        if not insn.operands[0].startswith("*"):
            self.flow(int(insn.operands[0], 16), state)
        if insn.op not in ("jmp", "jmpq"):
            self.flow(self.code.following.get(address), state)

    def call(self, insn, address, state):
        if not insn.operands[0].startswith("*"):
            self.flow(int(insn.operands[0], 16), state)
        if any(name in insn.note for name in PRESERVING):
            return self.flow(self.code.following.get(address), state)
        if any(name in insn.note for name in NO_RETURN):
            return None
        for register in CLOBBERED:
            state.set(register, NONE)
        state.flags = None
        return self.flow(self.code.following.get(address), state)

    def change(self, insn, state):
        op, operands = insn.op, insn.operands
        if not operands:
            if op in ("rdtsc", "xgetbv", "rdmsr", "cpuid"):
                for register in ("rax", "rdx") + (("rbx", "rcx") if op == "cpuid" else ()):
                    state.set(register, NONE)
            return
        if op.startswith(("cmp", "test")) and not op.startswith("cmpxchg"):
            state.flags = (op[:3], *operands)
            return
        if op.startswith("cmov"):
            self.choose(insn, state)
            return
        if op.startswith("push"):
            state.depth -= 8
            state.slots[state.depth] = self.value(state, operands[0], 64)
        elif op.startswith("pop"):
            if is_register(operands[0]):
                state.set(operands[0], state.slots.get(state.depth, NONE))
            state.depth += 8
        elif operands[-1] == "%rsp":
            self.move_stack(insn, state)
        else:
            self.compute(insn, state)
        self.forget_flags(insn, state)

    def move_stack(self, insn, state):
        if insn.op.startswith(("add", "sub")) and insn.operands[0].startswith("$"):
            by = signed(number(insn.operands[0][1:]))
            state.depth += by if insn.op.startswith("add") else -by
        else:
            state.slots, state.depth = {}, 0

    def forget_flags(self, insn, state):
        """Of what was compared, too, when it changes."""
        if not KEEPS_FLAGS.match(insn.op) and not insn.op.startswith("sbb"):
            state.flags = None
        elif state.flags and is_register(insn.operands[-1]):
            changed = REGISTERS[insn.operands[-1][1:]][0]
            names = [n for n in re.findall(r"%(\w+)", " ".join(state.flags[1:])) if n in REGISTERS]
            if any(REGISTERS[n][0] == changed for n in names):
                state.flags = None

    def first_byte(self, operand, register):
        """RBP and R13 have no addresses without a displacement."""
        return operand in (f"({self.wide(register)})", f"0x0({self.wide(register)})")

    def choose(self, insn, state):
        """CMOV: of an empty capability or another kind, kobject_nothing; of two numbers, the smaller; else either."""
        source, dest = insn.operands
        tags, flags = state.get(dest), state.flags
        condition = insn.op[4:]
        if NOTHING in insn.note:
            if condition in ("e", "z") and flags and flags[0] == "tes":
                state.set(dest, {"C1" if t == "C0" else t for t in tags})
            elif condition in ("ne", "nz") and flags and flags[0] == "cmp" and self.first_byte(flags[2], dest):
                state.set(dest, tags - {"C0", "C1"})
            return
        other = self.value(state, source, 64)
        if flags and flags[0] == "cmp":
            low, high = flags[1], flags[2]  # compared: high - low
            bounded = low.startswith("$") and self.same(high, dest) and condition in ("a", "ae")
            smaller = ((self.same(low, source) and self.same(high, dest) and condition in ("a", "ae")) or
                       (self.same(low, dest) and self.same(high, source) and condition in ("b", "be")))
            if bounded:
                state.set(dest, other - {"T", "W"})
                return
            if smaller:
                state.set(dest, tags & other)
                return
        state.set(dest, tags | other)

    @staticmethod
    def wide(register):
        return "%" + REGISTERS[register[1:]][0]

    def same(self, a, b):
        return is_register(a) and is_register(b) and self.wide(a) == self.wide(b)

    def compute(self, insn, state):
        op, operands = insn.op, insn.operands
        dest, bits = operands[-1], bits_of(insn, operands[-1])
        if op.startswith("vmread"):
            tags = frozenset("T")
        elif op.startswith(("movz", "movs")) and len(operands) == 2:
            tags = self.value(state, operands[0], 8 if op[4] == "b" else 16 if op[4] == "w" else 32)
        elif op.startswith("mov"):
            tags = self.value(state, operands[0], bits)
        elif op.startswith("lea"):
            m = MEMORY.match(operands[0])
            tags = frozenset().union(*(state.get(r) for r in (m[2], m[3]) if r and is_register(r))) if m else NONE
            tags -= {"W"} if m and m[3] else set()
            tags = self.moved(tags, number(m[1] or "0")) if m and not m[3] else tags
        elif op.startswith("add") and operands[0].startswith("$"):
            tags = self.moved(self.value(state, dest, bits) - {"M"}, signed(number(operands[0][1:])))
        elif op.startswith(("xor", "sub")) and len(operands) == 2 and operands[0] == operands[1]:
            tags = NONE
        elif op.startswith("sbb") and operands[0] == operands[1]:
            tags = frozenset("M")
        elif op.startswith("and"):
            tags = self.masked(insn, state, bits)
        elif op.startswith("shr") and len(operands) == 2 and operands[0].startswith("$"):
            tags = self.value(state, dest, bits)
            tags -= {"T"} if bits - number(operands[0][1:]) <= SMALL else set()
        elif op.startswith(("set", "rdfsbase", "rdgsbase", "rdrand", "xchg", "xadd", "popcnt", "bsf", "bsr", "tzcnt", "lzcnt")):
            tags = NONE
        else:
            tags = frozenset().union(*(self.value(state, o, bits) for o in operands)) - {"M"}
        self.store(state, dest, tags)

    def moved(self, tags, by):
        """Of a pointer so many bytes further on. Behind the registers of an EC or a vCPU there is nothing of theirs."""
        return tags - {tag for tag, last in (("E", "EC_CR2"), ("V", "VCPU_R15")) if by > self.layout[last]}

    def masked(self, insn, state, bits):
        mask, dest = insn.operands
        tags = self.value(state, dest, bits)
        if mask.startswith("$"):
            value = signed(number(mask[1:]))
            return tags - {"T"} if 0 <= value < 2**26 else tags
        other = self.value(state, mask, bits)
        if "M" in tags | other:
            return NONE
        return tags | other

    def store(self, state, dest, tags):
        if is_register(dest):
            state.set(dest, tags)
        elif (key := self.slot(state, dest)) is not None:
            state.slots[key] = tags


def layout_of(header, window):
    """Offsets from asm_offsets.h."""
    found = dict(re.findall(r"^#define (\w+) (-?\d+)$", header.read_text(), re.M))
    return {name: int(value) for name, value in found.items()} | {"OBJ_WINDOW": window}


def window_of(header):
    return int(re.search(r"^#define PD_PRIVATE (0x[0-9a-f]+)", header.read_text(), re.M)[1], 16)


def find_planted(args, layout):
    """What is wrong with the search itself."""
    with tempfile.TemporaryDirectory() as folder:
        source, binary = pathlib.Path(folder, "planted.s"), pathlib.Path(folder, "planted.o")
        text = PLANTED.replace("WINDOW", hex(layout["OBJ_WINDOW"]))
        for name in ("EC_RAX", "EC_RIP", "EC_UTCB", "VCPU_STATE"):
            text = text.replace(f"{name}(", f"{layout[name]}(")
        source.write_text(text)
        subprocess.run([args.cc, "-c", "-o", binary, source], check=True)
        subprocess.run([args.cc, "-nostdlib", "-no-pie", "-static", "-Wl,-e,entry_fastcall", "-Wl,--build-id=none", "-o",
                        binary.with_suffix(".elf"), binary], check=True)
        code = Code(args.objdump, binary.with_suffix(".elf"))
    found = {code.where[a] if code.names.get(a) else f"{code.where[a]}+" for a in Search(code, layout).run()}
    planted = {n for n in code.names.values() if n.startswith("bad_")}
    return [f"planted and not found: {n}" for n in sorted(planted - found)] + \
           [f"found where all is well: behind {n}" for n in sorted(found - planted)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objdump", default="objdump")
    parser.add_argument("--cc", default="gcc", help="who assembles and links what is planted")
    parser.add_argument("--layout", required=True, type=pathlib.Path, help="mm/layout.h")
    parser.add_argument("--offsets", required=True, type=pathlib.Path, help="asm_offsets.h")
    parser.add_argument("kernel", type=pathlib.Path)
    args = parser.parse_args()
    layout = layout_of(args.offsets, window_of(args.layout))
    complaints = find_planted(args, layout)
    code = Code(args.objdump, args.kernel)
    complaints += [f"{name} is not in the kernel" for name in ROOTS if code.address(name) is None]
    search = Search(code, layout)
    for address, what in sorted(search.run().items()):
        insn = code.insns[address]
        complaints.append(f"{address:x} {code.where[address]}: {insn.op} {', '.join(insn.operands)}: {what}")
    if complaints:
        sys.exit("\n".join(f"FAIL: {text}" for text in complaints))
    print(f"PASS: {len(search.states)} instructions that user land and guests may have something in")


if __name__ == "__main__":
    main()
