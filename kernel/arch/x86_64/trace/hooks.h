/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ways that assembly takes while they are traced. A hook replaces the target of a call or jump that is there anyway,
 * or five bytes of an instruction that it then does itself: off, it costs nothing. `hook NUMBER` stands before the
 * instruction.
 */
#pragma once

#define HOOK_CALL 0
#define HOOK_REPLY 1
#define HOOK_HYPERCALL 2
#define HOOK_FASTCALL 3
#define HOOK_EXCEPTION 4
#define HOOK_DISPATCH 5
#define HOOK_VM_EXIT 6
#define HOOK_VM_ENTRY 7
#define HOOK_SVM_EXIT 8
#define HOOK_SVM_ENTRY 9
#define HOOKS 10

#ifndef __ASSEMBLER__
#include "lib/types.h"

struct hook {
	const void *to;    /* where it goes instead */
	u64 events, paths; /* it is on for any of these */
	u8 opcode_size;    /* bytes before the 32-bit displacement; 0: any instruction of at least five bytes */
};

extern const struct hook hooks[HOOKS];

struct hook_site {
	u8 *at;
	u64 number;
};

extern const struct hook_site hook_sites_start[], hook_sites_end[];
#endif
