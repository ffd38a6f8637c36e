/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Deferred freeing: readers of capabilities, tables and objects take no locks and hold no references, so memory goes back only
 * when no CPU can still use it. A CPU on its way to user mode, or idle, uses nothing.
 */
#pragma once

#include "core/kobject.h"

struct cpu;

/* Calls fn(head) once every CPU has passed through user mode or idle. */
void rcu_call(struct rcu_head *head, void (*fn)(struct rcu_head *));
/* On the way out of the kernel, with no pointer in hand. */
void rcu_quiesce(struct cpu *cpu);
