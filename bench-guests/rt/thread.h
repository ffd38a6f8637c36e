/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads and servers: ECs that start and report faults by the runtime's event portals. */
#pragma once

#include "rt/ec.h"

/* A local EC: portals (portal.h) lead to it. */
enum status rt_ec_local(struct rt_ec *ec) RT_MUST_CHECK;

/* A global EC that runs fn(arg) when it first has a time slice; it blocks for ever when fn returns. */
enum status rt_ec_global(struct rt_ec *ec, void (*fn)(void *arg), void *arg) RT_MUST_CHECK;

/* rt_ec_global, and an SC of this priority. Runs at once if that is higher than the caller's on the same CPU. */
enum status rt_thread(struct rt_ec *ec, unsigned prio, void (*fn)(void *arg), void *arg) RT_MUST_CHECK;
