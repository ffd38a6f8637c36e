# SPDX-License-Identifier: GPL-2.0-or-later
"""
Names the instructions that cost much more than others, from their bytes. Manual: SDM vol. 2, appendix A; APM vol. 3, appendix A.

Only 64-bit code is understood, which is all that the kernel and its user programs have.
"""

LEGACY_PREFIXES = frozenset(b"\x66\x67\xf2\xf3\x2e\x36\x3e\x26\x64\x65")
LOCK = 0xF0

# Kinds in the order in which they are shown, with what each stands for.
KINDS = {
    "syscall": "SYSCALL, SYSENTER",
    "sysret": "SYSRET, SYSEXIT",
    "event": "exception of user code (no instruction: the transition itself)",
    "int": "INT, INT3, INTO, INT1",
    "iret": "IRET",
    "swapgs": "SWAPGS",
    "cr3_write": "MOV to CR3",
    "cr0_write": "MOV to CR0, LMSW",
    "cr2_write": "MOV to CR2",
    "cr4_write": "MOV to CR4",
    "cr8_write": "MOV to CR8",
    "cr_read": "MOV from a control register, SMSW",
    "clts": "CLTS",
    "lock": "LOCK, XCHG with memory",
    "rdbase": "RDFSBASE, RDGSBASE",
    "wrbase": "WRFSBASE, WRGSBASE",
    "segment": "MOV to or POP of a segment register, far jumps, calls and returns",
    "xsave": "XSAVE, XSAVEOPT, XSAVEC, XSAVES, FXSAVE",
    "xrstor": "XRSTOR, XRSTORS, FXRSTOR",
    "xgetbv": "XGETBV",
    "xsetbv": "XSETBV",
    "rdmsr": "RDMSR",
    "wrmsr": "WRMSR",
    "rdtsc": "RDTSC, RDTSCP",
    "rdpmc": "RDPMC",
    "vmentry": "VMLAUNCH, VMRESUME, VMRUN, with the exit that follows",
    "vmread": "VMREAD",
    "vmwrite": "VMWRITE",
    "vmptr": "VMPTRLD, VMPTRST, VMCLEAR",
    "vmswitch": "VMXON, VMXOFF",
    "vmstate": "VMLOAD, VMSAVE",
    "gif": "STGI, CLGI",
    "invept": "INVEPT",
    "invvpid": "INVVPID",
    "invpcid": "INVPCID",
    "invlpg": "INVLPG, INVLPGA",
    "dr_read": "MOV from a debug register",
    "dr_write": "MOV to a debug register",
    "ltr": "LTR",
    "lldt": "LLDT",
    "lgdt": "LGDT",
    "lidt": "LIDT",
    "mfence": "MFENCE",
    "lfence": "LFENCE",
    "sfence": "SFENCE",
    "cacheline": "CLFLUSH, CLFLUSHOPT, CLWB",
    "wbinvd": "WBINVD, INVD",
    "pause": "PAUSE",
    "hlt": "HLT",
    "mwait": "MONITOR, MWAIT",
    "cpuid": "CPUID",
    "io": "IN, OUT, INS, OUTS",
    "cli": "CLI, STI",
    "popf": "POPF",
    "rep": "string instructions with REP",
    "div": "DIV, IDIV",
}

ONE_BYTE = {0xCF: "iret", 0xCC: "int", 0xCD: "int", 0xF1: "int", 0xF4: "hlt", 0xFA: "cli", 0xFB: "cli", 0x9D: "popf",
            0x8E: "segment", 0xCA: "segment", 0xCB: "segment"}
ONE_BYTE.update(dict.fromkeys((*range(0xE4, 0xE8), *range(0xEC, 0xF0), *range(0x6C, 0x70)), "io"))
STRINGS = frozenset((0xA4, 0xA5, 0xA6, 0xA7, 0xAA, 0xAB, 0xAC, 0xAD, 0xAE, 0xAF))

TWO_BYTES = {0x05: "syscall", 0x34: "syscall", 0x07: "sysret", 0x35: "sysret", 0x06: "clts", 0x08: "wbinvd", 0x09: "wbinvd",
             0x20: "cr_read", 0x21: "dr_read", 0x23: "dr_write", 0x30: "wrmsr", 0x31: "rdtsc", 0x32: "rdmsr", 0x33: "rdpmc",
             0x78: "vmread", 0x79: "vmwrite", 0xA2: "cpuid", 0xA1: "segment", 0xA9: "segment",
             0xB2: "segment", 0xB4: "segment", 0xB5: "segment"}
CR_WRITES = {0: "cr0_write", 2: "cr2_write", 3: "cr3_write", 4: "cr4_write", 8: "cr8_write"}

# 0F 01 with a register operand: the whole byte counts.
GROUP7 = {0xC2: "vmentry", 0xC3: "vmentry", 0xC4: "vmswitch", 0xC8: "mwait", 0xC9: "mwait", 0xD0: "xgetbv",
          0xD1: "xsetbv", 0xD8: "vmentry", 0xDA: "vmstate", 0xDB: "vmstate", 0xDC: "gif", 0xDD: "gif", 0xDF: "invlpg",
          0xF8: "swapgs", 0xF9: "rdtsc"}
GROUP7_MEMORY = {2: "lgdt", 3: "lidt", 4: "cr_read", 6: "cr0_write", 7: "invlpg"}

GROUP15_MEMORY = {0: "xsave", 1: "xrstor", 4: "xsave", 5: "xrstor", 6: "xsave", 7: "cacheline"}
GROUP15_FENCES = {5: "lfence", 6: "mfence", 7: "sfence"}
GROUP15_BASES = {0: "rdbase", 1: "rdbase", 2: "wrbase", 3: "wrbase"}
GROUP9_MEMORY = {3: "xrstor", 4: "xsave", 5: "xsave", 6: "vmptr", 7: "vmptr"}
INVALIDATIONS = {0x80: "invept", 0x81: "invvpid", 0x82: "invpcid"}


def split(code):
    """(set of prefixes, whether REX.R is set, opcode and what follows). A REX prefix counts only right before the opcode."""
    prefixes, at, rex = set(), 0, 0
    while at < len(code) and (code[at] in LEGACY_PREFIXES or code[at] == LOCK or code[at] & 0xF0 == 0x40):
        rex = code[at] if code[at] & 0xF0 == 0x40 else 0
        prefixes |= set() if rex else {code[at]}
        at += 1
    return prefixes, bool(rex & 4), code[at:]


def kind(code):
    """The kind (of KINDS) of the instruction that starts here, or None for a plain one. `code` may be longer than it."""
    prefixes, rex_r, code = split(code)
    if LOCK in prefixes:
        return "lock"
    if not code:
        return None
    if code[0] == 0x0F and len(code) > 1:
        return kind_0f(prefixes, rex_r, code[1:])
    return kind_one_byte(prefixes, code)


def kind_one_byte(prefixes, code):
    opcode, modrm = code[0], code[1] if len(code) > 1 else 0
    reg = modrm >> 3 & 7
    if opcode in STRINGS:
        return "rep" if prefixes & {0xF2, 0xF3} else None
    if opcode == 0x90:
        return "pause" if 0xF3 in prefixes else None
    if opcode in (0x86, 0x87):
        return "lock" if modrm < 0xC0 else None
    if opcode in (0xF6, 0xF7):
        return "div" if reg >= 6 else None
    if opcode == 0xFF:
        return "segment" if reg in (3, 5) else None
    return ONE_BYTE.get(opcode)


def kind_0f(prefixes, rex_r, code):
    opcode, modrm = code[0], code[1] if len(code) > 1 else 0
    reg, is_memory = modrm >> 3 & 7, modrm < 0xC0
    if opcode == 0x00:
        return {2: "lldt", 3: "ltr"}.get(reg)
    if opcode == 0x01:
        return GROUP7_MEMORY.get(reg) if is_memory else GROUP7.get(modrm, {4: "cr_read", 6: "cr0_write"}.get(reg))
    if opcode == 0x22:
        return CR_WRITES.get(reg + 8 * rex_r)
    if opcode == 0xAE:
        return kind_group15(prefixes, reg, is_memory)
    if opcode == 0xC7:
        vmxon = reg == 6 and 0xF3 in prefixes
        return ("vmswitch" if vmxon else GROUP9_MEMORY.get(reg)) if is_memory else None
    if opcode == 0x38:
        return INVALIDATIONS.get(modrm) if 0x66 in prefixes else None
    return TWO_BYTES.get(opcode)


def kind_group15(prefixes, reg, is_memory):
    if is_memory:
        if 0x66 in prefixes:
            return "cacheline" if reg in (6, 7) else None
        return GROUP15_MEMORY.get(reg)
    if 0xF3 in prefixes:
        return GROUP15_BASES.get(reg)
    return None if prefixes & {0x66, 0xF2} else GROUP15_FENCES.get(reg)
