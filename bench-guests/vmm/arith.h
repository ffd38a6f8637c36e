/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What arithmetic instructions leave behind: the result, and the status flags of RFLAGS. Manual: Intel SDM volume 1,
 * "Status flags", and volume 2 for each instruction.
 */
#pragma once

#include "vmm/insn.h"

#define ARITH_FLAGS 0x8d5ul /* OF, SF, ZF, AF, PF, CF */

/* `op` is one of ADD, OR, AND, SUB, XOR, CMP, TEST, the operands have `size` bytes; what is above does not count. */
uint64_t arith_result(enum insn_op op, uint64_t a, uint64_t b, unsigned size);
uint64_t arith_flags(enum insn_op op, uint64_t a, uint64_t b, unsigned size);
