/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The instructions that exit, where the processor does not tell their length and operands. Nothing is known of
 * others. Manual: APM vol. 3, chapter 1 (format), appendix A (opcodes).
 */
#pragma once

#include "lib/types.h"

#define SVM_INSN_MAX 15 /* bytes */

/* Operands of the code segment. */
enum svm_insn_mode { SVM_INSN_16 = 2, SVM_INSN_32 = 4, SVM_INSN_64 = 8 };

enum svm_insn_segment { SVM_INSN_ES, SVM_INSN_CS, SVM_INSN_SS, SVM_INSN_DS, SVM_INSN_FS, SVM_INSN_GS };

struct svm_insn {
	u8 length;      /* 0: not one of them, or not all of it is there */
	bool two_bytes; /* the opcode is 0F, and `opcode` */
	u8 opcode;
	u8 modrm;        /* 0 without */
	u8 reg, rm;      /* numbers of general registers, for ModRM */
	bool memory;     /* ModRM names memory: this is its address */
	u8 address_size; /* bytes */
	u8 segment;      /* enum svm_insn_segment */
	u8 base, index;  /* numbers of general registers, or SVM_INSN_NONE */
	u8 scale;        /* shift of the index */
	bool ip_relative;
	s32 displacement;
	u8 immediate; /* the first byte of one */
};

#define SVM_INSN_NONE 0xff

/* Of `count` bytes at `code`, of which no more than SVM_INSN_MAX are looked at. */
struct svm_insn svm_insn_decode(const u8 *code, unsigned count, enum svm_insn_mode mode);
