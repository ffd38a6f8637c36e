/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything user code can keep in registers: general registers (RSP included), FS and GS base, RFLAGS, and the whole
 * extended state. One instruction (a hypercall, or one that faults) runs between loading and storing all of it.
 */
#pragma once

#include "guest.h"

enum { R_AX, R_CX, R_DX, R_BX, R_SP, R_BP, R_SI, R_DI, R_8, R_9, R_10, R_11, R_12, R_13, R_14, R_15, R_COUNT };

struct regs {
	unsigned long gpr[R_COUNT];
	unsigned long fs, gs, rflags;
};

#define XAREA_SIZE 4096

struct xarea {
	uint8_t byte[XAREA_SIZE];
} __attribute__((aligned(64)));

/* In and out of the functions below; XRSTOR takes regs_xin if regs_extended is set. */
extern struct regs regs_in, regs_out;
extern struct xarea regs_xin, regs_xout;
extern unsigned long regs_extended;

void regs_syscall(void);
void regs_ud2(void);
void regs_int3(void);

extern const uint8_t regs_ud2_at[], regs_ud2_next[], regs_int3_next[];

/* A portal entry that stores what it finds in regs_seen/regs_xseen, loads regs_answer/regs_xanswer and replies. */
void regs_portal(void);
extern struct regs regs_seen, regs_answer;
extern struct xarea regs_xseen, regs_xanswer;

void regs_random(struct regs *r);    /* arbitrary values, canonical bases, harmless flags */
unsigned long xarea_features(void);  /* XCR0 */
void xarea_random(struct xarea *x);  /* every component in use, arbitrary contents */
void xarea_initial(struct xarea *x); /* XSAVE init state */
const char *xarea_difference(const struct xarea *a, const struct xarea *b); /* null: same state */
const char *gpr_name(unsigned n);

/* Compares those general registers whose bit is set in `mask`; reports the first difference. */
bool regs_same(const struct regs *got, const struct regs *want, unsigned mask, const char *what);
#define REGS_ALL 0xffffu
#define REGS_LOST (1u << R_CX | 1u << R_11) /* by SYSCALL */
