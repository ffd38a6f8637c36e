/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Synchronous IPC. Both functions are entered with every register of the caller but RDI stored in self->regs, and
 * return the EC that goes on in user mode through arch_return_syscall(); its registers are all in its `regs`.
 */
#pragma once

#include "core/ec.h"

struct cpu;

/*
 * CPU and EC are the last two of six arguments, and three have no use: both are needed to the end, where XGETBV takes
 * the registers of the third and the fourth argument for itself, and that of the second is whose turn it is. So no
 * call and no reply has to move them.
 */
struct ec *ipc_call(u64 arg1, u64 unused2, u64 unused3, u64 unused4, struct cpu *cpu, struct ec *self);
struct ec *ipc_reply(u64 arg1, u64 unused2, u64 unused3, u64 unused4, struct cpu *cpu, struct ec *self);

/* The reply that is not plain: it names a semaphore, or somebody is special. */
struct ec *ipc_reply_slow(u64 arg1, u64 unused2, u64 unused3, u64 unused4, struct cpu *cpu, struct ec *self);

/* Waits for a busy EC by lending it the current SC, then goes on with self->cont; dies if that would wait for itself.
 */
__attribute__((noreturn)) void ipc_help(struct cpu *cpu, struct ec *self, struct ec *busy);
/* The EC that has answered is idle again, its helpers start over. */
void ipc_finish_reply(struct cpu *cpu, struct ec *self);
/* Typed items of `from`, as many as `items` says, against the windows given; results go to `results` or nowhere. */
void ipc_transfer_items(struct ec *from, struct ec *to, u64 items, u64 xlt, u64 del, struct utcb *results);
