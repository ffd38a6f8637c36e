/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions and events: messages that the kernel sends in an EC's name (docs/abi.md, "Exceptions and events"). */
#pragma once

#include "core/ec.h"

struct cpu;

/*
 * Sends the event to the portal at event_base + event. Without a portal or a usable handler the EC dies. `self` is the
 * current EC, all its registers are stored.
 */
__attribute__((noreturn)) void exception_raise(struct cpu *cpu, struct ec *self, unsigned event);

/*
 * The handler's answer: what its mtd selects goes into the caller, which then may go on (or is killed for a bad RIP). The first leaves
 * the choice of what runs next to the caller of the function; the second is the short way for the usual case, back to the EC at once.
 */
void exception_take_reply(struct cpu *cpu, struct ec *self, struct ec *caller);
__attribute__((noreturn)) void exception_reply(struct cpu *cpu, struct ec *self, struct ec *caller);
