/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an error that a machine check reports means, and what has to happen because of it. Nothing here touches a
 * machine (cpu/mca.c does).
 * Manual: SDM vol. 3, 16.3 (registers), 16.6 (recovery), 16.9.3 (SRAO, SRAR), 16.10.4 (handlers); APM vol. 2, 9.3.
 */
#pragma once

#include "lib/types.h"

/* MCG_STATUS */
#define MCA_RIPV (1ull << 0)  /* the interrupted code can be continued */
#define MCA_EIPV (1ull << 1)  /* the interrupted instruction is the one that met the error */
#define MCA_LOCAL (1ull << 3) /* only this CPU was told */

/* MCi_STATUS. Bits 55 and 56 mean this only where software recovery is announced (struct mca_features, ser). */
#define MCA_VALID (1ull << 63)
#define MCA_OVERFLOW (1ull << 62)
#define MCA_UNCORRECTED (1ull << 61)
#define MCA_ENABLED (1ull << 60)
#define MCA_MISC_VALID (1ull << 59)
#define MCA_ADDR_VALID (1ull << 58)
#define MCA_CONTEXT_CORRUPT (1ull << 57)
#define MCA_SIGNALLED (1ull << 56)
#define MCA_ACTION_REQUIRED (1ull << 55)
#define MCA_DEFERRED (1ull << 44) /* AMD */

struct mca_features {
	bool ser;           /* Intel: software error recovery (MCG_CAP bit 24) */
	bool containment;   /* AMD: uncorrected errors are contained (SUCCOR, CPUID 8000_0007h EBX bit 1) */
	bool overflow_safe; /* AMD: they are even if a bank has overflowed (McaOverflowRecov, bit 0) */
};

/* In the order of severity: all from MCA_KIND_FATAL on end in a panic. */
enum mca_kind {
	MCA_KIND_CORRECTED,
	MCA_KIND_DEFERRED,                 /* AMD: bad data that nobody has used yet */
	MCA_KIND_UNSIGNALLED,              /* not what a machine check is about (EN is 0) */
	MCA_KIND_NO_ACTION,                /* UCNA */
	MCA_KIND_OPTIONAL,                 /* SRAO: bad data found before anybody used it */
	MCA_KIND_CONSUMED,                 /* SRAR: the interrupted code has used bad data, and cannot go on */
	MCA_KIND_FATAL,                    /* the first of those that cannot be survived */
	MCA_KIND_CORRUPT = MCA_KIND_FATAL, /* the registers of the interrupted code may be wrong */
	MCA_KIND_UNCONTAINED,              /* the CPU cannot tell how far it has spread */
	MCA_KIND_LOST,    /* the bank has overflowed: another error, of which nothing is known, may be worse */
	MCA_KIND_UNKNOWN, /* action is required, but the manual does not say which */
	MCA_KINDS,
};

struct mca_error {
	u64 status, addr, misc; /* the last two are 0 where the status says that there are none */
	u8 bank;
	u8 kind;        /* enum mca_kind */
	bool left_over; /* it was there when the CPU started */
};

/* Sets the kind of a valid error from its other fields. */
void mca_error_classify(struct mca_error *e, const struct mca_features *f);
const char *mca_error_kind_name(unsigned kind);

/* The physical memory that has lost its contents. False: the error does not say which. */
bool mca_error_memory(const struct mca_error *e, const struct mca_features *f, u64 *addr, u64 *size) must_check;

enum mca_context { MCA_IN_KERNEL, MCA_IN_USER, MCA_IN_GUEST };

enum mca_outcome {
	MCA_OUTCOME_GO_ON,
	MCA_OUTCOME_FOREIGN, /* go on, and leave the bank alone: it is shared, and the error another CPU's */
	MCA_OUTCOME_END,     /* the interrupted program or guest ends */
	MCA_OUTCOME_PANIC,
};

/* The outcome of one error for a machine check that interrupted `context`. `ours`: the memory is the kernel's. */
enum mca_outcome mca_error_judge(const struct mca_error *e, const struct mca_features *f, u64 mcg_status,
				 enum mca_context context, bool ours);

/* The outcome for all banks together, whose worst is `worst`: a panic if the interrupted code is to go on and, by
 * MCG_STATUS, cannot. */
enum mca_outcome mca_error_conclude(enum mca_outcome worst, u64 mcg_status);
