/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A look at the guest's own memory, as the guest sees it: for instructions that the processor does not decode. All of
 * it after an exit and before svm_run_to_host(): as long as this CPU takes no NMI, no nested table that the guest has
 * been running on is taken away, because whoever does that waits for this CPU (mmu/tlb.c).
 */
#pragma once

#include "core/vcpu.h"
#include "svm/svm_insn.h"

/* The instruction at the guest's RIP. Its length is 0 if it cannot be read, or is none of those that are known. */
struct svm_insn svm_fetch_insn(const struct vcpu *v);

/* The linear address of its memory operand. The guest's FS and GS are in the CPU, and are saved for it. */
u64 svm_fetch_operand(const struct vcpu *v, const struct svm_insn *i);

/* Reads two bytes at a linear address. False: they are not there, or not memory. */
bool svm_fetch_word(const struct vcpu *v, u64 linear, u16 *word) must_check;

/* General registers by the number that instructions have for them. */
u64 svm_fetch_gpr(const struct vcpu *v, unsigned number);
void svm_fetch_set_gpr(struct vcpu *v, unsigned number, u64 value);
