/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of objects: what the last capability and the last reference leave to be done. */
#pragma once

#include "lib/types.h"

struct cpu;

/*
 * Dismantles the objects that wait for it on this CPU, and hands their memory to core/rcu.h. The caller holds no lock
 * and is about to leave the kernel, or as good as that. There is at least one. False: the CPU is wanted for something
 * else (core/unfinished.h), and HAZARD_REAP is still set; at least a piece was done.
 */
bool reap_all(struct cpu *cpu);

/*
 * The same for what other CPUs have sent here, and what that leads to: all of it, so that none of it is left with an
 * EC that may not run for long, while others wait for it (core/rcu.h). There is at least one. What has no bound is
 * left for the next way out.
 */
void reap_sent(struct cpu *cpu);
