/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "core/percpu.h"
#include "lib/compiler.h"

struct trap_frame;

/* Answers what other CPUs ask, and sees to it that hazards are noticed before user code goes on (entry/nmi.c). */
void nmi_handle(struct trap_frame *f);
/*
 * For other handlers that may hit anything: returning, what they interrupted is sure to test the hazards once more
 * before user code or a guest runs, or the CPU sleeps.
 */
void nmi_redirect(struct trap_frame *f);
/* Whether something is asked of the CPU that an NMI tells about. */
bool nmi_requested(const struct cpu *cpu);
/*
 * What an NMI is about that has hit the instruction at rip, or a guest (0); NMIs are blocked. False: no CPU of ours
 * has sent it, and a passthrough guest will hear of it.
 */
bool nmi_take(struct cpu *cpu, u64 rip);

/* Records one, and what it hit (enum trace_mode) if that was asked for. For open trace points. */
void nmi_trace(struct cpu *cpu, unsigned mode, u64 rip);

/* What all CPUs are to do in their NMI handlers besides; rarely anything. */
enum nmi_order {
	NMI_ORDER_HALT = 1 << 0,         /* stay in the handler for good: there is a panic */
	NMI_ORDER_STOP_MACHINE = 1 << 1, /* stop_machine_answer() */
	NMI_ORDER_COUNTER = 1 << 2,      /* look for a performance counter that has overflowed */
};
void nmi_order(u32 order, bool on);
void nmi_halt_if_ordered(void);
/* One for each other CPU that is online; how many there are. */
unsigned nmi_kick_others(void);
