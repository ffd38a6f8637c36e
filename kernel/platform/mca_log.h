/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ring in which the handler of machine checks, which must not print, leaves errors for the dispatcher, which may.
 * Locking: none. There is one writer, the handler, and one reader, which it may interrupt, both on the same CPU. So
 * the writer is the only one to write `written`, and the reader `read`.
 */
#pragma once

#include "platform/mca_error.h"
#include "platform/ratelimit.h"

#define MCA_LOG_SIZE 32

struct mca_log {
	struct mca_error error[MCA_LOG_SIZE];
	u32 written, read; /* counts of errors so far, modulo 2^32 */
	u32 lost;          /* errors that found no room; atomic, cleared by the reader */
};

void mca_log_put(struct mca_log *log, const struct mca_error *e);
/* False: there is none. */
bool mca_log_take(struct mca_log *log, struct mca_error *e) must_check;

/* The part of struct cpu that belongs to machine checks (cpu/mca.c). */
struct mca_cpu {
	struct mca_log log;
	struct ratelimit limit; /* of what the reader prints */
	u64 status;             /* MCG_STATUS of the last one */
	u32 banks;              /* 0: there are none, or they cannot be read */
	bool ends_ec;           /* the current EC is to be killed on the way out of the kernel */
};
