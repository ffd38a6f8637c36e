/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors on their way from the handler of machine checks, which must not print, to the way out of the kernel, which
 * may. A ring with one writer, the handler, and one reader, which it may interrupt: both on the same CPU.
 */
#pragma once

#include "platform/mca_error.h"
#include "platform/ratelimit.h"

#define MCA_LOG_SIZE 32

struct mca_log {
	struct mca_error error[MCA_LOG_SIZE];
	u32 written, read; /* only grow */
	u32 lost;          /* found no room; atomic */
};

void mca_log_put(struct mca_log *log, const struct mca_error *e);
/* False: there is none. */
bool mca_log_take(struct mca_log *log, struct mca_error *e) must_check;

/* The part of struct cpu that belongs to machine checks (cpu/mca.c). */
struct mca_cpu {
	struct mca_log log;
	struct ratelimit limit; /* of the reader */
	u64 status;             /* MCG_STATUS of the last one */
	u32 banks;              /* 0: there are none, or they cannot be read */
	bool ends_ec;           /* the current EC must not go on: until the way out of the kernel sees to it */
};
