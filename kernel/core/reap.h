/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of objects: what the last capability and the last reference leave to be done. */
#pragma once

struct cpu;

/*
 * Dismantles all objects that wait for it on this CPU, and hands their memory to core/rcu.h. The caller holds no lock
 * and is about to leave the kernel, or as good as that.
 */
void reap_all(struct cpu *cpu);
