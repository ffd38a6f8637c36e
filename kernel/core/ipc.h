/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Synchronous IPC. Both functions are entered with every register of the caller but RDI stored in self->regs, and
 * return the EC that goes on in user mode through arch_return_syscall(); its registers are all in its `regs`.
 */
#pragma once

#include "core/ec.h"

struct cpu;

struct ec *ipc_call(u64 arg1, struct ec *self, struct cpu *cpu);
struct ec *ipc_reply(u64 arg1, struct ec *self, struct cpu *cpu);

/* The reply that is not plain: it names a semaphore, or somebody is special. */
struct ec *ipc_reply_slow(u64 arg1, struct ec *self, struct cpu *cpu);

/* Waits for a busy EC by lending it the current SC, then goes on with self->cont; dies if that would wait for itself.
 */
__attribute__((noreturn)) void ipc_help(struct cpu *cpu, struct ec *self, struct ec *busy);
/* The EC that has answered is idle again, its helpers start over. */
void ipc_finish_reply(struct cpu *cpu, struct ec *self);
/* Typed items of `from`, as many as `items` says, against the windows given; results go to `results` or nowhere. */
void ipc_transfer_items(struct ec *from, struct ec *to, u64 items, u64 xlt, u64 del, struct utcb *results);
