/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Synchronous IPC. Both functions are entered with every register of the caller but RDI stored in self->regs, and
 * return the EC that goes on in user mode through arch_return_syscall(); its registers are all in its `regs`.
 */
#pragma once

#include "core/ec.h"

struct cpu;

/*
 * Three arguments are unused, so that CPU and EC, which are needed to the end, come in R8 and R9 and stay there. Near
 * the end XGETBV overwrites RDX and RCX, the registers of the third and fourth argument, and RSI, that of the second,
 * holds the EC that is switched to.
 */
struct ec *ipc_call(u64 arg1, u64 unused2, u64 unused3, u64 unused4, struct cpu *cpu, struct ec *self);
struct ec *ipc_reply(u64 arg1, u64 unused2, u64 unused3, u64 unused4, struct cpu *cpu, struct ec *self);

/* A reply that names a semaphore, or by an EC whose `special` is not 0. */
struct ec *ipc_reply_slow(u64 arg1, u64 unused2, u64 unused3, u64 unused4, struct cpu *cpu, struct ec *self);
/* For CONT_REPLY. */
struct ec *ipc_resume_reply(struct cpu *cpu, struct ec *self);

/* `self` helps `busy`, which it wants to call, and goes on at self->cont when that has replied. It is killed if it
 * would wait for itself. */
__attribute__((noreturn)) void ipc_help(struct cpu *cpu, struct ec *self, struct ec *busy);
/* `self` has answered and is idle again; its helpers start their calls again. */
void ipc_finish_reply(struct cpu *cpu, struct ec *self);
/*
 * Typed items of `from`, as many as `items` says, against the windows given; results go to `results` or nowhere.
 * False: the CPU is wanted for something else, or there is no memory for an item, which will be waited for. The one
 * of the two that answers the call keeps in `unfinished` how many are done, and another call goes on with the rest.
 * An EC that waits in an exception, whose items go nowhere, is killed if there is no memory for one.
 */
bool ipc_transfer_items(struct ec *from, struct ec *to, u64 items, u64 xlt, u64 del, struct utcb *results) must_check;
/* For CONT_ITEMS: returns when `self` can go on with the message, else to the dispatcher. */
void ipc_take_items(struct cpu *cpu, struct ec *self);
