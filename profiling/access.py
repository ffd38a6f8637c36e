# SPDX-License-Identifier: GPL-2.0-or-later
"""
How often an instruction reads and writes memory, from its bytes: its memory operand, and the stack or the strings that it uses
implicitly. Manual: SDM vol. 2, appendix A.

An operand counts once, whatever its size: also the area of XSAVE. What the CPU does by itself does not count: walks of page tables,
descriptors, the frame of an exception.
"""

import decode

NONE, LOAD, STORE, BOTH = (0, 0), (1, 0), (0, 1), (1, 1)


def each(*pairs):
    """{opcode: accesses} of (accesses, opcodes)."""
    return {opcode: counts for counts, opcodes in pairs for opcode in opcodes}


# Without ModRM: implicit accesses.
IMPLICIT = each((STORE, (*range(0x50, 0x58), 0x68, 0x6A, 0x9C, 0xE8, 0xC8, 0xA2, 0xA3, 0x6C, 0x6D, 0xAA, 0xAB)),
                (LOAD, (*range(0x58, 0x60), 0x9D, 0xC2, 0xC3, 0xC9, 0xA0, 0xA1, 0x6E, 0x6F, 0xAC, 0xAD, 0xAE, 0xAF, 0xD7)),
                (BOTH, (0xA4, 0xA5)), ((2, 0), (0xA6, 0xA7, 0xCA, 0xCB)), ((5, 0), (0xCF,)))
IMPLICIT_0F = each((STORE, (0xA0, 0xA8)), (LOAD, (0xA1, 0xA9)))

# With a memory operand. Groups by the middle of ModRM.
ALU = {form + 8 * operation: (BOTH if form < 2 and operation < 7 else LOAD) for operation in range(8) for form in range(4)}
OPERAND = {**ALU, **each(
    (LOAD, (0x63, 0x69, 0x6B, 0x84, 0x85, 0x8A, 0x8B, 0x8E)), (STORE, (0x88, 0x89, 0x8C, 0xC6, 0xC7)),
    (BOTH, (0x86, 0x87, 0x8F, 0xC0, 0xC1, *range(0xD0, 0xD4))))}
GROUPS = {
    **dict.fromkeys((0x80, 0x81, 0x83), (BOTH,) * 7 + (LOAD,)),
    **dict.fromkeys((0xF6, 0xF7), (LOAD,) * 2 + (BOTH,) * 2 + (LOAD,) * 4),
    0xFE: (BOTH,) * 8, 0xFF: (BOTH, BOTH, BOTH, (1, 2), LOAD, LOAD, BOTH, NONE),
    0xD8: (LOAD,) * 8, 0xD9: (LOAD, NONE, STORE, STORE, LOAD, LOAD, STORE, STORE), 0xDA: (LOAD,) * 8,
    0xDB: (LOAD, STORE, STORE, STORE, NONE, LOAD, NONE, STORE), 0xDC: (LOAD,) * 8,
    0xDD: (LOAD, STORE, STORE, STORE, LOAD, NONE, STORE, STORE), 0xDE: (LOAD,) * 8,
    0xDF: (LOAD, STORE, STORE, STORE, LOAD, LOAD, STORE, STORE)}

NOTHING_0F = (0x0D, *range(0x18, 0x20))  # prefetches, NOPs
WITHOUT_OPERAND_0F = (*range(0x04, 0x0D), 0x0E, *range(0x20, 0x28), *range(0x30, 0x40), 0x77, *range(0x80, 0x90),
                      0xA0, 0xA1, 0xA2, 0xA8, 0xA9, 0xAA, *range(0xC8, 0xD0))
OPERAND_0F = {**dict.fromkeys(range(0x100), LOAD), **each(
    (NONE, (*NOTHING_0F, *WITHOUT_OPERAND_0F)),
    (STORE, (0x11, 0x13, 0x17, 0x29, 0x2B, 0x7E, 0x7F, *range(0x90, 0xA0), 0xC3, 0xD6, 0xE7)),
    (BOTH, (0xA4, 0xA5, 0xAB, 0xAC, 0xAD, 0xB0, 0xB1, 0xB3, 0xBB, 0xC0, 0xC1)))}
GROUPS_0F = {0x00: (STORE, STORE, LOAD, LOAD, LOAD, LOAD, NONE, NONE), 0x01: (STORE, STORE, LOAD, LOAD, STORE, BOTH, LOAD, NONE),
             0xAE: (STORE, LOAD, LOAD, STORE, STORE, LOAD, STORE, NONE), 0xBA: (NONE,) * 4 + (LOAD,) + (BOTH,) * 3,
             0xC7: (NONE, BOTH, NONE, LOAD, STORE, STORE, LOAD, STORE)}
STORES_38 = frozenset((0x2E, 0x2F, 0x8E, 0xF1, 0xF5, 0xF6, 0xF9))
STORES_3A = frozenset((0x14, 0x15, 0x16, 0x17, 0x19, 0x1B, 0x1D, 0x39, 0x3B))
MASKED = frozenset((0x2E, 0x2F, 0x8E))  # VMASKMOV*, VPMASKMOV*
SCATTERS = frozenset((0x63, 0x8A, 0x8B, 0xA0, 0xA1, 0xA2, 0xA3))  # with EVEX: also compressing stores
NARROWING = frozenset(base + n for base in (0x10, 0x20, 0x30) for n in range(6))  # VPMOV* with EVEX and F3
VEX3, VEX2, EVEX = 0xC4, 0xC5, 0x62
VECTOR_PREFIXES = (None, 0x66, 0xF3, 0xF2)


def of(code):
    """(loads, stores) of the instruction that starts here; `code` may be longer or shorter than it."""
    prefixes, _, code = decode.split(code)
    if not code:
        return NONE
    if code[0] in (VEX2, VEX3, EVEX):
        return vector(code)
    if code[0] != 0x0F:
        return one_byte(code)
    return after_0f(prefixes, code[1:])


def has_operand(code, at=1):
    """Whether ModRM is there and names memory."""
    return len(code) > at and code[at] < 0xC0


def group(groups, code):
    return groups[code[0]][code[1] >> 3 & 7]


def one_byte(code):
    if code[0] in IMPLICIT:
        return IMPLICIT[code[0]]
    if code[0] == 0xFF and len(code) > 1 and not has_operand(code):
        return STORE if code[1] >> 3 & 7 in (2, 6) else NONE
    if code[0] == 0x8F and len(code) > 1 and not has_operand(code):
        return LOAD
    if not has_operand(code):
        return NONE
    return group(GROUPS, code) if code[0] in GROUPS else OPERAND.get(code[0], NONE)


def after_0f(prefixes, code):
    if code[:1] in (b"\x38", b"\x3a"):
        return after_0f_38(prefixes, code[1:]) if code[0] == 0x38 else operand(code[1:], STORES_3A)
    if not code:
        return NONE
    if code[0] in IMPLICIT_0F:
        return IMPLICIT_0F[code[0]]
    if code[0] == 0xF7 and len(code) > 1:
        return STORE if not has_operand(code) else LOAD  # MASKMOVQ, MASKMOVDQU store through RDI
    if not has_operand(code):
        return NONE
    if code[0] == 0x78:
        return STORE  # VMREAD
    if code[0] == 0xAE and 0x66 in prefixes and code[1] >> 3 & 7 >= 6:
        return NONE  # CLWB, CLFLUSHOPT
    if code[0] == 0x7E and 0xF3 in prefixes:
        return LOAD
    return group(GROUPS_0F, code) if code[0] in GROUPS_0F else OPERAND_0F[code[0]]


def after_0f_38(prefixes, code):
    if has_operand(code):
        if code[0] == 0xF1 and 0xF2 in prefixes or code[0] == 0xF6 and prefixes & {0x66, 0xF3}:
            return LOAD  # CRC32; ADCX, ADOX
        if code[0] == 0xF8:
            return BOTH  # MOVDIR64B
    return operand(code, STORES_38)


def operand(code, stores):
    if not has_operand(code):
        return NONE
    return STORE if code[0] in stores else LOAD


def vector(code):
    """Instructions with VEX or EVEX."""
    length = {VEX2: 2, VEX3: 3, EVEX: 4}[code[0]]
    if len(code) < length + 2:
        return NONE
    page = 1 if code[0] == VEX2 else code[1] & (31 if code[0] == VEX3 else 7)
    prefix = VECTOR_PREFIXES[code[1 if code[0] == VEX2 else 2] & 3]
    rest, evex = code[length:], code[0] == EVEX
    if page == 1:
        if rest[0] in (0x78, 0x79, 0x7A, 0x7B) or not evex and rest[0] in range(0x90, 0x94) and has_operand(rest):
            return vector_0f_special(rest)
        return after_0f({prefix} - {None} if rest[0] != 0xAE else set(), rest)
    if page == 2:
        if evex:
            return operand(rest, SCATTERS | NARROWING if prefix == 0xF3 else SCATTERS)
        return operand(rest, MASKED)
    return operand(rest, STORES_3A)


def vector_0f_special(code):
    """Conversions where VMREAD and VMWRITE are without VEX; KMOV where SETcc is."""
    if not has_operand(code):
        return NONE
    return STORE if code[0] == 0x91 else LOAD
