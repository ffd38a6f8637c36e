/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions and events: messages that the kernel sends in an EC's name (docs/abi.md, "Exceptions and events"). */
#pragma once

#include "core/ec.h"

struct cpu;

/*
 * Sends the event to the portal at event_base + event. Without a portal or a usable handler the EC dies. `self` is
 * the current EC, all its registers are stored. Returns the handler, which goes on in user mode through
 * arch_return_syscall().
 */
struct ec *exception_raise(struct cpu *cpu, struct ec *self, unsigned event);

/*
 * The handler's answer: what its mtd selects goes into the caller, which then may go on (or is killed for a bad RIP).
 * What runs next is for others to choose.
 */
bool exception_take_reply(struct cpu *cpu, struct ec *self, struct ec *caller) must_check;

/* The reply of an EC whose `special` is not 0. The answer to an exception, without typed items or extended state,
 * goes straight back to the caller; all else is left to ipc_reply_slow(). */
struct ec *exception_reply(u64 arg1, u64 unused2, u64 unused3, u64 unused4, struct cpu *cpu, struct ec *self);
