/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the fuzzer's two halves share: fuzz.c, in the roottask, makes the sandboxes and cleans up after them;
 * fuzz_calls.c runs in them. Selectors are the same in all sandboxes, which hold copies of the same capabilities.
 */
#pragma once

#define FUZZ_SLOTS 256 /* stacks: threads and handlers of one round */
#define FUZZ_STACK_BITS 12

/* Selectors in a sandbox: worker i's event portals from 32 * i on, then eight or sixteen of each kind. */
#define FUZZ_THINGS 0x100
#define FUZZ_ORDER 7

#ifndef __ASSEMBLER__

#include "smp.h"

#include "rt/size.h"

enum {
	FUZZ_PD = FUZZ_THINGS, /* the sandboxes first */
	FUZZ_SM = FUZZ_PD + 8,
	FUZZ_PT = FUZZ_SM + 8, /* of FUZZ_LOCAL: one that makes hypercalls before it answers, one that answers */
	FUZZ_LOCAL = FUZZ_PT + 16,
	FUZZ_HANDLER = FUZZ_LOCAL + 8, /* ECs of the event portals */
	FUZZ_GLOBAL = FUZZ_HANDLER + 8,
	FUZZ_SC = FUZZ_GLOBAL + 8,
	FUZZ_KP = FUZZ_SC + 8,
	FUZZ_VCPU = FUZZ_KP + 8,
	FUZZ_FREE = FUZZ_VCPU + 8,
	FUZZ_END = FUZZ_THINGS + (1 << FUZZ_ORDER),

	FUZZ_BOXES = 4,
	FUZZ_PAGES = 64,   /* that things are mapped to */
	FUZZ_PORTS = 0x20, /* at FUZZ_PORT; nothing is there */
	FUZZ_PORT = 0x2000,
};

#define FUZZ_ARENA 0x500000000000ul
#define FUZZ_UTCB (FUZZ_ARENA + 0x10000000)

/* Memory that the sandboxes can write; of the image they can only read. Nobody trusts what it holds. */
struct fuzz_shared {
	unsigned long slots;                         /* stacks given away */
	unsigned long calls, faults, answers, limit; /* of each */
	unsigned long statuses[16];
	uint64_t seed[FUZZ_SLOTS];
	uint8_t arena[4][RT_PAGE] __attribute__((aligned(RT_PAGE)));
	uint8_t stack[FUZZ_SLOTS][1 << FUZZ_STACK_BITS];
};

/* Constant while sandboxes run. */
extern struct fuzz_shared *fuzz_shared;
extern uint8_t *fuzz_stacks;
extern unsigned fuzz_cpus[SMP_MAX]; /* CPU numbers of the workers */
extern unsigned long fuzz_page;     /* physical address of arena[0] */

/* Entry points: RSP is the EC's UTCB address, or on its stack since an earlier turn. */
void fuzz_thread(void);
void fuzz_serve(void);
void fuzz_echo(void);
void fuzz_fault(void);

#endif
