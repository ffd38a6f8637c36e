/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Builds with assertions look whether what is marked as clean in a VMCB is what the last exit has left there. No
 * emulator uses clean bits, so that nothing else would show a change that nobody has marked.
 */
#pragma once

#include "lib/types.h"

struct cpu;
struct vmcb;

#ifdef HEDRON_DEBUG
/* After an exit, before anything is changed. */
void svm_clean_keep(const struct cpu *cpu, const struct vmcb *b);
/* Before an entry. */
void svm_clean_check(const struct cpu *cpu, const struct vmcb *b);
#else
static inline void svm_clean_keep(const struct cpu *cpu, const struct vmcb *b)
{
	(void)cpu, (void)b;
}

static inline void svm_clean_check(const struct cpu *cpu, const struct vmcb *b)
{
	(void)cpu, (void)b;
}
#endif
