/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Portal: an entry point into a local EC. Lifetime: refers to its EC. */
#pragma once

#include "space/kobject.h"

struct ec;
struct pd;

struct pt {
	struct kobject obj;
	struct ec *ec; /* immutable */
	/* `ec`, or an EC that is never idle (kobject_nothing) if `rip` is not canonical, so that one comparison in
	 * ipc_call() rejects both; immutable. */
	struct ec *callee;
	u64 rip; /* immutable */
	u64 mtd; /* immutable; what an exception message carries */
	u64 id;  /* written by PT_CTRL and read by calls on any CPU, by plain accesses: no order is promised */
};

enum status pt_create(struct pd *parent, struct ec *ec, u64 rip, u64 mtd, struct pt **out) must_check;
void pt_init_cache(void);
void pt_free(struct pt *pt);
