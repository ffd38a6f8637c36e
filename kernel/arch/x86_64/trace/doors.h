/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ways that assembly takes while they are traced. A door replaces the target of a call or jump that is there anyway,
 * or five bytes of an instruction that it then does itself: closed, it costs nothing. `door NUMBER` stands before the
 * instruction.
 */
#pragma once

#define DOOR_CALL 0
#define DOOR_REPLY 1
#define DOOR_HYPERCALL 2
#define DOOR_FASTCALL 3
#define DOOR_EXCEPTION 4
#define DOOR_DISPATCH 5
#define DOOR_VM_EXIT 6
#define DOOR_VM_ENTRY 7
#define DOORS 8

#ifndef __ASSEMBLER__
#include "lib/types.h"

struct door {
	const void *to;    /* where it goes instead */
	u64 events, paths; /* it is open for any of these */
	u8 opcode_size;    /* bytes before the 32-bit displacement; 0: any instruction of at least five bytes */
};

extern const struct door doors[DOORS];

struct door_site {
	u8 *at;
	u64 number;
};

extern const struct door_site door_sites_start[], door_sites_end[];
#endif
