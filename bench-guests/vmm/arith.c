/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/arith.h"

enum { CF = 1 << 0, PF = 1 << 2, AF = 1 << 4, ZF = 1 << 6, SF = 1 << 7, OF = 1 << 11 };

static uint64_t mask(unsigned size)
{
	return ~0ul >> (64 - 8 * size);
}

uint64_t arith_result(enum insn_op op, uint64_t a, uint64_t b, unsigned size)
{
	switch (op) {
	case INSN_ADD:
		return (a + b) & mask(size);
	case INSN_SUB:
	case INSN_CMP:
		return (a - b) & mask(size);
	case INSN_OR:
		return (a | b) & mask(size);
	case INSN_XOR:
		return (a ^ b) & mask(size);
	default:
		return a & b & mask(size);
	}
}

/* Carry, half carry and overflow; logic has none, and leaves AF undefined: 0 here. */
static uint64_t carries(enum insn_op op, uint64_t a, uint64_t b, uint64_t result, uint64_t sign)
{
	bool adds = op == INSN_ADD, subtracts = op == INSN_SUB || op == INSN_CMP;
	uint64_t flags;

	if (!adds && !subtracts)
		return 0;
	flags = (adds ? result < a : a < b) ? CF : 0;
	flags |= (a ^ b ^ result) & AF;
	/* The sign of the result is that of neither operand, or of the subtrahend alone. */
	return flags | ((a ^ result) & (adds ? b ^ result : a ^ b) & sign ? OF : 0);
}

uint64_t arith_flags(enum insn_op op, uint64_t a, uint64_t b, unsigned size)
{
	uint64_t result = arith_result(op, a, b, size), sign = 1ul << (8 * size - 1), flags;

	flags = carries(op, a & mask(size), b & mask(size), result, sign);
	flags |= result ? 0 : ZF;
	flags |= result & sign ? SF : 0;
	return flags | (__builtin_popcountl(result & 0xff) % 2 ? 0 : PF); /* of the lowest byte, whatever the size */
}
