/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Idle CPUs write what the kernel log has for slow devices (platform/console.h). Locking: none; one CPU at a time
 * does it, which an atomic flag says.
 */
#pragma once

struct cpu;

/* From now on messages wait for idle CPUs. */
void drain_start(void);

/* Writes until nothing is left or there is something better to do. On the way to sleep, when the CPU is idle. */
void drain_idle(struct cpu *cpu);
