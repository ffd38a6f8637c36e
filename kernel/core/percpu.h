/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a CPU owns. Only that CPU reads and writes its struct unless a group says otherwise.
 * On x86_64 it lies at the start of the CPU's area (mm/layout.h), so that the stack pointer leads to it.
 */
#pragma once

#include "core/sched.h"
#include "lib/types.h"

struct ec;
struct sc;
struct rcu_head;

/* Why the way back to user mode must take the long route; zero on the hot path. */
enum hazard {
	HAZARD_SCHED = 1 << 0, /* another SC may deserve the CPU, or the current EC cannot go on */
	HAZARD_REAP = 1 << 1,  /* objects lost their last capability */
	HAZARD_RCU = 1 << 2,   /* memory waits to be freed */
};

struct cpu {
	/* the entries use these */
	struct ec *ec; /* current: whose registers come back at the exit */
	u32 hazard;    /* enum hazard */

	u32 id;	       /* CPU number; immutable */
	struct sc *sc; /* current: who pays */
	struct ec *idle_ec;
	u64 sc_since; /* TSC of the dispatch of `sc` */

	struct sched sched;
	struct list dying; /* kobjects for kobject_reap() */
	struct rcu_head *rcu;
	u32 apic_id, acpi_id;
	u32 mxcsr; /* scratch of fpu_switch() */
	u32 nmis;
};

/* Number of CPUs that run; CPU numbers are dense from 0. */
extern unsigned cpu_count;
