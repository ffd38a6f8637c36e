/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decodes the instructions with which guests reach memory that is a device, or is not there: moves, also of strings,
 * arithmetic with one operand in memory, and the string forms of IN and OUT. Manual: Intel SDM volume 2, appendix A.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define INSN_MAX 15 /* bytes of the longest instruction */

enum insn_op {
	INSN_MOV, /* also MOVZX, MOVSX */
	INSN_ADD,
	INSN_OR,
	INSN_AND,
	INSN_SUB,
	INSN_XOR,
	INSN_CMP,
	INSN_TEST,
	INSN_XCHG,
	INSN_MOVS,
	INSN_STOS,
	INSN_LODS,
	INSN_INS,
	INSN_OUTS,
};

enum insn_segment { INSN_ES, INSN_CS, INSN_SS, INSN_DS, INSN_FS, INSN_GS };

struct insn {
	enum insn_op op;
	uint8_t length;
	uint8_t size;         /* bytes of the operand in memory: 1, 2, 4, 8 */
	uint8_t reg_size;     /* of the register; larger than `size` for MOVZX and MOVSX */
	uint8_t reg;          /* its number; the accumulator for strings */
	uint8_t address_size; /* 2, 4, 8: of the registers that strings use */
	uint8_t segment;      /* enum insn_segment: of a string's source */
	bool high;            /* the register is AH, CH, DH or BH, of the register number `reg` */
	bool to_memory;       /* memory is the destination */
	bool sign;            /* MOVSX */
	bool has_imm;         /* the operand is `imm`, and not a register */
	bool repeated;        /* a string, with REP, REPE or REPNE */
	uint64_t imm;         /* sign-extended */
};

/*
 * Decodes the instruction at `bytes`, of which `count` are there, for code of `bits` (16, 32, 64). False: it is none
 * of the above, or not all there. Whether its operand is in memory, and not a register, is checked.
 */
bool insn_decode(struct insn *i, const uint8_t *bytes, unsigned count, unsigned bits);
